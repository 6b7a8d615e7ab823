package news

import (
	"time"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/tokens"
)

// reminderTime is how often people are reminded of tokens without end.
const reminderTime = 30 * 24 * time.Hour

// NotLooked is the Completed of a token that is older than the news.
const NotLooked = -1

// Seen is what the last look found at a token, and what was told of it.
type Seen struct {
	Completed int       // registrations, or NotLooked
	Ended     bool      // it has expired, and that is told if it was never used
	Reminded  time.Time // when its maker last heard that it never ends; zero: it ends, or can't be used
}

// unseen is what counts as seen of a token that no look has met before. One that
// was made through the bot is as new as that; what happened to others is known.
func unseen(maker commands.Maker) Seen {
	if maker.User == "" {
		return Seen{Completed: NotLooked}
	}
	return Seen{}
}

// compare says what is new about a token, and what is seen of it from now on.
func compare(token tokens.Token, before Seen, maker commands.Maker, now time.Time) (news []Item, after Seen) {
	state := token.State(now)
	unused := token.Completed == 0
	after = Seen{
		Completed: token.Completed,
		// Who had begun to register may still finish after the end.
		Ended: state == tokens.Expired && !(unused && token.Pending > 0),
	}
	if before.Completed == NotLooked {
		before.Completed, before.Ended = after.Completed, after.Ended
	}
	if more := token.Completed - before.Completed; more > 0 {
		used := newItem(Used, token, maker)
		used.Times = more
		news = append(news, used)
	}
	if after.Ended && !before.Ended && unused {
		news = append(news, newItem(Expired, token, maker))
	}
	if token.Expires == nil && state == tokens.Valid {
		after.Reminded = before.Reminded
		switch {
		case after.Reminded.IsZero():
			after.Reminded = now
		case now.Sub(after.Reminded) >= reminderTime:
			after.Reminded = now
			news = append(news, newItem(Endless, token, maker))
		}
	}
	return news, after
}
