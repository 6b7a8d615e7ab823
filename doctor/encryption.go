package doctor

import (
	"context"
	"fmt"
	"net/http"
)

// encryption looks whether the homeserver shows the bot's device with its
// keys, signed by the bot's own identity.
func encryption(ctx context.Context, p *Patient) Finding {
	if !p.Config.Encryption.Enabled {
		return warning("Encryption is off: the bot declines encrypted chats, which most clients start.", "Set encryption.enabled: true")
	}
	device, err := p.Database.Device(ctx)
	switch {
	case err != nil:
		return problem(fmt.Sprintf("The bot's keys can't be read: %s.", oneLine(err)), "See the check of the database, and docs/encryption.md.")
	case device == "":
		return warning("The bot has no device yet.", "Start the bot: it makes one when it meets the homeserver.")
	}
	bot := p.Config.BotUserID()
	a, err := p.call(ctx, http.MethodPost, p.homeserver(), "/_matrix/client/v3/keys/query", nil, true,
		map[string]any{"device_keys": map[string][]string{bot: {device}}})
	switch {
	case err != nil:
		return problem(fmt.Sprintf("The homeserver can't be asked: %v.", err), "See the check of the homeserver.")
	case a.status != http.StatusOK:
		return problem(fmt.Sprintf("The homeserver does not tell the bot's keys: %s.", a.words), "See the check of the bot user.")
	}
	type keys struct {
		Keys       map[string]string            `json:"keys"`
		Signatures map[string]map[string]string `json:"signatures"`
	}
	var said struct {
		DeviceKeys  map[string]map[string]keys `json:"device_keys"`
		MasterKeys  map[string]keys            `json:"master_keys"`
		SelfSigning map[string]keys            `json:"self_signing_keys"`
	}
	if err := a.into(&said); err != nil {
		return problem(fmt.Sprintf("The homeserver does not tell the bot's keys: %v.", err), "See its log.")
	}
	shown, there := said.DeviceKeys[bot][device]
	switch {
	case !there:
		return problem(fmt.Sprintf("The homeserver does not have the bot's device %s.", device), "Restart the bot: it uploads its keys again.")
	case len(said.MasterKeys[bot].Keys) == 0:
		return problem("The bot has no cross-signing identity: clients warn of it.", "Restart the bot: it makes one.")
	}
	for key := range said.SelfSigning[bot].Keys {
		if _, signed := shown.Signatures[bot][key]; signed {
			return ok(fmt.Sprintf("The bot's device is %s, signed by its owner.", device))
		}
	}
	return problem(
		fmt.Sprintf("The bot's device %s is not signed by the identity that the homeserver has of %s: clients warn of it.", device, bot),
		"Restart the bot: it signs its device, or says in its log why it can't.")
}
