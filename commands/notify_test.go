package commands

import "testing"

func TestNewsCanBeSwitchedOffAndOn(t *testing.T) {
	town, _ := onSynapse(t)
	town.says(inviter, "notify").has("I tell you when somebody registers")
	town.says(inviter, "notify OFF").has("I don't tell you")
	town.restart()
	town.says(inviter, "notify").has("I don't tell you")
	if town.store.rows.People[inviter].Notify {
		t.Error("it is not kept")
	}
	town.says(friend, "notify").has("I tell you when somebody registers")
	town.says(inviter, "notify on").has("I tell you when somebody registers")
	town.says(inviter, "notify maybe").has("I don't understand maybe here", "notify off")
	town.says(inviter, "notify on please").has("I don't understand please here")
	town.says(nobody, "notify off").has("takes the role inviter")
}
