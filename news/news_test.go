package news_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
	"matrix-registration-bot/news"
	"matrix-registration-bot/tokens"
)

func TestTheMakerHearsWhoRegistered(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd", Uses: ptr(2)}, commands.Maker{RoomID: direct, Recipient: "Grandma", Note: "chess club"})
	w.look()
	w.hears(0)
	w.register("@clara:x", "abcd")
	w.look()
	heard := w.hear("abcd", "probably @clara:x", "1 use left", "for Grandma", "note: chess club")
	if heard.room != direct || heard.mention != anna {
		t.Errorf("it was told in %s to %s", heard.room, heard.mention)
	}
	users, err := w.db.Users(t.Context(), "abcd")
	must(t, err)
	if len(users) != 1 || users[0].ID != "@clara:x" || users[0].Certain {
		t.Errorf("known of the newcomers: %+v", users)
	}
	w.look()
	w.restart()
	w.look()
	w.hears(0)
}

func TestUsesBetweenTwoLooksAreOneMessage(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.register("@clara:x", "abcd")
	w.register("@dora:x", "abcd")
	w.look()
	w.hear("2 people", "probably @clara:x, @dora:x", "unlimited uses")
	if users, _ := w.db.Users(t.Context(), "abcd"); len(users) != 2 {
		t.Errorf("known of the newcomers: %+v", users)
	}
}

// What is not known is not claimed.
func TestNoMoreIsSaidThanIsKnown(t *testing.T) {
	for name, test := range map[string]struct {
		happens func(w *town)
		says    string
		not     string
	}{
		"an account was made in another way, too": {
			func(w *town) {
				w.register("@clara:x", "abcd")
				w.account("@other:x")
			},
			"one of these, whose accounts were made at that time: @clara:x, @other:x", "the times fit",
		},
		"many accounts were made": {
			func(w *town) {
				w.register("@clara:x", "abcd")
				for _, user := range []id.UserID{"@1:x", "@2:x", "@3:x", "@4:x", "@5:x"} {
					w.account(user)
				}
			},
			"the server does not say", "@clara:x",
		},
		"more people registered than the server lists": {
			func(w *town) {
				for i := range tokens.MostAccounts + 1 {
					w.register(id.UserID(fmt.Sprintf("@%d:x", i)), "abcd")
				}
				w.accounts = w.accounts[:tokens.MostAccounts]
			},
			"the server does not say", "@",
		},
		"another token was used as well": {
			func(w *town) {
				w.tokens["other"] = &tokens.Token{Text: "other"}
				w.look()
				w.register("@clara:x", "abcd")
				w.register("@other:x", "other")
			},
			"one of these", "the times fit",
		},
		"two tokens were used, and one account is gone": {
			func(w *town) {
				w.make(tokens.Token{Text: "other"}, commands.Maker{User: "@ben:x"})
				w.register("@clara:x", "abcd")
				w.register("@other:x", "other")
				w.accounts = w.accounts[1:]
			},
			"the server does not say", "@",
		},
		"the account is gone": {
			func(w *town) {
				w.register("@clara:x", "abcd")
				w.accounts = nil
			},
			"the server does not say", "@",
		},
		"somebody registered just before": {
			func(w *town) {
				w.account("@before:x")
				w.look()
				w.register("@clara:x", "abcd")
			},
			"probably @clara:x: the server does not say it, but the times fit", "@before:x",
		},
		"a kind of server without a list of accounts": {
			func(w *town) {
				w.kind = tokens.KindDendrite
				w.register("@clara:x", "abcd")
			},
			"the server does not say", "@",
		},
		"MAS": {
			func(w *town) {
				w.kind = tokens.KindMAS
				w.register("@clara:x", "abcd")
			},
			"probably @clara:x: the server does not say it, but the times fit", "one of these",
		},
		"MAS, where only the last one is known": {
			func(w *town) {
				w.kind = tokens.KindMAS
				w.register("@clara:x", "abcd")
				w.register("@dora:x", "abcd")
			},
			"among them probably @dora:x", "@clara:x",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
			w.look()
			test.happens(w)
			w.look()
			heard := w.hear(test.says)
			heard.without(w, test.not)
			users, err := w.db.Users(t.Context(), "abcd")
			must(t, err)
			if probable := strings.Contains(heard.text.Plain, "probably @"); probable != (len(users) > 0) {
				t.Errorf("kept of the newcomers: %+v", users)
			}
		})
	}
}

