package commands

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rs/zerolog"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/tokens"
)

// Options are what a Dispatcher works with.
type Options struct {
	Server   tokens.Server
	Store    Store
	Settings func() Settings // read at each command
	Catalog  *locale.Catalog
	Bot      id.UserID
	Now      func() time.Time
	Log      zerolog.Logger

	// Observe hears of each command when its answer is committed; nil = nobody does.
	Observe func(command, result string, took time.Duration)
}

// Dispatcher answers what people say to the bot.
type Dispatcher struct {
	Options
	table    table
	patience patience
	turns    turns
}

// Finish is the rest of a command: what has to be committed together with its
// answer. Its context carries that transaction. It can be called again when
// the commit failed.
type Finish func(ctx context.Context) (Reply, error)

// New builds the command table. It panics if a name is taken twice, which only a
// programmer can do.
func New(options Options) *Dispatcher {
	return &Dispatcher{
		Options:  options,
		table:    newTable(all(), options.Catalog),
		patience: patience{limit: time.Minute, pause: time.Second},
	}
}

// Decide returns a person's role and why it is so.
func (d *Dispatcher) Decide(ctx context.Context, user id.UserID) (access.Decision, error) {
	list, err := d.Store.AllowList(ctx)
	if err != nil {
		return access.Decision{}, fmt.Errorf("reading the allow-list: %w", err)
	}
	decision := access.Decide(user, d.Settings().Permissions, list)
	for _, broken := range decision.Broken {
		d.Log.Warn().Err(broken.Err).Str("pattern", broken.Pattern).Bool("config", broken.FromConfig).Msg("An entry matches nobody because it can't be read")
	}
	return decision, nil
}

// Handle does all that must happen before the answer can be committed,
// effects on the server included. A message that is not addressed to the bot
// gives a Finish with an empty Reply. After an error Handle can be called again
// with the same message, and finishes what has been begun; after ErrUnsettled
// it must be.
func (d *Dispatcher) Handle(ctx context.Context, m Message) (finish Finish, err error) {
	r := d.request(m)
	defer r.barrier(&err)
	defer r.endTurns()

	plan, begun, err := d.Store.Plan(ctx, m.EventID)
	if err != nil {
		return nil, fmt.Errorf("looking for a plan: %w", err)
	}
	if begun {
		return d.resume(ctx, r, plan)
	}
	if err := d.admit(ctx, r); errors.Is(err, errUnaddressed) {
		return unread, nil
	} else if err != nil {
		return d.answer(ctx, r, Reply{}, err)
	}
	if r.Command.Stored {
		return d.finish(r, r.Command.Run), nil
	}
	reply, err := r.Command.Run(ctx, r)
	if err != nil || len(reply.Steps) == 0 {
		return d.answer(ctx, r, reply, err)
	}
	return d.carryOut(ctx, r, reply.Steps)
}

// unread is the Finish of what was not meant for the bot.
func unread(context.Context) (Reply, error) { return Reply{}, nil }

func (d *Dispatcher) request(m Message) *Request {
	settings := d.Settings()
	return &Request{
		Message:  m,
		Settings: settings,
		Now:      d.Now().In(settings.zone()),
		Bot:      d.Bot,
		Server:   patientLookup{d.Server, d.patience},

		abilities: func() tokens.Abilities { return tokens.AbilitiesOf(d.Server) },

		Store:    d.Store,
		Log:      d.Log.With().Stringer("event", m.EventID).Stringer("sender", m.Sender).Logger(),
		table:    d.table,
		catalog:  d.Catalog,
		language: d.Catalog.Language(settings.Language),
		turns:    &d.turns,
		began:    time.Now(),
		outcome:  "answered",
	}
}

// identify finds out the person's role, and what they have set for themselves.
func (d *Dispatcher) identify(ctx context.Context, r *Request) error {
	decision, err := d.Decide(ctx, r.Sender)
	if err != nil {
		return err
	}
	r.Role, r.Reasons = decision.Role, decision.Reasons
	if r.Person, err = d.Store.Person(ctx, r.Sender); err != nil {
		return fmt.Errorf("reading the person's settings: %w", err)
	}
	r.speak(r.Person.Language)
	return nil
}

// resume goes on with a plan that was committed in an earlier run. Access and
// limits were checked then.
func (d *Dispatcher) resume(ctx context.Context, r *Request, plan Plan) (Finish, error) {
	if r.Command = d.table.find(plan.Command); r.Command == nil || r.Command.Report == nil {
		return nil, fmt.Errorf("there is a plan of an unknown command %q", plan.Command)
	}
	if err := d.identify(ctx, r); err != nil {
		return nil, err
	}
	// Whoever counts this person's tokens must not see them half made.
	if err := r.takeTurn(ctx, r.Sender.String()); err != nil {
		return nil, err
	}
	return d.execute(ctx, r, plan, true)
}

