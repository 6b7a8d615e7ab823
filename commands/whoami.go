package commands

import (
	"context"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
)

func whoami() *Command {
	return &Command{Name: "whoami", Wordless: true, Run: describeSender}
}

func describeSender(ctx context.Context, r *Request) (Reply, error) {
	parts := []locale.Text{r.text("whoami.role", locale.Args{"user": r.Sender, "role": r.Role})}
	if len(r.Reasons) > 0 {
		parts = append(parts, locale.Lines(r.text("whoami.reasons", nil), r.reasons(r.Reasons)))
	} else {
		parts = append(parts, r.text("whoami.unnamed", nil))
	}
	if r.Role == access.None {
		parts = append(parts, r.text("access.ask", locale.Args{"ask": r.whomToAsk()}))
	}
	if r.Settings.Identity != nil {
		if device, fingerprint, master, ok := r.Settings.Identity(ctx); ok {
			if master == "" {
				parts = append(parts, r.text("whoami.unsigned", locale.Args{"device": device, "fingerprint": fingerprint}))
			} else {
				parts = append(parts, r.text("whoami.identity", locale.Args{"device": device, "fingerprint": fingerprint, "master": master}))
			}
		}
	}
	return say(locale.Paragraphs(parts...)), nil
}