// Two tokens are used in two looks, within the same second.
func TestNobodyIsNamedTwice(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.make(tokens.Token{Text: "efgh"}, commands.Maker{})
	w.register("@clara:x", "abcd")
	must(t, w.watcher.Round(t.Context()))
	w.hear("probably @clara:x")
	w.register("@dora:x", "efgh")
	w.look()
	w.hear("probably @dora:x").without(w, "@clara:x")
}

// Before the first look nothing is known but when the tokens were made.
func TestWhoRegistersBeforeTheFirstLookIsNamed(t *testing.T) {
	w := newTown(t)
	must(t, w.db.PutSetting(t.Context(), "news_looked", ""))
	w.restart()
	w.account("@before:x")
	w.now = w.now.Add(time.Minute)
	w.make(tokens.Token{Text: "early"}, commands.Maker{})
	w.register("@clara:x", "early")
	w.look()
	w.hear("early", "probably @clara:x").without(w, "@before:x")
	must(t, w.db.PutSetting(t.Context(), "news_looked", ""))
	w.register("@dora:x", "early")
	w.now = w.now.Add(time.Minute)
	w.make(tokens.Token{Text: "late"}, commands.Maker{})
	w.register("@emil:x", "late")
	w.look()
	w.hear("one of these, whose accounts were made at that time: @dora:x, @emil:x").without(w, "@clara:x", "@before:x")
}

func TestTheBotItselfIsNoNewcomer(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.account(bot)
	w.register("@clara:x", "abcd")
	w.look()
	w.hear("probably @clara:x: ").without(w, bot.String())
}

func TestWhatHappenedBeforeTheFirstLookIsNoNews(t *testing.T) {
	w := newTown(t)
	ago := w.now.Add(-time.Hour)
	for text, token := range map[string]tokens.Token{"used": {Completed: 3}, "expired": {Expires: &ago}, "endless": {}} {
		token.Text = text
		w.make(token, commands.Maker{At: ago})
		must(t, w.db.SaveSeen(t.Context(), text, news.Seen{Completed: news.NotLooked}))
	}
	w.restart()
	w.look()
	w.hears(0)
	w.register("@clara:x", "used")
	w.look()
	w.hear("Somebody registered", "@clara:x")
}

func TestTokensMadeElsewhereAreNewsForTheAdminsOnly(t *testing.T) {
	w := newTown(t)
	w.settings.Room = admins
	w.rooms = append(w.rooms, news.Room{ID: admins, People: []id.UserID{bot, anna, "@ben:x"}, Encrypted: true})
	w.tokens["curl"] = &tokens.Token{Text: "curl", Completed: 5}
	w.restart()
	w.look()
	w.hears(0)
	w.register("@clara:x", "curl")
	w.look()
	if heard := w.hear("Somebody registered with a token:", "curl", "@clara:x", "made elsewhere"); heard.room != admins || heard.mention != "" {
		t.Errorf("it was told in %s to %q", heard.room, heard.mention)
	}
}

// Their texts are nobody's business here.
func TestTokensMadeElsewhereAreNotKeptWithoutARoomForThem(t *testing.T) {
	w := newTown(t)
	w.tokens["curl"] = &tokens.Token{Text: "curl"}
	for room, want := range map[id.RoomID]int{admins: 1, "": 0} {
		w.settings.Room = room
		w.restart()
		w.look()
		if seen, err := w.db.Seen(t.Context()); err != nil || len(seen) != want {
			t.Errorf("with the room %q: seen %v, %v", room, seen, err)
		}
	}
}

func TestTheAdminsHearOfEverything(t *testing.T) {
	w := newTown(t)
	w.settings.Room = admins
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.register("@clara:x", "abcd")
	w.now = w.now.Add(time.Minute)
	if err := w.watcher.Round(t.Context()); err == nil {
		t.Error("the bot is not in the room, and nothing says so")
	}
	w.hear("of yours")

	w.rooms = append(w.rooms, news.Room{ID: admins, People: []id.UserID{bot, anna, "@ben:x"}})
	w.look()
	w.hear("made by @anna:x", "@clara:x").without(w, "abcd") // in a room without encryption
}

