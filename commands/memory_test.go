package commands

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"

	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/tokens"
)

// memory is a Store in memory. Its transactions are undone when they fail.
type memory struct {
	turn   chan struct{} // full while a transaction runs
	rows   rows
	now    func() time.Time
	marked map[id.EventID]id.UserID // who sent which event, as in the inbox

	// at is called before every call and after every commit; a crash test
	// panics in it.
	at func()
}

// rows are what memory holds, and what a transaction that failed puts back.
type rows struct {
	Plans     map[id.EventID]Plan
	Planned   map[id.EventID]time.Time
	Made      map[string]Maker
	Users     map[string][]User
	People    map[id.UserID]Person
	Entries   []access.Entry
	Questions []Question
	Audit     []AuditRecord
	Marks     map[id.EventID]time.Time
	Settings  map[string]string
	Outbox    []Text // what Finish replied, committed with it
}

func newMemory() *memory {
	return &memory{
		turn: make(chan struct{}, 1),
		rows: rows{
			Plans: map[id.EventID]Plan{}, Planned: map[id.EventID]time.Time{}, Made: map[string]Maker{},
			Users: map[string][]User{}, People: map[id.UserID]Person{}, Marks: map[id.EventID]time.Time{}, Settings: map[string]string{},
		},
		now:    time.Now,
		marked: map[id.EventID]id.UserID{},
		at:     func() {},
	}
}

type transaction struct{}

func (m *memory) Transact(ctx context.Context, fn func(ctx context.Context) error) error {
	if ctx.Value(transaction{}) != nil {
		return fn(ctx)
	}
	m.turn <- struct{}{}
	before := copyOf(m.rows)
	committed := false
	defer func() {
		if !committed {
			m.rows = before
		}
		<-m.turn
	}()
	m.at()
	if err := fn(context.WithValue(ctx, transaction{}, true)); err != nil {
		return err
	}
	committed = true
	m.at()
	return nil
}

// copyOf goes through JSON, as steps do in a database.
func copyOf[T any](value T) (copied T) {
	raw, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(raw, &copied)
	}
	if err != nil {
		panic(err)
	}
	return copied
}

// do is one statement.
func (m *memory) do(ctx context.Context, change func(r *rows)) error {
	return m.Transact(ctx, func(ctx context.Context) error {
		change(&m.rows)
		return nil
	})
}

func (m *memory) Plan(ctx context.Context, event id.EventID) (plan Plan, ok bool, err error) {
	err = m.do(ctx, func(r *rows) { plan, ok = r.Plans[event]; plan = copyOf(plan) })
	return plan, ok, err
}

func (m *memory) SavePlan(ctx context.Context, plan Plan) error {
	return m.do(ctx, func(r *rows) { r.Plans[plan.Event], r.Planned[plan.Event] = copyOf(plan), m.now() })
}

func (m *memory) SaveStep(ctx context.Context, event id.EventID, n int, step Step) error {
	return m.do(ctx, func(r *rows) { r.Plans[event].Steps[n] = copyOf(step) })
}

func (m *memory) Made(ctx context.Context) (made map[string]Maker, err error) {
	err = m.do(ctx, func(r *rows) { made = maps.Clone(r.Made) })
	return made, err
}

func (m *memory) SaveMade(ctx context.Context, token string, maker Maker) error {
	return m.do(ctx, func(r *rows) { r.Made[token] = maker })
}

func (m *memory) Created(ctx context.Context, user id.UserID, command string, since time.Time) (times []time.Time, err error) {
	err = m.do(ctx, func(r *rows) {
		for event, plan := range r.Plans {
			for _, step := range plan.Steps {
				if plan.Command == command && m.marked[event] == user && !r.Planned[event].Before(since) && step.Kind == StepCreate && step.State != StepFailed {
					times = append(times, r.Planned[event])
				}
			}
		}
	})
	slices.SortFunc(times, time.Time.Compare)
	return times, err
}

func (m *memory) Users(ctx context.Context, token string) (users []User, err error) {
	err = m.do(ctx, func(r *rows) { users = slices.Clone(r.Users[token]) })
	return users, err
}

func (m *memory) Setting(ctx context.Context, name string) (value string, err error) {
	err = m.do(ctx, func(r *rows) { value = r.Settings[name] })
	return value, err
}

func (m *memory) PutSetting(ctx context.Context, name, value string) error {
	return m.do(ctx, func(r *rows) { r.Settings[name] = value })
}

func (m *memory) Person(ctx context.Context, user id.UserID) (person Person, err error) {
	err = m.do(ctx, func(r *rows) {
		var known bool
		if person, known = r.People[user]; !known {
			person = NewPerson()
		}
	})
	return person, err
}

func (m *memory) SavePerson(ctx context.Context, user id.UserID, person Person) error {
	return m.do(ctx, func(r *rows) { r.People[user] = person })
}

func (m *memory) Forget(ctx context.Context, token string) error {
	return m.do(ctx, func(r *rows) {
		delete(r.Made, token)
		delete(r.Users, token)
		for _, plan := range r.Plans {
			for n, s := range plan.Steps {
				if s.Token == token {
					plan.Steps[n] = Step{Kind: s.Kind, Drawn: s.Drawn, State: s.State, Failure: s.Failure}
				}
			}
		}
	})
}

func (m *memory) AllowList(ctx context.Context) (list []access.Entry, err error) {
	err = m.do(ctx, func(r *rows) { list = slices.Clone(r.Entries) })
	return list, err
}

