package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// JSClient is one device of a person, on a client that is not ours:
// matrix-js-sdk with its Rust crypto, in a process of its own. Its encryption
// keys are in memory only, so that it can't be restarted: log in anew.
//
// Every method that talks to the client or waits for something gives up after a
// minute at the latest.
type JSClient struct {
	UserID      id.UserID
	DeviceID    id.DeviceID
	Fingerprint string // the device's public ed25519 key, unpadded base64

	process *jsProcess

	mu            sync.Mutex
	changed       chan struct{} // closed, and made anew, whenever something below changes
	rooms         map[id.RoomID]*jsRoom
	verifications []JSVerification
	crash         error
}

// jsRoom is what the client has told about a room.
type jsRoom struct {
	timeline []*JSEvent                        // in the order of their arrival
	heard    int                               // how many of timeline Hear has passed
	members  map[id.UserID]event.MemberEventContent
}

// JSEvent is an event as the client shows it to the person.
type JSEvent struct {
	RoomID   id.RoomID       `json:"room"`
	ID       id.EventID      `json:"id"`
	Sender   id.UserID       `json:"sender"`
	Type     string          `json:"type"`
	StateKey *string         `json:"state_key"`
	Content  json.RawMessage `json:"content"`
	SentAt   int64           `json:"sent_at"` // origin_server_ts, milliseconds

	Encrypted bool `json:"encrypted"` // it came encrypted
	// Failure is why the client can't read it, as matrix-js-sdk's
	// DecryptionFailureCode; "" if it can.
	Failure string `json:"failure"`
	// Shield is the warning beside an encrypted event: "none", "grey" or "red";
	// ShieldReason is matrix-js-sdk's EventShieldReason in lower case.
	Shield       string `json:"shield"`
	ShieldReason string `json:"shield_reason"`
}

// Message returns the content of an m.room.message.
func (e *JSEvent) Message() *event.MessageEventContent {
	var content event.MessageEventContent
	_ = json.Unmarshal(e.Content, &content) // what is no message has no body
	return &content
}

// Body is the plain text of a message.
func (e *JSEvent) Body() string { return e.Message().Body }

// JSLogin says how a device behaves.
type JSLogin struct {
	Name string // what others see as the name of the device
	// First makes the person's cross-signing keys and signs the device with them.
	// A second device is signed by the first one (SignOwnDevice), or by none.
	First bool
	// SignedOnly is Element's "exclude insecure devices": neither share keys
	// with nor read messages of devices that their owners have not signed.
	SignedOnly bool
}

// LogInJS logs a person in on a new device and returns when its first sync is
// done. Node.js and the client are installed when they are not there.
func (l *Lab) LogInJS(ctx context.Context, s *Synapse, user id.UserID, password string, how JSLogin) (*JSClient, error) {
	n, err := l.installNode(ctx)
	if err != nil {
		return nil, err
	}
	c := &JSClient{changed: make(chan struct{}), rooms: map[id.RoomID]*jsRoom{}}
	log := filepath.Join(l.dir, fmt.Sprintf("js-%s-%d.log", user.Localpart(), time.Now().UnixNano()))
	if c.process, err = startJS(n, log, c.told); err != nil {
		return nil, err
	}
	l.onClose(c.Close)
	var login struct {
		User        id.UserID   `json:"user"`
		Device      id.DeviceID `json:"device"`
		Fingerprint string      `json:"fingerprint"`
	}
	err = c.process.ask(ctx, "login", map[string]any{
		"homeserver": s.URL, "user": user, "password": password, "name": how.Name,
		"cross_sign": how.First, "signed_only": how.SignedOnly,
	}, &login)
	if err != nil {
		return nil, err
	}
	c.UserID, c.DeviceID, c.Fingerprint = login.User, login.Device, login.Fingerprint
	return c, nil
}

// LogOut ends the session: the homeserver forgets the device.
func (c *JSClient) LogOut(ctx context.Context) error {
	return c.process.ask(ctx, "logout", nil, nil)
}

// Close ends the client's process, as if the phone was switched off: the device
// stays logged in.
func (c *JSClient) Close() {
	_ = syscall.Kill(c.process.cmd.Process.Pid, 0)
	c.process.kill()
}

// DirectChat opens an encrypted direct chat and invites the other person.
func (c *JSClient) DirectChat(ctx context.Context, with id.UserID) (id.RoomID, error) {
	return c.room(ctx, "createDM", map[string]any{"user": with, "encrypted": true})
}

// PlainDirectChat is DirectChat without encryption.
func (c *JSClient) PlainDirectChat(ctx context.Context, with id.UserID) (id.RoomID, error) {
	return c.room(ctx, "createDM", map[string]any{"user": with})
}

// JSRoom describes a group room.
type JSRoom struct {
	Name        string      `json:"name"`
	Invite      []id.UserID `json:"invite"`
	Encrypted   bool        `json:"encrypted"`
	RotateAfter int         `json:"rotate_after,omitempty"` // messages per megolm session; 0 = the client's own
}

