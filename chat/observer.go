package chat

import "time"

// Observer hears what is worth counting. Its methods return at once.
type Observer interface {
	// Answered: an answer was sent, so long after its message had come.
	Answered(after time.Duration)
	// Unreadable: an encrypted message could not be used, for one of
	// UnreadableReasons.
	Unreadable(reason string)
	// HandlingFailed: one try to handle an event failed.
	HandlingFailed()
	// SetAside: an event was given up.
	SetAside()
	// SendingFailed: one try to send a message failed.
	SendingFailed()
	// Dropped: a message was given up.
	Dropped()
	// StartedOver: the chat began anew from the database.
	StartedOver()
}

// Why an encrypted message can't be used.
const (
	noKey      = "no_key"     // its key never came
	broken     = "broken"     // it can't be decrypted
	notTrusted = "not_theirs" // no device of its sender stands behind it
)

// UnreadableReasons are those that Observer.Unreadable gets.
func UnreadableReasons() []string { return []string{noKey, broken, notTrusted} }

// unobserved counts nothing.
type unobserved struct{}

func (unobserved) Answered(time.Duration) {}
func (unobserved) Unreadable(string)      {}
func (unobserved) HandlingFailed()        {}
func (unobserved) SetAside()              {}
func (unobserved) SendingFailed()         {}
func (unobserved) Dropped()               {}
func (unobserved) StartedOver()           {}
