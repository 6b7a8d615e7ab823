package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
)

// A question's time is the one of the bot's message that asked it, which the
// outbox learns on delivery.
const questionColumns = `SELECT q.question_id, q.room_id, q.asker, q.command, q.tokens, q.words, COALESCE(o.sent_at, 0)
	FROM questions q LEFT JOIN outbox o ON o.cause=q.question_id AND o.question `

// SaveQuestion implements commands.Store.
func (d *DB) SaveQuestion(ctx context.Context, q commands.Question) error {
	tokens, err := json.Marshal(q.Tokens)
	if err != nil {
		return fmt.Errorf("saving a question: %w", err)
	}
	words, err := json.Marshal(q.Words)
	if err != nil {
		return fmt.Errorf("saving a question: %w", err)
	}
	return d.Transact(ctx, func(ctx context.Context) error {
		err := d.exec(ctx, "closing older questions", `UPDATE questions SET open=false, tokens=$3, words=$3 WHERE room_id=$1 AND asker=$2`,
			q.RoomID, q.Asker, []byte("[]"))
		if err != nil {
			return err
		}
		return d.exec(ctx, "saving a question", `
			INSERT INTO questions (question_id, room_id, asker, command, tokens, words, asked_on, open) VALUES ($1, $2, $3, $4, $5, $6, $7, true)`,
			q.ID, q.RoomID, q.Asker, q.Command, tokens, words, d.millis())
	})
}

// Question implements commands.Store.
func (d *DB) Question(ctx context.Context, question id.EventID) (commands.Question, bool, error) {
	return first(ctx, d, "reading a question", scanQuestion, questionColumns+`WHERE q.question_id=$1 AND q.open`, question)
}

// LastQuestion implements commands.Store.
func (d *DB) LastQuestion(ctx context.Context, room id.RoomID, asker id.UserID) (commands.Question, bool, error) {
	return first(ctx, d, "reading the last question", scanQuestion,
		questionColumns+`WHERE q.room_id=$1 AND q.asker=$2 AND q.open ORDER BY q.asked_on DESC LIMIT 1`, room, asker)
}

// CloseQuestion implements commands.Store.
func (d *DB) CloseQuestion(ctx context.Context, question id.EventID) error {
	return d.exec(ctx, "closing a question", `UPDATE questions SET open=false, tokens=$2, words=$2 WHERE question_id=$1`, question, []byte("[]"))
}

func scanQuestion(row dbutil.Scannable) (q commands.Question, err error) {
	var tokens, words []byte
	var askedAt int64
	if err = row.Scan(&q.ID, &q.RoomID, &q.Asker, &q.Command, &tokens, &words, &askedAt); err != nil {
		return q, err
	}
	if askedAt != 0 {
		q.AskedAt = time.UnixMilli(askedAt)
	}
	if err = json.Unmarshal(tokens, &q.Tokens); err != nil {
		return q, err
	}
	return q, json.Unmarshal(words, &q.Words)
}

// forgetAskedAbout takes a token out of the open questions, as if it had been
// gone when they were asked. Those that can't do without it are closed, and those
// about very many too: to take out one after the other would take too long.
func (d *DB) forgetAskedAbout(ctx context.Context, token string) error {
	const many = 100
	open, err := query(ctx, d, "finding a token in questions", scanQuestion, questionColumns+`WHERE q.open`)
	if err != nil {
		return err
	}
	for _, q := range open {
		n := slices.Index(q.Tokens, token)
		named := slices.ContainsFunc(q.Words, func(word string) bool { return word == token || strings.HasSuffix(word, "="+token) })
		switch {
		case named, n >= 0 && len(q.Tokens) > many:
			err = d.CloseQuestion(ctx, q.ID)
		case n >= 0:
			q.Tokens[n] = ""
			err = d.keepAskedAbout(ctx, q)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *DB) keepAskedAbout(ctx context.Context, q commands.Question) error {
	tokens, err := json.Marshal(q.Tokens)
	if err != nil {
		return fmt.Errorf("saving a question: %w", err)
	}
	return d.exec(ctx, "forgetting a token in a question", `UPDATE questions SET tokens=$2 WHERE question_id=$1`, q.ID, tokens)
}