func (m *memory) PutEntry(ctx context.Context, entry access.Entry) error {
	return m.do(ctx, func(r *rows) {
		r.Entries = slices.DeleteFunc(r.Entries, func(e access.Entry) bool { return e.Pattern == entry.Pattern })
		r.Entries = append(r.Entries, entry)
	})
}

func (m *memory) DeleteEntry(ctx context.Context, pattern string) error {
	return m.do(ctx, func(r *rows) {
		r.Entries = slices.DeleteFunc(r.Entries, func(e access.Entry) bool { return e.Pattern == pattern })
	})
}

func (m *memory) SaveQuestion(ctx context.Context, q Question) error {
	return m.do(ctx, func(r *rows) {
		r.Questions = slices.DeleteFunc(r.Questions, func(old Question) bool {
			return old.RoomID == q.RoomID && old.Asker == q.Asker
		})
		r.Questions = append(r.Questions, q)
	})
}

func (m *memory) question(ctx context.Context, is func(Question) bool) (found Question, ok bool, err error) {
	err = m.do(ctx, func(r *rows) {
		if n := slices.IndexFunc(r.Questions, is); n >= 0 {
			found, ok = r.Questions[n], true
		}
	})
	return found, ok, err
}

func (m *memory) Question(ctx context.Context, question id.EventID) (Question, bool, error) {
	return m.question(ctx, func(q Question) bool { return q.ID == question })
}

func (m *memory) LastQuestion(ctx context.Context, room id.RoomID, asker id.UserID) (Question, bool, error) {
	return m.question(ctx, func(q Question) bool { return q.RoomID == room && q.Asker == asker })
}

func (m *memory) CloseQuestion(ctx context.Context, question id.EventID) error {
	return m.do(ctx, func(r *rows) {
		r.Questions = slices.DeleteFunc(r.Questions, func(q Question) bool { return q.ID == question })
	})
}

func (m *memory) Audit(ctx context.Context, record AuditRecord) error {
	return m.do(ctx, func(r *rows) { r.Audit = append(r.Audit, record) })
}

func (m *memory) AuditRecords(ctx context.Context, user id.UserID, most int) (records []AuditRecord, err error) {
	err = m.do(ctx, func(r *rows) {
		for _, record := range slices.Backward(r.Audit) {
			if (user == "" || record.User == user) && len(records) < most {
				records = append(records, record)
			}
		}
	})
	return records, err
}

func (m *memory) MarkCommand(ctx context.Context, event id.EventID) error {
	return m.do(ctx, func(r *rows) { r.Marks[event] = m.now() })
}

func (m *memory) CountCommands(ctx context.Context, user id.UserID, since time.Time) (count int, err error) {
	err = m.do(ctx, func(r *rows) {
		for event, at := range r.Marks {
			if m.marked[event] == user && !at.Before(since) {
				count++
			}
		}
	})
	return count, err
}

// server is a tokens.Server in memory.
type server struct {
	mu     sync.Mutex
	tokens map[string]tokens.Token

	// at is called before and after every request with what it is about
	// ("create", "get" ...); what it returns is the request's error.
	at func(request string, after bool) error
}

func newServer() *server {
	return &server{tokens: map[string]tokens.Token{}, at: func(string, bool) error { return nil }}
}

// ask carries out a request between its two points.
func (s *server) ask(request string, do func() error) error {
	if err := s.at(request, false); err != nil {
		return err
	}
	s.mu.Lock()
	answer := do()
	s.mu.Unlock()
	if err := s.at(request, true); err != nil {
		return err
	}
	return answer
}

func (s *server) List(context.Context) (list []tokens.Token, err error) {
	err = s.ask("list", func() error {
		list = slices.Collect(maps.Values(s.tokens))
		return nil
	})
	return list, err
}

func (s *server) Get(_ context.Context, text string) (token tokens.Token, err error) {
	err = s.ask("get", func() error {
		var ok bool
		if token, ok = s.tokens[text]; !ok {
			return &tokens.Error{Kind: tokens.ErrNotFound, Op: "show token"}
		}
		return nil
	})
	return token, err
}

func (s *server) Create(_ context.Context, spec tokens.Spec) (token tokens.Token, err error) {
	err = s.ask("create", func() error {
		if _, taken := s.tokens[spec.Text]; taken {
			return &tokens.Error{Kind: tokens.ErrExists, Op: "create token"}
		}
		token = tokens.Token{Text: spec.Text, Uses: spec.Uses, Expires: spec.Expires}
		s.tokens[spec.Text] = token
		return nil
	})
	return token, err
}

func (s *server) Update(_ context.Context, spec tokens.Spec) (token tokens.Token, err error) {
	err = s.ask("update", func() error {
		var ok bool
		if token, ok = s.tokens[spec.Text]; !ok {
			return &tokens.Error{Kind: tokens.ErrNotFound, Op: "change token"}
		}
		token.Uses, token.Expires = spec.Uses, spec.Expires
		s.tokens[spec.Text] = token
		return nil
	})
	return token, err
}

func (s *server) Delete(_ context.Context, text string) error {
	return s.ask("delete", func() error {
		if _, ok := s.tokens[text]; !ok {
			return &tokens.Error{Kind: tokens.ErrNotFound, Op: "delete token"}
		}
		delete(s.tokens, text)
		return nil
	})
}

// all returns the texts of the tokens, sorted.
func (s *server) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.tokens))
}