func TestTokensThatGoAwayAreNoNews(t *testing.T) {
	w := newTown(t)
	for _, text := range []string{"deleted", "elsewhere", "revoked", "away"} {
		w.make(tokens.Token{Text: text, Expires: ptr(w.now.Add(time.Hour))}, commands.Maker{})
		w.register(id.UserID("@"+text+":x"), text)
	}
	w.look()
	w.hears(1)

	must(t, w.db.Forget(t.Context(), "deleted"))
	delete(w.tokens, "deleted")
	delete(w.tokens, "elsewhere")
	w.tokens["revoked"].Revoked = true
	away := w.tokens["away"]
	delete(w.tokens, "away")
	w.look()
	w.tokens["away"] = away
	w.now = w.now.Add(2 * time.Hour)
	w.look()

	// Made anew under the same names, through the bot and elsewhere.
	w.make(tokens.Token{Text: "elsewhere"}, commands.Maker{})
	w.tokens["deleted"] = &tokens.Token{Text: "deleted", Completed: 1}
	w.look()
	w.hears(0)
	w.register("@clara:x", "elsewhere")
	w.look()
	w.hear("elsewhere", "@clara:x")
}

func TestATokenThatExpiresUnusedIsToldOnce(t *testing.T) {
	w := newTown(t)
	soon := w.now.Add(10 * time.Minute)
	w.make(tokens.Token{Text: "unused", Expires: &soon}, commands.Maker{Note: "chess club"})
	w.make(tokens.Token{Text: "used", Expires: &soon}, commands.Maker{})
	w.make(tokens.Token{Text: "begun", Expires: &soon, Pending: 1}, commands.Maker{})
	w.register("@clara:x", "used")
	w.look()
	w.hear("used", "@clara:x")

	w.now = soon
	w.look()
	w.hear("expired", "unused", "chess club", "1 minute ago").without(w, "begun")
	w.look()
	w.restart()
	w.look()
	w.hears(0)

	w.tokens["begun"].Pending = 0
	w.look()
	w.hear("expired", "begun")

	w.tokens["unused"].Expires = ptr(w.now.Add(time.Hour)) // brought back
	w.now = w.now.Add(10 * time.Minute)
	w.look()
	w.hears(0)
	w.now = w.now.Add(time.Hour)
	w.look()
	w.hear("expired", "unused")
}

func TestATokenWithoutEndIsRememberedOnceAMonth(t *testing.T) {
	const day = 24 * time.Hour
	w := newTown(t)
	w.make(tokens.Token{Text: "endless"}, commands.Maker{})
	w.make(tokens.Token{Text: "ends", Expires: ptr(w.now.Add(365 * day))}, commands.Maker{})
	w.make(tokens.Token{Text: "empty", Uses: ptr(0)}, commands.Maker{})
	w.look()
	w.now = w.now.Add(29 * day)
	w.look()
	w.hears(0)
	for range 2 {
		w.now = w.now.Add(day)
		w.look()
		w.hear("endless", "never expires").without(w, "ends\n", "empty")
		w.restart()
		w.now = w.now.Add(29 * day)
		w.look()
		w.hears(0)
	}
}

func TestWhereNewsIsTold(t *testing.T) {
	const (
		group = id.RoomID("!group:x")
		plain = id.RoomID("!plain:x")
	)
	made := commands.Maker{RoomID: group}
	for name, test := range map[string]struct {
		rooms []news.Room
		made  id.RoomID
		only  bool // encrypted rooms only
		want  id.RoomID
		codes bool
	}{
		"the direct chat where it was made": {
			[]news.Room{{ID: admins, People: []id.UserID{bot, anna}}, {ID: plain, People: []id.UserID{bot, anna}}},
			plain, false, plain, true,
		},
		"the encrypted direct chat where it was made": {
			[]news.Room{{ID: admins, People: []id.UserID{bot, anna}, Encrypted: true}, {ID: direct, People: []id.UserID{bot, anna}, Encrypted: true}},
			direct, false, direct, true,
		},
		"an encrypted one rather than the one where it was made": {
			[]news.Room{{ID: direct, People: []id.UserID{bot, anna}, Encrypted: true}, {ID: plain, People: []id.UserID{bot, anna}}},
			plain, false, direct, true,
		},
		"an encrypted one rather than another": {
			[]news.Room{{ID: plain, People: []id.UserID{bot, anna}}, {ID: direct, People: []id.UserID{bot, anna}, Encrypted: true}},
			group, false, direct, true,
		},
		"a direct chat rather than the group": {
			[]news.Room{{ID: group, People: []id.UserID{bot, anna, "@ben:x"}, Encrypted: true}, {ID: plain, People: []id.UserID{anna, bot}}},
			group, false, plain, true,
		},
		"the group where it was made, without the token": {
			[]news.Room{{ID: group, People: []id.UserID{bot, anna, "@ben:x"}, Encrypted: true}},
			group, false, group, false,
		},
		"not another group": {
			[]news.Room{{ID: admins, People: []id.UserID{bot, anna, "@ben:x"}, Encrypted: true}},
			group, false, "", false,
		},
		"not the group that its maker has left": {
			[]news.Room{{ID: group, People: []id.UserID{bot, "@ben:x", "@clara:x"}}, {ID: direct, People: []id.UserID{bot, "@ben:x"}}},
			group, false, "", false,
		},
		"not where the bot can't say anything": {
			[]news.Room{{ID: direct, People: []id.UserID{bot, anna}, Encrypted: true, Mute: true}},
			direct, false, "", false,
		},
		"not without encryption if that is required": {
			[]news.Room{{ID: plain, People: []id.UserID{bot, anna}}},
			plain, true, "", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.rooms, w.settings.EncryptedOnly = test.rooms, test.only
			made.RoomID = test.made
			w.make(tokens.Token{Text: "abcd"}, made)
			w.register("@new:x", "abcd")
			w.look()
			if test.want == "" {
				w.hears(0)
				w.rooms = []news.Room{{ID: direct, People: []id.UserID{bot, anna}, Encrypted: true}}
				w.restart()
				w.look()
				w.hear("abcd", "@new:x") // it has waited
				return
			}
			heard := w.hear("@new:x")
			if heard.room != test.want || heard.mention != anna {
				t.Errorf("it was told in %s to %s", heard.room, heard.mention)
			}
			if test.codes {
				heard.without(w, "direct chat")
			} else {
				heard.without(w, "abcd")
			}
		})
	}
}

