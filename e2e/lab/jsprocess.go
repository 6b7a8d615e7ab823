package lab

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
)

// jsProcess is a running e2e/js/client.mjs and the JSON lines to and from it.
type jsProcess struct {
	cmd   *exec.Cmd
	log   string // the file with what the SDK says
	stdin io.WriteCloser
	tell  func(event string, data json.RawMessage)
	ended chan struct{}

	mu      sync.Mutex
	lastID  int
	waiting map[int]chan jsAnswer
}

type jsRequest struct {
	ID   int    `json:"id"`
	Verb string `json:"do"`
	With any    `json:"with,omitempty"`
}

type jsAnswer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// start starts a client that logs into the given folder. tell is called, one call
// at a time, for what it reports by itself.
func (n *Node) start(dir string, tell func(event string, data json.RawMessage)) (*jsProcess, error) {
	log, err := os.CreateTemp(dir, "js-client-*.log")
	if err != nil {
		return nil, fmt.Errorf("starting the JavaScript client: %w", err)
	}
	defer func() { _ = log.Close() }()
	p := &jsProcess{
		cmd:     exec.Command(n.program, n.client),
		log:     log.Name(),
		tell:    tell,
		ended:   make(chan struct{}),
		waiting: make(map[int]chan jsAnswer),
	}
	p.cmd.Env = append(os.Environ(), "JS_CLIENT_LOG="+p.log)
	p.cmd.Stderr = log
	p.cmd.SysProcAttr = attributes(nil)
	p.stdin, err = p.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the JavaScript client: %w", err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the JavaScript client: %w", err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the JavaScript client: %w", err)
	}
	go p.read(stdout)
	return p, nil
}

// read hands out what the client writes, until it ends.
func (p *jsProcess) read(stdout io.Reader) {
	defer close(p.ended)
	defer func() { _ = p.cmd.Wait() }()
	lines := bufio.NewReader(stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var said struct {
			jsAnswer
			Event string          `json:"event"`
			Data  json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(line, &said); err != nil {
			said.Event, said.Data = "garbled", line
		}
		if said.Event != "" {
			p.tell(said.Event, said.Data)
			continue
		}
		p.mu.Lock()
		answer, asked := p.waiting[said.ID]
		delete(p.waiting, said.ID)
		p.mu.Unlock()
		if asked {
			answer <- said.jsAnswer
		}
	}
}

// ask has the client do something; the result, if there is one, is decoded
// into result.
func (p *jsProcess) ask(ctx context.Context, verb string, with, result any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	answered := make(chan jsAnswer, 1)
	if err := p.write(verb, with, answered); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	select {
	case answer := <-answered:
		switch {
		case answer.Error != "":
			return fmt.Errorf("%s: %s", verb, answer.Error)
		case result == nil:
			return nil
		}
		if err := json.Unmarshal(answer.Result, result); err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		return nil
	case <-p.ended:
		return fmt.Errorf("%s: %w", verb, p.death())
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", verb, ctx.Err())
	}
}

func (p *jsProcess) write(verb string, with any, answered chan jsAnswer) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	line, err := json.Marshal(jsRequest{ID: p.lastID, Verb: verb, With: with})
	if err != nil {
		return err
	}
	p.waiting[p.lastID] = answered
	if _, err := p.stdin.Write(append(line, '\n')); err != nil {
		return errors.Join(err, p.death())
	}
	return nil
}

// death is the error of a client that has ended, with its last words.
func (p *jsProcess) death() error {
	text, _ := os.ReadFile(p.log)
	return fmt.Errorf("the JavaScript client has ended:\n%s", lastLines(string(text), 20))
}

// kill ends the client at once; its device stays logged in.
func (p *jsProcess) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}
