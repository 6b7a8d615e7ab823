package commands

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

const (
	usualRecords = 20
	mostRecords  = 200
)

func audit() *Command {
	return &Command{Name: "audit", Role: access.Admin, Secret: true, Run: showAudit}
}

func showAudit(ctx context.Context, r *Request) (Reply, error) {
	number, user := usualRecords, id.UserID("")
	for _, word := range r.Args {
		n, err := strconv.Atoi(word)
		_, _, notAUser := id.UserID(word).Parse()
		switch {
		case err == nil && n > 0 && n <= mostRecords:
			number = n
		case notAUser == nil:
			user = id.UserID(word)
		default:
			return Reply{}, r.mistake("audit.surplus", locale.Args{"word": excerpt(word), "most": mostRecords})
		}
	}
	records, err := r.Store.AuditRecords(ctx, user, number)
	if err != nil {
		return Reply{}, fmt.Errorf("reading the audit: %w", err)
	}
	if len(records) == 0 {
		return say(r.text("audit.none", nil)), nil
	}
	var lines []locale.Text
	for _, record := range records {
		lines = append(lines, r.recorded(record))
	}
	return listing(r.text("audit.head", locale.Args{"n": len(records)}), lines), nil
}

// recorded is a line of the audit.
func (r *Request) recorded(record AuditRecord) locale.Text {
	return locale.Join(" · ",
		r.language.Date(record.At.In(r.Now.Location())),
		locale.Join(" ", locale.Code(record.User.String()), locale.Text{Plain: record.Role.String()}),
		locale.Code(strings.TrimSpace(record.Command+" "+record.Subject)),
		r.text("audit."+record.Outcome, nil),
	)
}