func TestNewsOfATokenThatIsDeletedMeanwhileDoesNotNameIt(t *testing.T) {
	w := newTown(t)
	rooms := w.rooms
	w.rooms = nil
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{Note: "chess club"})
	w.register("@clara:x", "abcd")
	w.look()
	must(t, w.db.Forget(t.Context(), "abcd"))
	delete(w.tokens, "abcd")
	w.rooms = rooms
	w.look()
	w.hear("deleted by now", "chess club", "@clara:x").without(w, "abcd")
}

func TestATokenThatIsDeletedDuringALookIsNotKept(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{Note: "chess club"})
	w.register("@clara:x", "abcd")
	w.meanwhile = func() { must(t, w.db.Forget(t.Context(), "abcd")) }
	w.look()
	w.hear("deleted by now", "chess club", "@clara:x").without(w, "abcd")
	if seen, err := w.db.Seen(t.Context()); err != nil || len(seen) > 0 {
		t.Errorf("it is kept as seen: %v, %v", seen, err)
	}
	if users, err := w.db.Users(t.Context(), "abcd"); err != nil || len(users) > 0 {
		t.Errorf("it is kept with its users: %v, %v", users, err)
	}
}

func TestWhoWantsNoNewsHearsNone(t *testing.T) {
	for name, change := range map[string]func(w *town){
		"notify off": func(w *town) { must(t, w.db.SavePerson(t.Context(), anna, commands.Person{Notify: false})) },
		"no role":    func(w *town) { w.none[anna] = true },
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
			w.register("@clara:x", "abcd")
			change(w)
			w.look()
			w.hears(0)
			if users, _ := w.db.Users(t.Context(), "abcd"); len(users) != 1 {
				t.Errorf("show would not know the newcomer: %+v", users)
			}
			must(t, w.db.SavePerson(t.Context(), anna, commands.NewPerson()))
			w.none[anna] = false
			w.look()
			w.hears(0) // of what is past
		})
	}
}

func TestNewsIsToldOnceThoughTheDatabaseOrTheChatFail(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.look()
	w.register("@clara:x", "abcd")

	w.spoiled = true
	if err := w.watcher.Round(t.Context()); err == nil {
		t.Fatal("the commit did not fail")
	}
	w.spoiled = false
	w.restart()
	w.deaf = errors.New("deaf")
	if err := w.watcher.Round(t.Context()); err == nil {
		t.Fatal("telling did not fail")
	}
	w.deaf = nil
	w.restart()
	w.look()
	w.hear("abcd", "probably @clara:x")
	w.look()
	w.hears(0)
}

func TestAnAbsentServerDelaysTheNews(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.look()
	w.register("@clara:x", "abcd")
	w.away = &tokens.Error{Kind: tokens.ErrUnreachable}
	if err := w.watcher.Round(t.Context()); !errors.Is(err, tokens.ErrUnreachable) {
		t.Errorf("the round ended with %v", err)
	}
	w.away = nil
	w.look()
	w.hear("probably @clara:x")
}

