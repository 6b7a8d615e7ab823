package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"go.mau.fi/util/dbutil"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/commands"
)

// Plan implements commands.Store.
func (d *DB) Plan(ctx context.Context, event id.EventID) (commands.Plan, bool, error) {
	plan := commands.Plan{Event: event}
	command, ok, err := first(ctx, d, "reading a plan", scanOne[string], `SELECT command FROM plans WHERE event_id=$1`, event)
	if err != nil || !ok {
		return plan, false, err
	}
	plan.Command = command
	plan.Steps, err = query(ctx, d, "reading the steps of a plan", func(row dbutil.Scannable) (step commands.Step, err error) {
		var body []byte
		if err = row.Scan(&body); err == nil {
			err = json.Unmarshal(body, &step)
		}
		return step, err
	}, `SELECT body FROM steps WHERE event_id=$1 ORDER BY n`, event)
	return plan, err == nil, err
}

// SavePlan implements commands.Store.
func (d *DB) SavePlan(ctx context.Context, plan commands.Plan) error {
	return d.Transact(ctx, func(ctx context.Context) error {
		err := d.exec(ctx, "saving a plan", `INSERT INTO plans (event_id, command, created_at) VALUES ($1, $2, $3)`,
			plan.Event, plan.Command, d.millis())
		if err != nil {
			return err
		}
		for n, step := range plan.Steps {
			body, err := json.Marshal(step)
			if err != nil {
				return fmt.Errorf("saving a step: %w", err)
			}
			err = d.exec(ctx, "saving a step", `INSERT INTO steps (event_id, n, token, body) VALUES ($1, $2, $3, $4)`,
				plan.Event, n, step.Token, body)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SaveStep implements commands.Store.
func (d *DB) SaveStep(ctx context.Context, event id.EventID, n int, step commands.Step) error {
	body, err := json.Marshal(step)
	if err != nil {
		return fmt.Errorf("saving a step: %w", err)
	}
	return d.exec(ctx, "saving a step", `UPDATE steps SET token=$3, body=$4 WHERE event_id=$1 AND n=$2`, event, n, step.Token, body)
}

// Created implements commands.Store. What was planned by a clock that was ahead
// does not count.
func (d *DB) Created(ctx context.Context, user id.UserID, command string, since time.Time) ([]time.Time, error) {
	type created struct {
		at   time.Time
		step commands.Step
	}
	steps, err := query(ctx, d, "counting what a person created", func(row dbutil.Scannable) (c created, err error) {
		var at int64
		var body []byte
		if err = row.Scan(&at, &body); err == nil {
			err = json.Unmarshal(body, &c.step)
		}
		c.at = time.UnixMilli(at)
		return c, err
	}, `SELECT p.created_at, s.body FROM plans p JOIN inbox i ON i.event_id=p.event_id JOIN steps s ON s.event_id=p.event_id
		WHERE p.created_at BETWEEN $1 AND $2 AND p.command=$3 AND i.sender=$4 ORDER BY p.created_at`,
		since.UnixMilli(), d.millis(), command, user)
	var times []time.Time
	for _, c := range steps {
		if c.step.Kind == commands.StepCreate && c.step.State != commands.StepFailed {
			times = append(times, c.at)
		}
	}
	return times, err
}

// Forget implements commands.Store.
func (d *DB) Forget(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	return d.Transact(ctx, func(ctx context.Context) error {
		type place struct {
			event id.EventID
			n     int
			step  commands.Step
		}
		places, err := query(ctx, d, "finding a token in the ledger", func(row dbutil.Scannable) (p place, err error) {
			var body []byte
			if err = row.Scan(&p.event, &p.n, &body); err == nil {
				err = json.Unmarshal(body, &p.step)
			}
			return p, err
		}, `SELECT event_id, n, body FROM steps WHERE token=$1`, token)
		if err != nil {
			return err
		}
		for _, p := range places {
			bare := commands.Step{Kind: p.step.Kind, Drawn: p.step.Drawn, State: p.step.State, Failure: p.step.Failure}
			if err := d.SaveStep(ctx, p.event, p.n, bare); err != nil {
				return err
			}
		}
		if err := d.exec(ctx, "forgetting who used a token", `DELETE FROM newcomers WHERE token=$1`, token); err != nil {
			return err
		}
		if err := d.exec(ctx, "forgetting a token's id", `DELETE FROM token_ids WHERE token=$1`, token); err != nil {
			return err
		}
		if err := d.forgetAskedAbout(ctx, token); err != nil {
			return err
		}
		if err := d.ForgetSeen(ctx, token); err != nil {
			return err
		}
		if err := d.exec(ctx, "forgetting a token in the news", `UPDATE news SET token='' WHERE token=$1`, token); err != nil {
			return err
		}
		return d.exec(ctx, "forgetting a token", `DELETE FROM made WHERE token=$1`, token)
	})
}