// CreateRoom makes a group room.
func (c *JSClient) CreateRoom(ctx context.Context, room JSRoom) (id.RoomID, error) {
	return c.room(ctx, "createRoom", room)
}

// Join accepts an invite.
func (c *JSClient) Join(ctx context.Context, room id.RoomID) error {
	_, err := c.room(ctx, "join", map[string]any{"room": room})
	return err
}

func (c *JSClient) room(ctx context.Context, verb string, with any) (id.RoomID, error) {
	var room id.RoomID
	err := c.process.ask(ctx, verb, with, &room)
	return room, err
}

// Leave leaves a room.
func (c *JSClient) Leave(ctx context.Context, room id.RoomID) error {
	return c.process.ask(ctx, "leave", map[string]any{"room": room}, nil)
}

// Invite asks somebody into a room.
func (c *JSClient) Invite(ctx context.Context, room id.RoomID, user id.UserID) error {
	return c.process.ask(ctx, "invite", map[string]any{"room": room, "user": user}, nil)
}

// Kick removes somebody from a room.
func (c *JSClient) Kick(ctx context.Context, room id.RoomID, user id.UserID) error {
	return c.process.ask(ctx, "kick", map[string]any{"room": room, "user": user}, nil)
}

// Send sends an event, encrypted if the room is.
func (c *JSClient) Send(ctx context.Context, room id.RoomID, kind event.Type, content any) (id.EventID, error) {
	var sent id.EventID
	err := c.process.ask(ctx, "send", map[string]any{"room": room, "type": kind.Type, "content": content}, &sent)
	return sent, err
}

// Say writes a message.
func (c *JSClient) Say(ctx context.Context, room id.RoomID, text string) (id.EventID, error) {
	return c.Send(ctx, room, event.EventMessage, &event.MessageEventContent{MsgType: event.MsgText, Body: text})
}

// Edit replaces the text of a message.
func (c *JSClient) Edit(ctx context.Context, room id.RoomID, message id.EventID, text string) (id.EventID, error) {
	content := &event.MessageEventContent{MsgType: event.MsgText, Body: text}
	content.SetEdit(message)
	return c.Send(ctx, room, event.EventMessage, content)
}

// React sets a reaction under an event.
func (c *JSClient) React(ctx context.Context, room id.RoomID, to id.EventID, key string) (id.EventID, error) {
	return c.Send(ctx, room, event.EventReaction, &event.ReactionEventContent{
		RelatesTo: event.RelatesTo{Type: event.RelAnnotation, EventID: to, Key: key},
	})
}

// Hear waits for the next message of somebody else in the room. One that can't
// be decrypted is waited for: it is an error only when the time is over.
func (c *JSClient) Hear(ctx context.Context, room id.RoomID) (*JSEvent, error) {
	var next *JSEvent
	err := c.until(ctx, "a message", func() bool {
		r := c.rooms[room]
		if r == nil {
			return false
		}
		for ; r.heard < len(r.timeline); r.heard++ {
			e := r.timeline[r.heard]
			if e.Sender == c.UserID || e.Type != event.EventMessage.Type && e.Failure == "" {
				continue
			}
			next = e
			if e.Failure != "" {
				return false
			}
			r.heard++
			return true
		}
		return false
	})
	if err != nil && next != nil {
		return nil, fmt.Errorf("%w; the message %s can't be read: %s", err, next.ID, next.Failure)
	}
	return next, err
}

// Ask writes a message and waits for the next one of somebody else.
func (c *JSClient) Ask(ctx context.Context, room id.RoomID, text string) (*JSEvent, error) {
	if _, err := c.Say(ctx, room, text); err != nil {
		return nil, err
	}
	return c.Hear(ctx, room)
}

// Await waits for an event that the condition holds for, among those that have
// come and those that come. The condition must not call the client.
func (c *JSClient) Await(ctx context.Context, what string, condition func(*JSEvent) bool) (*JSEvent, error) {
	var found *JSEvent
	err := c.until(ctx, what, func() bool {
		for _, r := range c.rooms {
			for _, e := range r.timeline {
				if condition(e) {
					found = e
					return true
				}
			}
		}
		return false
	})
	return found, err
}

// Timeline returns what has come of a room so far, oldest first.
func (c *JSClient) Timeline(room id.RoomID) []JSEvent {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.rooms[room]
	if r == nil {
		return nil
	}
	events := make([]JSEvent, len(r.timeline))
	for i, e := range r.timeline {
		events[i] = *e
	}
	return events
}