func TestWhatWaitsIsToldWhileTheServerIsAway(t *testing.T) {
	w := newTown(t)
	w.make(tokens.Token{Text: "abcd"}, commands.Maker{})
	w.register("@clara:x", "abcd")
	w.notYet = true
	w.look()
	w.hears(0)

	w.away = &tokens.Error{Kind: tokens.ErrUnreachable}
	w.now = w.now.Add(time.Minute)
	if err := w.watcher.Round(t.Context()); !errors.Is(err, tokens.ErrUnreachable) {
		t.Errorf("without the chat the round ended with %v", err)
	}
	w.notYet = false
	if err := w.watcher.Round(t.Context()); !errors.Is(err, tokens.ErrUnreachable) {
		t.Errorf("the round ended with %v", err)
	}
	w.hear("abcd", "@clara:x")
}

func TestTheServerIsAskedLessWhileNothingIsOpen(t *testing.T) {
	w := newTown(t)
	asked := func(rounds int) int {
		before := w.lists
		for range rounds {
			w.look()
		}
		return w.lists - before
	}
	if n := asked(100); n != 10 {
		t.Errorf("with no token it was asked %d times in 100 rounds, want 10", n)
	}
	w.tokens["curl"] = &tokens.Token{Text: "curl"}
	if n := asked(100); n != 10 {
		t.Errorf("with a token of somebody else it was asked %d times in 100 rounds, want 10", n)
	}
	w.make(tokens.Token{Text: "abcd", Uses: ptr(1)}, commands.Maker{})
	if n := asked(100); n != 100 {
		t.Errorf("with an open token it was asked %d times in 100 rounds", n)
	}
	w.register("@clara:x", "abcd")
	if n := asked(101); n != 11 {
		t.Errorf("once it was used the server was asked %d times in 101 rounds, want 11", n)
	}
	w.hears(1)
}

func TestALotOfNewsIsToldInFewMessagesAndLeavesNothingOut(t *testing.T) {
	for name, test := range map[string]struct {
		note     string
		messages int
	}{
		"short": {"chess club", 2},
		"long":  {strings.Repeat("n", 3000), 9}, // twice each, as plain text and HTML
	} {
		t.Run(name, func(t *testing.T) {
			w := newTown(t)
			soon := w.now.Add(time.Minute)
			var made []string
			for i := range 25 {
				made = append(made, string(rune('a'+i))+"-token")
				w.make(tokens.Token{Text: made[i], Expires: &soon}, commands.Maker{Note: test.note})
			}
			w.look()
			w.look()
			told := ""
			for _, heard := range w.hears(test.messages) {
				told += heard.text.Plain
				if size := len(heard.text.Plain) + len(heard.text.HTML); size > 21<<10 {
					t.Errorf("a message has %d bytes", size)
				}
			}
			for _, token := range made {
				if n := strings.Count(told, token); n != 1 {
					t.Errorf("%s was told %d times", token, n)
				}
			}
		})
	}
}

// What is told is told, though telling the rest has failed.
func TestALotOfNewsIsCommittedMessageByMessage(t *testing.T) {
	w := newTown(t)
	soon := w.now.Add(time.Minute)
	for i := range 25 {
		w.make(tokens.Token{Text: string(rune('a'+i)) + "-token", Expires: &soon}, commands.Maker{})
	}
	w.look()
	w.deafAfter, w.deaf = 1, errors.New("deaf")
	w.now = w.now.Add(time.Minute)
	if err := w.watcher.Round(t.Context()); err == nil {
		t.Fatal("telling did not fail")
	}
	first := w.hears(1)[0]
	w.deaf = nil
	w.look()
	rest := w.hears(1)[0]
	if n, m := strings.Count(first.text.Plain, "-token"), strings.Count(rest.text.Plain, "-token"); n != 20 || m != 5 {
		t.Errorf("it told of %d tokens, then of %d", n, m)
	}
}

func TestNewsIsToldInEachOnesLanguageAndInTheZoneOfTheConfig(t *testing.T) {
	w := newTown(t)
	w.settings.Zone = time.FixedZone("CET", 3600)
	for language, says := range map[string]string{"de": "Eins deiner Tokens ist abgelaufen", "": "A token of yours has expired"} {
		must(t, w.db.SavePerson(t.Context(), anna, commands.Person{Language: language, Notify: true}))
		w.make(tokens.Token{Text: "token" + language, Expires: ptr(w.now)}, commands.Maker{})
		w.look()
		w.hear(says, w.now.Add(-time.Minute).In(w.settings.Zone).Format("15:04 MST"))
	}
}
