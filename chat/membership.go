package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"maunium.net/go/mautrix"
	"maunium.net/go/mautrix/event"
	"maunium.net/go/mautrix/id"

	"matrix-registration-bot/access"
	"matrix-registration-bot/commands"
	"matrix-registration-bot/locale"
	"matrix-registration-bot/store"
)

// Managers and admins have no limits. For all others:
const (
	// mostRooms is in how many rooms at a time the bot is for one person.
	mostRooms = 20
	// mostInvitations is how many of one person may wait at a time. A room of a
	// server that does not answer takes long to join or to decline; the
	// invitations beyond that are left alone.
	mostInvitations = 10
)

// onMember handles a change of somebody's membership.
func (s *session) onMember(ctx context.Context, in store.Incoming, evt *event.Event) error {
	member := evt.Content.AsMember()
	if id.UserID(evt.GetStateKey()) != s.cfg.UserID {
		return s.onOthersMembership(ctx, in, evt, member)
	}
	switch member.Membership {
	case event.MembershipInvite:
		return s.onInvite(ctx, in, evt)
	case event.MembershipJoin:
		if err := s.tidyRoom(ctx, in.RoomID); err != nil && !errors.Is(err, errGone) {
			return err
		}
		s.describe(ctx, in.RoomID)
		return s.store.Handled(ctx, in.EventID)
	default: // left, thrown out or banned: what is known of the room gets old
		return s.store.Transact(ctx, func(ctx context.Context) error {
			if err := s.store.Left(ctx, in.RoomID); err != nil {
				return err
			}
			return s.store.Handled(ctx, in.EventID)
		})
	}
}

// onInvite joins the room of an inviter who has a role and greets there, or
// declines and says whom to ask.
func (s *session) onInvite(ctx context.Context, in store.Incoming, evt *event.Event) error {
	decision, err := s.cfg.Commands.Decide(ctx, in.Sender)
	if err != nil {
		return err
	}
	if decision.Role < access.Manager {
		waiting, err := s.store.InvitationsBefore(ctx, in)
		if err != nil {
			return err
		} else if waiting >= mostInvitations {
			return s.ignore(ctx, in, "too many invitations of the same person wait", nil)
		}
	}
	if full, err := s.hasTooManyRooms(ctx, in.Sender, decision.Role, in.RoomID); err != nil {
		return err
	} else if full {
		return s.decline(ctx, in, s.bot.text("room.too_many", locale.Args{"n": mostRooms}))
	}
	known, err := s.store.Room(ctx, in.RoomID)
	if err != nil {
		return err
	}
	if decision.Role == access.None && known.Predecessor == "" {
		return s.decline(ctx, in, s.bot.text("room.declined", locale.Args{"admins": strings.Join(s.cfg.Admins(), ", ")}))
	}
	if s.crypto == nil && invitedEncrypted(evt) {
		return s.decline(ctx, in, s.bot.text("room.unencrypted_only", nil))
	}
	_, err = quickly(ctx, func(ctx context.Context) (*mautrix.RespJoinRoom, error) {
		return s.client.JoinRoomByID(ctx, in.RoomID)
	})
	if isGone(err) {
		return s.ignore(ctx, in, "the invitation does not stand any more", err)
	} else if err != nil {
		return fmt.Errorf("joining %s: %w", in.RoomID, err)
	}
	// A crash between joining and reading comes back here: joining again is fine.
	if err := s.store.Invited(ctx, in.RoomID, in.Sender); err != nil {
		return err
	}
	if err := s.store.ForgetState(ctx, in.RoomID); err != nil {
		return err
	}
	room, err := s.room(ctx, in.RoomID)
	if err != nil {
		return s.ignoreIfGone(ctx, in, err)
	}
	if s.crypto == nil && room.Encrypted {
		return s.decline(ctx, in, s.bot.text("room.unencrypted_only", nil))
	}
	s.log.Info().Stringer("room_id", in.RoomID).Stringer("inviter", in.Sender).Msg("Joined a room")
	greeting := s.bot.text("room.greeting", locale.Args{"name": s.cfg.Displayname})
	return s.settleWith(ctx, in, relation{encrypted: room.Encrypted, wordless: true},
		commands.Reply{Texts: []commands.Text{{Text: greeting}}})
}

// hasTooManyRooms tells whether the bot can't be in one room more for somebody.
func (s *session) hasTooManyRooms(ctx context.Context, user id.UserID, role access.Role, another id.RoomID) (bool, error) {
	if role >= access.Manager {
		return false, nil
	}
	rooms, err := s.store.RoomsOf(ctx, user, another)
	return rooms >= mostRooms, err
}

// decline leaves a room, or turns an invitation down, with a reason that the
// inviter's client shows.
func (s *session) decline(ctx context.Context, in store.Incoming, reason locale.Text) error {
	if err := s.leave(ctx, in.RoomID, reason.Plain); err != nil {
		return err
	}
	s.log.Info().Stringer("room_id", in.RoomID).Stringer("inviter", in.Sender).Msg("Declined an invitation")
	return s.store.Handled(ctx, in.EventID)
}

