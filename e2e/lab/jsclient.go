package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// JSClient is one device of a person, on a client that is not ours:
// matrix-js-sdk with its Rust crypto, in a process of its own. Its keys are in
// memory only, so that it can't be restarted: log in anew.
type JSClient struct {
	UserID      id.UserID
	DeviceID    id.DeviceID
	Fingerprint string // the device's public ed25519 key, unpadded base64

	process *jsProcess

	mu            sync.Mutex
	changed       chan struct{} // closed, and made anew, when something below changes
	rooms         map[id.RoomID]*jsRoom
	verifications []JSVerification
	broken        error // the client said something that is not understood
}

// JSDevice says how a device behaves.
type JSDevice struct {
	Name string // what others see
	// First makes the person's cross-signing keys and signs the device with them.
	// Further devices are signed by the first one (SignDevice), or by none.
	First bool
	// SignedOnly is Element's "exclude insecure devices": neither share keys
	// with nor read messages of devices that their owners have not signed.
	SignedOnly bool
}

// LogIn logs a person in on a new device and returns when its first sync is done.
func (n *Node) LogIn(ctx context.Context, s *Synapse, user id.UserID, password string, device JSDevice) (*JSClient, error) {
	c := &JSClient{changed: make(chan struct{}), rooms: make(map[id.RoomID]*jsRoom)}
	var err error
	if c.process, err = n.start(s.dir, c.told); err != nil {
		return nil, err
	}
	var login struct {
		User        id.UserID   `json:"user"`
		Device      id.DeviceID `json:"device"`
		Fingerprint string      `json:"fingerprint"`
	}
	err = c.process.ask(ctx, "login", map[string]any{
		"homeserver": s.URL, "user": user, "password": password, "name": device.Name,
		"cross_sign": device.First, "signed_only": device.SignedOnly,
	}, &login)
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("logging in %s: %w", user, err)
	}
	c.UserID, c.DeviceID, c.Fingerprint = login.User, login.Device, login.Fingerprint
	return c, nil
}

// LogOut ends the session: the homeserver forgets the device.
func (c *JSClient) LogOut(ctx context.Context) error {
	defer c.Close()
	return c.process.ask(ctx, "logout", nil, nil)
}

// Close ends the client's process, as if the phone was switched off: the device
// stays logged in.
func (c *JSClient) Close() { c.process.kill() }

// DM starts an encrypted direct chat with the bot as Element does, and waits until the
// bot has joined.
func (c *JSClient) DM(ctx context.Context, bot id.UserID) (*JSChat, error) {
	return c.joined(ctx, bot, "createDM", map[string]any{"user": bot, "encrypted": true})
}

// PlainDM is DM without encryption.
func (c *JSClient) PlainDM(ctx context.Context, bot id.UserID) (*JSChat, error) {
	return c.joined(ctx, bot, "createDM", map[string]any{"user": bot})
}

// InviteToDM is DM without waiting for the bot.
func (c *JSClient) InviteToDM(ctx context.Context, bot id.UserID) (*JSChat, error) {
	return c.room(ctx, bot, "createDM", map[string]any{"user": bot, "encrypted": true})
}

// Group makes an encrypted room with the bot and other people, and waits until
// the bot has joined. The others join with Join.
func (c *JSClient) Group(ctx context.Context, bot id.UserID, others ...id.UserID) (*JSChat, error) {
	return c.joined(ctx, bot, "createRoom", map[string]any{
		"name": "Club", "encrypted": true, "invite": append([]id.UserID{bot}, others...),
	})
}

// Join accepts an invitation to a room in which the bot is.
func (c *JSClient) Join(ctx context.Context, invited *JSChat) (*JSChat, error) {
	return c.room(ctx, invited.bot, "join", map[string]any{"room": invited.RoomID})
}

// Enter returns a chat that another device of this person has opened.
func (c *JSClient) Enter(chat *JSChat) *JSChat {
	return &JSChat{RoomID: chat.RoomID, client: c, bot: chat.bot}
}

func (c *JSClient) joined(ctx context.Context, bot id.UserID, verb string, with map[string]any) (*JSChat, error) {
	chat, err := c.room(ctx, bot, verb, with)
	if err != nil {
		return nil, err
	}
	_, err = chat.Until(ctx, bot, event.MembershipJoin)
	return chat, err
}

func (c *JSClient) room(ctx context.Context, bot id.UserID, verb string, with map[string]any) (*JSChat, error) {
	chat := &JSChat{client: c, bot: bot}
	if err := c.process.ask(ctx, verb, with, &chat.RoomID); err != nil {
		return nil, err
	}
	return chat, nil
}

// JSIdentity is what the client knows about the keys of a person.
type JSIdentity struct {
	MasterKey     string          `json:"master_key"`     // unpadded base64; empty without cross-signing
	NeedsApproval bool            `json:"needs_approval"` // it is another identity than before
	Devices       []JSShownDevice `json:"devices"`
}

