package commands

import "matrix-registration-bot/tokens"

// StepKind is the kind of an effect on the server.
type StepKind string

// The kinds of steps.
const (
	StepCreate StepKind = "create"
	StepUpdate StepKind = "update"
	StepDelete StepKind = "delete"
	// StepRestore brings back what StepDelete only revoked.
	StepRestore StepKind = "restore"
)

// StepState is how far a step has come.
type StepState string

// The states of a step.
const (
	StepPlanned StepState = "planned" // intent committed; may or may not have been tried
	StepDone    StepState = "done"    // had its effect
	StepFailed  StepState = "failed"  // certainly had no effect; Failure says why
)

// Step is one effect on the server: the intent, what was seen before it, and
// how it ended. It is committed before the server is called, so that after a
// crash "exists" or "gone" can be told from somebody else's doing.
type Step struct {
	Kind    StepKind      `json:"kind"`
	Token   string        `json:"token"`
	Drawn   bool          `json:"drawn,omitempty"` // the text was drawn by the bot
	After   bool          `json:"after,omitempty"` // only if the step before it was done
	Spec    *tokens.Spec  `json:"spec,omitempty"`  // create, update: what is wanted
	Maker   *Maker        `json:"maker,omitempty"` // create, update: who is the token's maker from then on; nil = as before
	Seen    *tokens.Token `json:"seen,omitempty"`  // what stood there before; nil = absent
	State   StepState     `json:"state"`
	Result  *tokens.Token `json:"result,omitempty"`  // the token after it, where there still is one
	Failure string        `json:"failure,omitempty"` // locale key of the sentence that says why
}

// revoked tells whether the step deleted a token that stays on the server.
func (s Step) revoked() bool {
	return s.Kind == StepDelete && s.State == StepDone && s.Result != nil && s.Result.Revoked
}
