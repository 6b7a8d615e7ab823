package access_test

import (
	"errors"
	"testing"

	"matrix-registration-bot/access"
)

func TestRolesAreReadAsTheyAreWritten(t *testing.T) {
	for name, want := range map[string]access.Role{
		"none": access.None, "inviter": access.Inviter, "manager": access.Manager, "admin": access.Admin, "Manager": access.Manager,
	} {
		if role, err := access.ParseRole(name); err != nil || role != want {
			t.Errorf("%s: got %s, %v", name, role, err)
		}
		if again, err := access.ParseRole(want.String()); err != nil || again != want {
			t.Errorf("%s is written as %s, which is read as %s, %v", name, want, again, err)
		}
	}
	for _, name := range []string{"", "root", " admin", "Role(4)"} {
		if role, err := access.ParseRole(name); !errors.Is(err, access.ErrUnknownRole) || role != access.None {
			t.Errorf("%q: got %s, %v", name, role, err)
		}
	}
}

func TestEachRoleIncludesTheOnesBelow(t *testing.T) {
	if access.None >= access.Inviter || access.Inviter >= access.Manager || access.Manager >= access.Admin {
		t.Error("the roles are out of order")
	}
}