// JSShownDevice is a device as another person's client shows it.
type JSShownDevice struct {
	ID            id.DeviceID `json:"id"`
	Name          string      `json:"name"`
	Fingerprint   string      `json:"fingerprint"` // public ed25519 key, unpadded base64
	SignedByOwner bool        `json:"signed_by_owner"`
}

// Identity returns what the client knows about the keys of a person.
func (c *JSClient) Identity(ctx context.Context, user id.UserID) (JSIdentity, error) {
	var identity JSIdentity
	err := c.process.ask(ctx, "identity", map[string]any{"user": user}, &identity)
	return identity, err
}

// ResetIdentity replaces this person's cross-signing keys.
func (c *JSClient) ResetIdentity(ctx context.Context) error {
	return c.process.ask(ctx, "resetIdentity", nil, nil)
}

// SignDevice signs another device of this person, as if its emoji had been
// compared.
func (c *JSClient) SignDevice(ctx context.Context, device id.DeviceID) error {
	return c.process.ask(ctx, "signOwnDevice", map[string]any{"device": device}, nil)
}

// Block keeps the keys of messages from now on from a device. Not with
// SignedOnly, which asks only whether a device is signed.
func (c *JSClient) Block(ctx context.Context, user id.UserID, device id.DeviceID) error {
	return c.process.ask(ctx, "block", map[string]any{"user": user, "device": device}, nil)
}

// ClaimKeys takes a one-time key of each of a person's devices n times over, and
// returns how many there were and how often a fallback key came instead.
func (c *JSClient) ClaimKeys(ctx context.Context, user id.UserID, n int) (oneTime, fallback int, err error) {
	var claimed struct {
		OneTime  int `json:"one_time"`
		Fallback int `json:"fallback"`
	}
	err = c.process.ask(ctx, "claimKeys", map[string]any{"user": user, "times": n}, &claimed)
	return claimed.OneTime, claimed.Fallback, err
}

// HoldKeys keeps back the room keys that the client sends, until ReleaseKeys
// or DropKeys.
func (c *JSClient) HoldKeys(ctx context.Context) error {
	return c.process.ask(ctx, "holdKeys", nil, nil)
}

// ReleaseKeys sends the held keys after all.
func (c *JSClient) ReleaseKeys(ctx context.Context) error {
	return c.process.ask(ctx, "releaseKeys", nil, nil)
}

// DropKeys loses the held keys.
func (c *JSClient) DropKeys(ctx context.Context) error {
	return c.process.ask(ctx, "dropKeys", nil, nil)
}

// Unreadable returns what the client shows, or has shown for a moment, as "unable
// to decrypt", except for what was sent before the device existed or its owner
// was in the room.
func (c *JSClient) Unreadable() []JSEvent {
	c.mu.Lock()
	defer c.mu.Unlock()
	var unreadable []JSEvent
	for _, room := range c.rooms {
		for _, e := range room.timeline {
			if e.Late || e.Failure != "" && !e.historical() {
				unreadable = append(unreadable, *e)
			}
		}
	}
	return unreadable
}

// told takes note of what the client reports by itself.
func (c *JSClient) told(event string, data json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	switch event {
	case "timeline":
		var e JSEvent
		if err = json.Unmarshal(data, &e); err == nil {
			c.inRoom(e.RoomID).see(e)
		}
	case "member":
		var m jsMember
		if err = json.Unmarshal(data, &m); err == nil {
			c.inRoom(m.RoomID).members[m.UserID] = m
		}
	case "verification":
		var v JSVerification
		if err = json.Unmarshal(data, &v); err == nil {
			c.verifications = append(c.verifications, v)
		}
	default:
		err = fmt.Errorf("the JavaScript client reports %q: %s", event, data)
	}
	if err != nil {
		c.broken = err
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *JSClient) inRoom(room id.RoomID) *jsRoom {
	if c.rooms[room] == nil {
		c.rooms[room] = &jsRoom{members: make(map[id.UserID]jsMember)}
	}
	return c.rooms[room]
}

// wait waits until the condition holds; it is asked again whenever the client
// has reported something, with the lock held.
func (c *JSClient) wait(ctx context.Context, what string, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c.mu.Lock()
		held, changed, broken := holds(), c.changed, c.broken
		c.mu.Unlock()
		switch {
		case broken != nil:
			return fmt.Errorf("%s waits for %s: %w", c.UserID, what, broken)
		case held:
			return nil
		}
		select {
		case <-changed:
		case <-c.process.ended:
			return fmt.Errorf("%s waits for %s: %w", c.UserID, what, c.process.death())
		case <-ctx.Done():
			return fmt.Errorf("%s waits for %s: %w", c.UserID, what, ctx.Err())
		}
	}
}