// carryOut commits what shall happen, then makes it happen. If nothing can be
// tried at all, there is nothing to commit before the answer.
func (d *Dispatcher) carryOut(ctx context.Context, r *Request, steps []Step) (Finish, error) {
	plan := Plan{Event: r.EventID, Command: r.Command.Name, Steps: steps}
	if !plan.open() {
		return d.report(r, plan), nil
	}
	err := d.Store.Transact(ctx, func(ctx context.Context) error {
		if err := d.Store.SavePlan(ctx, plan); err != nil {
			return fmt.Errorf("storing the plan: %w", err)
		}
		for _, step := range steps {
			if step.Kind != StepCreate || step.State != StepPlanned {
				continue
			}
			// Now, not when it is made: from here on it counts against limits.
			if err := d.Store.SaveMade(ctx, step.Token, *step.Maker); err != nil {
				return fmt.Errorf("noting the maker: %w", err)
			}
		}
		return r.commit(ctx)
	})
	if err != nil {
		return nil, err
	}
	r.also = nil
	return d.execute(ctx, r, plan, false)
}

func (d *Dispatcher) execute(ctx context.Context, r *Request, plan Plan, resumed bool) (Finish, error) {
	ledger := ledger{server: d.Server, store: d.Store, log: r.Log, patience: d.patience}
	if err := ledger.carryOut(ctx, &plan, resumed); err != nil {
		return nil, err
	}
	return d.report(r, plan), nil
}

// report finishes a command whose steps have ended.
func (d *Dispatcher) report(r *Request, plan Plan) Finish {
	return d.finish(r, func(ctx context.Context, r *Request) (Reply, error) {
		reply, err := r.Command.Report(ctx, r, plan.Steps)
		if err != nil {
			return Reply{}, err
		}
		for _, step := range plan.Steps {
			if err := r.conclude(ctx, step); err != nil {
				return Reply{}, err
			}
		}
		return reply, nil
	})
}

// answer finishes a command that has nothing left to do but to answer.
func (d *Dispatcher) answer(ctx context.Context, r *Request, reply Reply, err error) (Finish, error) {
	if err != nil && ctx.Err() != nil {
		return nil, err // a server that "does not answer" because we are stopping
	}
	if err != nil {
		if reply, err = r.excuse(err); err != nil {
			return nil, err
		}
	}
	return d.finish(r, func(context.Context, *Request) (Reply, error) { return reply, nil }), nil
}

// finish makes a Finish of the last part of a command.
func (d *Dispatcher) finish(r *Request, last Handler) Finish {
	return func(ctx context.Context) (reply Reply, err error) {
		r := *r // what a failed commit left behind is not there the next time
		defer r.barrier(&err)
		if reply, err = last(ctx, &r); err != nil {
			if reply, err = r.excuse(err); err != nil {
				return Reply{}, err
			}
		}
		if reply.Question != nil {
			if err := d.Store.SaveQuestion(ctx, *reply.Question); err != nil {
				return Reply{}, fmt.Errorf("storing the question: %w", err)
			}
		}
		if err := r.commit(ctx); err != nil {
			return Reply{}, err
		}
		for _, record := range r.records {
			if err := d.Store.Audit(ctx, record); err != nil {
				return Reply{}, fmt.Errorf("writing the audit: %w", err)
			}
		}
		if r.limits().PerMinute > 0 {
			if err := d.Store.MarkCommand(ctx, r.EventID); err != nil {
				return Reply{}, fmt.Errorf("counting the command: %w", err)
			}
		}
		reply.Committed = func() { d.tellDone(&r) }
		return reply, nil
	}
}

// barrier makes an error of a panic, so that one broken command ends neither
// the program nor the room.
func (r *Request) barrier(err *error) {
	if p := recover(); p != nil {
		r.Log.Error().Str("command", r.name()).Bytes("stack", debug.Stack()).Msg("A command panicked")
		*err = fmt.Errorf("command %s panicked: %v", r.name(), p)
	}
}

// tellDone writes the one line that each command leaves in the log: who, what,
// how it ended and how long it took, never what else they wrote.
func (d *Dispatcher) tellDone(r *Request) {
	took := time.Since(r.began)
	r.Log.Info().Str("command", r.name()).Str("result", r.outcome).Dur("took_ms", took).Msg("Answered a command")
	if d.Observe != nil {
		d.Observe(r.name(), r.outcome, took)
	}
}