// AwaitMember waits until somebody's membership of a room is the given one, and
// returns it with its reason.
func (c *JSClient) AwaitMember(
	ctx context.Context, room id.RoomID, user id.UserID, membership event.Membership,
) (event.MemberEventContent, error) {
	var member event.MemberEventContent
	err := c.until(ctx, fmt.Sprintf("%s to be %q", user, membership), func() bool {
		if r := c.rooms[room]; r != nil {
			member = r.members[user]
		}
		return member.Membership == membership
	})
	return member, err
}

// Encrypt turns encryption on in a room that has none.
func (c *JSClient) Encrypt(ctx context.Context, room id.RoomID) error {
	return c.process.ask(ctx, "encrypt", map[string]any{"room": room}, nil)
}

// Rotate makes the next message use a new megolm session.
func (c *JSClient) Rotate(ctx context.Context, room id.RoomID) error {
	return c.process.ask(ctx, "rotate", map[string]any{"room": room}, nil)
}

// JSIdentity is what the client knows about a person's keys.
type JSIdentity struct {
	MasterKey     string     `json:"master_key"`     // unpadded base64; "" without cross-signing
	Verified      bool       `json:"verified"`       // this client's owner has verified the person
	NeedsApproval bool       `json:"needs_approval"` // the identity is another one than before
	Devices       []JSDevice `json:"devices"`
}

// JSDevice is a device as another person's client shows it.
type JSDevice struct {
	ID            id.DeviceID `json:"id"`
	Name          string      `json:"name"`
	Fingerprint   string      `json:"fingerprint"` // public ed25519 key, unpadded base64
	SignedByOwner bool        `json:"signed_by_owner"`
}

// Identity returns what the client knows about a person's keys.
func (c *JSClient) Identity(ctx context.Context, user id.UserID) (JSIdentity, error) {
	var identity JSIdentity
	err := c.process.ask(ctx, "deviceInfo", map[string]any{"user": user}, &identity)
	return identity, err
}

// SignOwnDevice signs another device of this person.
func (c *JSClient) SignOwnDevice(ctx context.Context, device id.DeviceID) error {
	return c.process.ask(ctx, "signOwnDevice", map[string]any{"device": device}, nil)
}

// ResetIdentity replaces the person's cross-signing keys.
func (c *JSClient) ResetIdentity(ctx context.Context) error {
	return c.process.ask(ctx, "resetIdentity", nil, nil)
}

// Block keeps the keys of all messages sent from now on from a device; not with
// SignedOnly, which knows only signed and unsigned.
func (c *JSClient) Block(ctx context.Context, user id.UserID, device id.DeviceID) error {
	return c.process.ask(ctx, "block", map[string]any{"user": user, "device": device}, nil)
}

// JSClaimed counts keys taken by ClaimKeys.
type JSClaimed struct {
	OneTime  int `json:"one_time"`
	Fallback int `json:"fallback"`
}

// ClaimKeys takes a one-time key of each device of a person, several times over.
func (c *JSClient) ClaimKeys(ctx context.Context, user id.UserID, times int) (JSClaimed, error) {
	var claimed JSClaimed
	err := c.process.ask(ctx, "claimKeys", map[string]any{"user": user, "times": times}, &claimed)
	return claimed, err
}

// HoldKeys keeps back the room keys that the client sends, until ReleaseKeys
// sends them after all or DropKeys loses them. Both return how many they were.
func (c *JSClient) HoldKeys(ctx context.Context) error {
	return c.process.ask(ctx, "holdKeys", nil, nil)
}

// ReleaseKeys sends the keys that were held.
func (c *JSClient) ReleaseKeys(ctx context.Context) (int, error) {
	var n int
	err := c.process.ask(ctx, "releaseKeys", nil, &n)
	return n, err
}

// DropKeys loses the keys that were held.
func (c *JSClient) DropKeys(ctx context.Context) (int, error) {
	var n int
	err := c.process.ask(ctx, "dropKeys", nil, &n)
	return n, err
}

// JSVerification is where a request to compare emoji has got to.
type JSVerification struct {
	RoomID      id.RoomID `json:"room"`
	UserID      id.UserID `json:"user"`
	Phase       string    `json:"phase"` // "requested", "ready", "started", "cancelled", "done"
	Code        string    `json:"code"`  // m.key.verification.cancel's code, once cancelled
	CancelledBy id.UserID `json:"cancelled_by"`
}

// RequestVerification asks a person in a room to compare emoji.
func (c *JSClient) RequestVerification(ctx context.Context, room id.RoomID, user id.UserID) error {
	return c.process.ask(ctx, "requestVerification", map[string]any{"room": room, "user": user}, nil)
}

// AwaitVerification waits until a request to compare emoji is in the given phase.
func (c *JSClient) AwaitVerification(ctx context.Context, room id.RoomID, phase string) (JSVerification, error) {
	var found JSVerification
	err := c.until(ctx, "a verification that is "+phase, func() bool {
		for _, v := range c.verifications {
			if v.RoomID == room && v.Phase == phase {
				found = v
				return true
			}
		}
		return false
	})
	return found, err
}
