package lab

import (
	"context"
	"encoding/json"
	"fmt"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"
)

// Person is a human with a Matrix client. Not for use by several goroutines.
type Person struct {
	UserID   id.UserID
	Password string

	client  *mautrix.Client
	secrecy *secrecy // nil: no encryption
	secrets *secrets // the lab's
	filter  string   // of /sync, as JSON
	since   string   // position in /sync
	chats   map[id.RoomID]*Chat
}

// AccessToken is that of the person's client.
func (p *Person) AccessToken() string { return p.client.AccessToken }

// LogIn logs a person in with their password.
func (s *Synapse) LogIn(ctx context.Context, user id.UserID, password string) (*Person, error) {
	client, err := mautrix.NewClient(s.URL, "", "")
	if err != nil {
		return nil, fmt.Errorf("logging in %s: %w", user, err)
	}
	_, err = client.Login(ctx, &mautrix.ReqLogin{
		Type:             mautrix.AuthTypePassword,
		Identifier:       mautrix.UserIdentifier{Type: mautrix.IdentifierTypeUser, User: user.String()},
		Password:         password,
		StoreCredentials: true,
	})
	if err != nil {
		return nil, fmt.Errorf("logging in %s: %w", user, err)
	}
	filter, err := json.Marshal(mautrix.Filter{Room: &mautrix.RoomFilter{
		IncludeLeave: true,
		Timeline:     &mautrix.FilterPart{Limit: 10_000},
	}})
	if err != nil {
		return nil, fmt.Errorf("logging in %s: %w", user, err)
	}
	return &Person{
		UserID:   user,
		Password: password,
		client:   client,
		filter:   string(filter),
		chats:    make(map[id.RoomID]*Chat),
		secrets:  s.secrets,
	}, nil
}

// CallThemselves sets the person's display name.
func (p *Person) CallThemselves(ctx context.Context, name string) error {
	if err := p.client.SetDisplayName(ctx, name); err != nil {
		return fmt.Errorf("setting a display name: %w", err)
	}
	return nil
}

// DM starts a direct chat with the bot the way clients do, and waits until the
// bot has joined.
func (p *Person) DM(ctx context.Context, bot id.UserID) (*Chat, error) {
	chat, err := p.InviteToDM(ctx, bot)
	if err != nil {
		return nil, err
	}
	_, err = chat.Until(ctx, bot, event.MembershipJoin)
	return chat, err
}

// InviteToDM starts a direct chat without waiting for the bot.
func (p *Person) InviteToDM(ctx context.Context, bot id.UserID) (*Chat, error) {
	return p.createRoom(ctx, bot, &mautrix.ReqCreateRoom{
		Preset:   "trusted_private_chat",
		IsDirect: true,
		Invite:   []id.UserID{bot},
	})
}

// Group makes a room with the bot and other people, and waits until the bot has
// joined. The others join with Join.
func (p *Person) Group(ctx context.Context, bot id.UserID, others ...*Person) (*Chat, error) {
	invited := []id.UserID{bot}
	for _, other := range others {
		invited = append(invited, other.UserID)
	}
	chat, err := p.createRoom(ctx, bot, &mautrix.ReqCreateRoom{
		Preset: "private_chat",
		Name:   "Club",
		Invite: invited,
	})
	if err != nil {
		return nil, err
	}
	_, err = chat.Until(ctx, bot, event.MembershipJoin)
	return chat, err
}

func (p *Person) createRoom(ctx context.Context, bot id.UserID, request *mautrix.ReqCreateRoom) (*Chat, error) {
	room, err := p.client.CreateRoom(ctx, p.encrypted(request))
	if err != nil {
		return nil, fmt.Errorf("creating a room: %w", err)
	}
	if _, err := p.client.State(ctx, room.RoomID); p.secrecy != nil && err != nil {
		return nil, fmt.Errorf("looking into the new room: %w", err)
	}
	return p.chat(room.RoomID, bot), nil
}

// Join accepts an invitation to a room in which the bot is.
func (p *Person) Join(ctx context.Context, invited *Chat) (*Chat, error) {
	if _, err := p.client.JoinRoomByID(ctx, invited.RoomID); err != nil {
		return nil, fmt.Errorf("joining: %w", err)
	}
	return p.chat(invited.RoomID, invited.bot), nil
}

// Enter returns a chat in which another device of this person is already.
func (p *Person) Enter(room id.RoomID, bot id.UserID) *Chat { return p.chat(room, bot) }

func (p *Person) chat(room id.RoomID, bot id.UserID) *Chat {
	chat := &Chat{RoomID: room, person: p, bot: bot, members: make(map[id.UserID]*event.MemberEventContent)}
	p.chats[room] = chat
	return chat
}

// sync waits for news from the homeserver and gives them to the chats.
func (p *Person) sync(ctx context.Context) error {
	news, err := p.client.FullSyncRequest(ctx, mautrix.ReqSync{
		Timeout:     10_000,
		Since:       p.since,
		FilterID:    p.filter,
		SetPresence: event.PresenceOffline,
	})
	if err != nil {
		return fmt.Errorf("%s waits for news: %w", p.UserID, err)
	}
	// What has come is taken in to its end: nobody sends these keys again.
	ctx = context.WithoutCancel(ctx)
	since := p.since
	p.since = news.NextBatch
	if p.secrecy != nil {
		p.secrecy.keys(ctx, news, since)
		early := p.secrecy.early
		p.secrecy.early = nil
		for _, evt := range early {
			p.tell(ctx, evt.RoomID, []*event.Event{evt})
		}
	}
	for room, joined := range news.Rooms.Join {
		p.tell(ctx, room, joined.State.Events)
		p.tell(ctx, room, joined.Timeline.Events)
		if chat, known := p.chats[room]; known && joined.UnreadNotifications != nil {
			chat.Highlights = joined.UnreadNotifications.HighlightCount
		}
	}
	for room, left := range news.Rooms.Leave {
		p.tell(ctx, room, left.State.Events)
		p.tell(ctx, room, left.Timeline.Events)
	}
	return nil
}

// tell gives events to the chat that they belong to.
func (p *Person) tell(ctx context.Context, room id.RoomID, events []*event.Event) {
	chat, ok := p.chats[room]
	if !ok {
		return
	}
	for _, evt := range events {
		evt.RoomID = room
		evt.Type.Class = event.MessageEventType
		if evt.StateKey != nil {
			evt.Type.Class = event.StateEventType
		}
		if evt.Content.Parsed == nil && evt.Content.ParseRaw(evt.Type) != nil {
			continue
		}
		if p.secrecy != nil && evt.StateKey != nil {
			p.secrecy.follow(ctx, p.client, evt)
		}
		if p.secrecy != nil && evt.Type == event.EventEncrypted && evt.Sender != p.UserID {
			if evt = p.secrecy.open(ctx, evt); evt == nil {
				continue
			}
		}
		chat.see(evt)
	}
}
