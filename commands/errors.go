package commands

import (
	"errors"

	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// ErrUnsettled says that it could not be found out whether an effect has
// happened. The command must be handled again, until it succeeds.
var ErrUnsettled = errors.New("the outcome is not known yet")

var (
	// errUnaddressed: the message was not meant for the bot.
	errUnaddressed = errors.New("not addressed to the bot")
	// errSilence ends a command that gets no answer.
	errSilence = errors.New("no answer")
)

// sentence is an error with two faces: it ends a command, and the person reads
// its text.
type sentence struct {
	text    locale.Text
	outcome string
}

func (s *sentence) Error() string { return s.outcome }

// mistake ends a command that could not be understood.
func (r *Request) mistake(key string, args locale.Args) error {
	return &sentence{text: r.text(key, args), outcome: "not understood"}
}

// refuse ends a command that the person may not give, and records that.
func (r *Request) refuse(key string, args locale.Args) error {
	r.record(refused, "")
	return &sentence{text: r.text(key, args), outcome: refused}
}

// excuse turns an error into what the person reads. An error that says nothing
// to people comes back.
func (r *Request) excuse(err error) (Reply, error) {
	var said *sentence
	switch {
	case errors.Is(err, errSilence):
		r.outcome = "no answer"
		return Reply{}, nil
	case errors.As(err, &said):
		r.outcome = said.outcome
		return say(said.text), nil
	}
	key := failureKey(err)
	if key == "" {
		return Reply{}, err
	}
	r.outcome = failed
	r.Log.Warn().Err(err).Msg("The server could not be asked")
	return say(r.failure(key, "")), nil
}

// failure is the sentence for a locale key from failureKey. {body} is that of
// the admin API call which makes the bot a server admin.
func (r *Request) failure(key, token string) locale.Text {
	return r.text(key, locale.Args{"token": excerpt(token), "body": `{"admin": true}`})
}

// failureKey is the locale key of the sentence that explains an error of the
// server to people and says what to do, "" for other errors.
func failureKey(err error) string {
	var failure *tokens.Error
	found := ""
	if errors.As(err, &failure) {
		found = failure.Found
	}
	switch {
	// What has a cure of its own comes before what it is a case of.
	case errors.Is(err, tokens.ErrRevoked):
		return failureRevoked
	case errors.Is(err, tokens.ErrNotRevoked):
		return "token.not_revoked"
	case errors.Is(err, tokens.ErrFixed):
		return "token.fixed"
	case errors.Is(err, tokens.ErrUnable):
		return "server.unable"
	case errors.Is(err, tokens.ErrNotKept):
		return "server.not_kept"
	case errors.Is(err, tokens.ErrTokensOff):
		return "server.tokens_off"
	case errors.Is(err, tokens.ErrNotAdminToken):
		return "server.not_admin_token"
	case errors.Is(err, tokens.ErrNotAdminClient):
		return "server.not_admin_client"
	case errors.Is(err, tokens.ErrBadClient):
		return "server.bad_client"
	case errors.Is(err, tokens.ErrNeedsCredentials):
		return "server.needs_" + found
	case errors.Is(err, tokens.ErrNoIssuer):
		return "server.no_issuer"
	case errors.Is(err, tokens.ErrNoAdminAPI):
		return "server.no_adminapi"
	case errors.Is(err, tokens.ErrHasNone):
		return "server.has_none"
	case errors.Is(err, tokens.ErrWrongKind):
		return "server.is_" + found

	case errors.Is(err, tokens.ErrNotFound):
		return "token.unknown"
	case errors.Is(err, tokens.ErrExists):
		return "token.exists"
	case errors.Is(err, tokens.ErrBadText):
		return "token.bad_text"
	case errors.Is(err, tokens.ErrNotAdmin):
		return "server.not_admin"
	case errors.Is(err, tokens.ErrNoAPI):
		return "server.no_api"
	case errors.Is(err, tokens.ErrBadCredentials):
		return "server.credentials"
	case errors.Is(err, tokens.ErrRefused):
		return "server.refused"
	case errors.Is(err, tokens.ErrRateLimited):
		return "server.slow_down"
	case errors.Is(err, tokens.ErrUnreachable), errors.Is(err, tokens.ErrUnknownOutcome):
		return "server.away"
	}
	return ""
}
