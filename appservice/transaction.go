package appservice

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// putTransaction takes in what the homeserver pushes: 200 once it is
// committed, 503 if that takes too long or fails, so that it is sent again.
//
// Nothing inside a transaction leads to an error, because the homeserver would
// send the oldest failed one for ever and nothing after it: what can't be read
// is set aside with its bytes. That holds for a body above the limit, too: the
// start is read like one that was cut off there, the rest is lost. (The limit
// is 20 times the largest transaction that Synapse can make, 100 events of
// 64 KiB.) Only a body that does not arrive whole or in time is refused: the
// next attempt may bring it.
//
// https://spec.matrix.org/v1.17/application-service-api/#put_matrixappv1transactionstxnid
func (s *Server) putTransaction(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	id := transactionID(pathValue(r, "txnId"))
	log := s.cfg.Log.With().Str("transaction", id).Logger()

	body, err := readBody(r, s.limits.body)
	if err != nil {
		log.Warn().Err(err).Msg("A transaction did not arrive whole; the homeserver will send it again")
		w.Header().Set("Connection", "close")
		refuse(w, http.StatusRequestTimeout, codeUnknown, "The body did not arrive whole or in time.")
		return
	}
	events, unreadable := s.parse(body)
	if err = s.accept(r.Context(), id, events, unreadable); err != nil {
		log.Warn().Err(err).Msg("A transaction could not be stored; the homeserver will send it again")
		refuse(w, http.StatusServiceUnavailable, codeUnknown, "The bot can't store anything at the moment.")
		return
	}
	if len(unreadable) > 0 {
		log.Warn().Int("pieces", len(unreadable)).Int("body_bytes", len(body)).Msg("Set aside what could not be read in a transaction")
	}
	log.Debug().Int("events", len(events)).Dur("duration", time.Since(started)).Msg("Took in a transaction")
	reply(w, http.StatusOK, struct{}{})
}

// accept commits what a transaction brought, if anything. A caller that hangs
// up does not undo it: it could not know whether the commit was done, and
// sends everything again.
func (s *Server) accept(ctx context.Context, id string, events []Event, unreadable [][]byte) error {
	if len(events) == 0 && len(unreadable) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.accept)
	defer cancel()
	if err := s.cfg.Inbox.Accept(ctx, id, events, unreadable); err != nil {
		return fmt.Errorf("committing %d events: %w", len(events), err)
	}
	return nil
}

// readBody returns the body, or its start if it is longer than the limit.
func readBody(r *http.Request, limit int64) (string, error) {
	var text strings.Builder
	if _, err := io.Copy(&text, io.LimitReader(r.Body, limit)); err != nil {
		return "", fmt.Errorf("reading the body: %w", err)
	}
	// A sender listens for the answer only when it has sent everything. How
	// that ends (at the latest with the time for reading) is all the same:
	// nothing of it is used.
	_, _ = io.Copy(io.Discard, r.Body)
	return text.String(), nil
}

// transactionID makes sure that an id can be stored. It only serves to find a
// transaction again; events are told apart by their own ids.
func transactionID(id string) string {
	if storable(id) {
		return id
	}
	id = url.PathEscape(id)
	return id[:min(len(id), maxIDBytes)]
}
