package tokens

import (
	"context"
	"net/http"
	"time"
)

// dendrite is the registration token API of Dendrite, which is Synapse's at
// another path and with oddities of its own
// (https://element-hq.github.io/dendrite/administration/adminapi).
type dendrite struct{ synapse }

const dendriteTokens = "/_dendrite/admin/registrationTokens"

// Abilities of Dendrite.
func (d *dendrite) Abilities() Abilities {
	return Abilities{Kind: KindDendrite, Pending: true, Unenforced: true}
}

// Create asks POST /registrationTokens/new.
func (d *dendrite) Create(ctx context.Context, spec Spec) (Token, error) {
	token, err := d.synapse.Create(ctx, spec)
	return token, d.forbidden(ctx, spec.Text, err, ErrTokensOff)
}

// Update asks PUT /registrationTokens/{token} and reads the token back: on
// SQLite, built with cgo, Dendrite says yes and changes nothing.
func (d *dendrite) Update(ctx context.Context, spec Spec) (Token, error) {
	if _, err := d.synapse.Update(ctx, spec); err != nil {
		return Token{}, err
	}
	token, err := d.Get(ctx, spec.Text)
	if err != nil {
		return Token{}, err
	}
	if !spec.Matches(token) {
		return Token{}, &Error{Kind: ErrNotKept, Op: "change token", Status: http.StatusOK}
	}
	return token, nil
}

// Delete asks DELETE /registrationTokens/{token}. It looks first, because
// Dendrite says yes to deleting what isn't there.
func (d *dendrite) Delete(ctx context.Context, text string) error {
	const op = "delete token"
	if _, err := d.Get(ctx, text); err != nil {
		return prepared(op, err)
	}
	return d.synapse.Delete(ctx, text)
}

// NewAccounts is nothing that Dendrite could be asked for.
func (*dendrite) NewAccounts(context.Context, time.Time) ([]Account, error) {
	return nil, &Error{Kind: ErrUnable, Op: "list accounts"}
}
