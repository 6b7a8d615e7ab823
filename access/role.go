package access

import (
	"errors"
	"fmt"
	"strings"
)

// Role is what a person may do; each role includes the ones below it.
type Role int

// The roles, lowest first.
const (
	None Role = iota
	Inviter
	Manager
	Admin
)

// ErrUnknownRole is the error of ParseRole.
var ErrUnknownRole = errors.New("not a role")

// ParseRole reads none, inviter, manager or admin, in any letter case, or
// returns ErrUnknownRole.
func ParseRole(name string) (Role, error) {
	for role := None; role <= Admin; role++ {
		if strings.EqualFold(name, role.String()) {
			return role, nil
		}
	}
	return None, fmt.Errorf("%w: %q", ErrUnknownRole, name)
}

// String returns the name that ParseRole reads.
func (r Role) String() string {
	switch r {
	case None:
		return "none"
	case Inviter:
		return "inviter"
	case Manager:
		return "manager"
	case Admin:
		return "admin"
	default:
		return fmt.Sprintf("Role(%d)", int(r))
	}
}
