package commands

import (
	"context"
	"fmt"
	"time"

	"matrix-registration-bot/locale"
)

const (
	confirmWord = "confirm"
	cancelWord  = "cancel"

	// timeToConfirm is between the bot's question and the answer, by the time
	// stamps of both: the bot may have been away in between.
	timeToConfirm = 5 * time.Minute
)

func confirm() *Command {
	return &Command{Name: confirmWord, Aliases: []string{"yes"}, Hidden: true, Run: sayYes}
}

func cancel() *Command {
	return &Command{Name: cancelWord, Aliases: []string{"no"}, Hidden: true, Run: sayNo}
}

// sayYes goes on with the command that asked, as that command.
func sayYes(ctx context.Context, r *Request) (Reply, error) {
	if r.Reaction != nil && r.Settings.EncryptionRequired {
		return Reply{}, r.mistake("confirm.typed_only", nil) // reactions are never encrypted
	}
	if err := r.findQuestion(ctx); err != nil {
		return Reply{}, err
	}
	r.Command = r.table.find(r.Question.Command)
	if r.Command == nil || r.Command.Confirmed == nil {
		return Reply{}, fmt.Errorf("a question of command %q can't be confirmed", r.Question.Command)
	}
	if r.Role < r.Command.Role {
		return Reply{}, r.refuseRole()
	}
	if r.Command.Secret && r.overheard() { // somebody came in since
		return Reply{}, r.mistake("parse.overheard", nil)
	}
	if err := r.readWords(r.Question.Words); err != nil {
		return Reply{}, err
	}
	reply, err := r.Command.Confirmed(ctx, r)
	if err == nil {
		r.closeQuestion()
	}
	return reply, err
}

func sayNo(ctx context.Context, r *Request) (Reply, error) {
	if err := r.findQuestion(ctx); err != nil {
		return Reply{}, err
	}
	r.closeQuestion()
	return say(r.text("confirm.cancelled", nil)), nil
}

// findQuestion finds the question that the person answers: the one under their
// reaction, or the last one to them in this room. It must not be too old.
func (r *Request) findQuestion(ctx context.Context) error {
	if r.Question == nil {
		question, open, err := r.Store.LastQuestion(ctx, r.RoomID, r.Sender)
		if err != nil {
			return fmt.Errorf("reading the last question: %w", err)
		}
		if !open {
			return r.mistake("confirm.nothing", nil)
		}
		r.Question = &question
	}
	asked := r.Question.AskedAt
	if !asked.IsZero() && r.SentAt.Sub(asked) > timeToConfirm {
		r.closeQuestion()
		return r.mistake("confirm.late", locale.Args{"command": r.Question.Command})
	}
	return nil
}

func (r *Request) closeQuestion() {
	question := r.Question.ID
	r.commitAlso(func(ctx context.Context) error {
		if err := r.Store.CloseQuestion(ctx, question); err != nil {
			return fmt.Errorf("closing the question: %w", err)
		}
		return nil
	})
}

// askAgain asks whether the person really wants what their command says. If
// they do, it is read again.
func (r *Request) askAgain(key string, args locale.Args) Reply {
	reply := say(locale.Lines(r.text(key, args), r.howToConfirm()))
	reply.Question = &Question{ID: r.EventID, RoomID: r.RoomID, Asker: r.Sender, Command: r.Command.Name, Words: r.Words}
	return reply
}

// howToConfirm ends a question.
func (r *Request) howToConfirm() locale.Text {
	if r.Settings.EncryptionRequired {
		return r.text("confirm.how_typed", nil)
	}
	return r.text("confirm.how", nil)
}