// leave leaves a room; it is fine if the bot has left already.
func (s *session) leave(ctx context.Context, roomID id.RoomID, reason string) error {
	_, err := quickly(ctx, func(ctx context.Context) (*mautrix.RespLeaveRoom, error) {
		return s.client.LeaveRoom(ctx, roomID, &mautrix.ReqLeave{Reason: reason})
	})
	if err != nil && !isGone(err) {
		return fmt.Errorf("leaving %s: %w", roomID, err)
	}
	return s.store.Left(ctx, roomID)
}

// invitedEncrypted tells whether an invitation says that its room is encrypted.
func invitedEncrypted(evt *event.Event) bool {
	return slices.ContainsFunc(evt.Unsigned.InviteRoomState, func(state *event.Event) bool {
		return state.Type.Type == event.StateEncryption.Type
	})
}

// onOthersMembership keeps the member list, the room's outgoing session and
// the bot's presence in step with who is there.
func (s *session) onOthersMembership(ctx context.Context, in store.Incoming, evt *event.Event, member *event.MemberEventContent) error {
	user := id.UserID(evt.GetStateKey())
	err := func() error {
		giveBack, err := s.rooms.take(ctx, in.RoomID)
		if err != nil {
			return err
		}
		defer giveBack()
		return s.state.SetMember(ctx, in.RoomID, user, member)
	}()
	if err != nil {
		return fmt.Errorf("storing a member: %w", err)
	}
	if s.crypto != nil {
		if err := s.crypto.memberChanged(ctx, evt); err != nil {
			return err
		}
	}
	if member.Membership == event.MembershipLeave || member.Membership == event.MembershipBan {
		if err := s.tidyRoom(ctx, in.RoomID); err != nil && !errors.Is(err, errGone) {
			return err
		}
	}
	s.describe(ctx, in.RoomID)
	return s.store.Handled(ctx, in.EventID)
}

// tidyRoom makes sure that a room's state is known, and leaves it if nobody
// else is there.
func (s *session) tidyRoom(ctx context.Context, roomID id.RoomID) error {
	room, err := s.room(ctx, roomID)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(room.people, func(user id.UserID) bool { return user == s.cfg.UserID })
	if len(others) > 0 {
		return nil
	}
	s.log.Info().Stringer("room_id", roomID).Msg("Leaving a room where nobody else is")
	return s.leave(ctx, roomID, "")
}

// onRoomSetting follows encryption and history visibility.
func (s *session) onRoomSetting(ctx context.Context, in store.Incoming, evt *event.Event) error {
	mautrix.UpdateStateStore(ctx, s.state, evt)
	if evt.Type == event.StateEncryption && s.crypto == nil {
		if err := s.leave(ctx, in.RoomID, s.bot.text("room.unencrypted_only", nil).Plain); err != nil {
			return err
		}
	}
	return s.store.Transact(ctx, func(ctx context.Context) error {
		if evt.Type == event.StateEncryption {
			if err := s.store.MarkEncrypted(ctx, in.RoomID); err != nil {
				return err
			}
		}
		return s.store.Handled(ctx, in.EventID)
	})
}

// onTombstone follows a room upgrade: the bot joins the new room if it may, and
// else accepts whoever invites it there. Any room can be named as the new one, so
// it counts as if whoever names it had invited the bot.
func (s *session) onTombstone(ctx context.Context, in store.Incoming, evt *event.Event) error {
	successor := evt.Content.AsTombstone().ReplacementRoom
	if successor == "" {
		return s.ignore(ctx, in, "the room was closed without a successor", nil)
	}
	decision, err := s.cfg.Commands.Decide(ctx, in.Sender)
	if err != nil {
		return err
	}
	if full, err := s.hasTooManyRooms(ctx, in.Sender, decision.Role, successor); err != nil {
		return err
	} else if full {
		return s.ignore(ctx, in, "the bot is in too many rooms already for who upgraded this one", nil)
	}
	if err := s.store.Follow(ctx, successor, in.RoomID); err != nil {
		return err
	}
	_, err = quickly(ctx, func(ctx context.Context) (*mautrix.RespJoinRoom, error) {
		return s.client.JoinRoom(ctx, successor.String(), &mautrix.ReqJoinRoom{Via: []string{in.Sender.Homeserver()}})
	})
	switch {
	case err == nil:
		if err = s.store.Invited(ctx, successor, in.Sender); err == nil {
			err = s.tidyRoom(ctx, successor)
		}
	case !isTemporary(err):
		s.log.Info().Err(err).Stringer("room_id", successor).Msg("A room was upgraded; waiting for an invitation to the new one")
		err = nil
	}
	if err != nil && !errors.Is(err, errGone) {
		return fmt.Errorf("following a room upgrade: %w", err)
	}
	return s.store.Handled(ctx, in.EventID)
}
