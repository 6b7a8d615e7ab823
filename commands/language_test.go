package commands

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"matrix-registration-bot/tokens"
)

// vocabulary is every English word that another language may translate.
func vocabulary() []string {
	words := []string{
		"words", "unlimited", "never", "valid", "used", "expired", "revoked", "all", "mine", "newest", "default", "on", "off",
		"minute", "hour", "day", "week", "month", "year",
	}
	for _, c := range all() {
		words = append(append(words, c.Name), c.Options...)
	}
	return words
}

func TestLanguagesTranslateWordsThatThereAre(t *testing.T) {
	files, err := filepath.Glob("../locale/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	english := newTable(all(), nil).byName
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Words map[string]string }
		if err := yaml.Unmarshal(raw, &file); err != nil {
			t.Fatal(err)
		}
		for _, word := range slices.Sorted(maps.Keys(file.Words)) {
			if !slices.Contains(vocabulary(), word) {
				t.Errorf("%s: nobody asks for %q", name, word)
			}
			for _, own := range strings.Fields(file.Words[word]) {
				if command, taken := english[own]; taken && command.Name != word {
					t.Errorf("%s: %q is the command %s in English", name, own, command.Name)
				}
				if len(own) > longestName {
					t.Errorf("%s: %q is too long to be corrected", name, own)
				}
			}
		}
	}
}

// written finds what the pages for inviters say to write.
var written = regexp.MustCompile("`((?:create|list|show|update|rotate|delete|help|language|notify|erstelle|hilfe)\\b[^`]*)`")

func TestThePagesForInvitersSayWhatIsUnderstood(t *testing.T) {
	for _, page := range []string{"inviting.md", "inviting.de.md"} {
		text, err := os.ReadFile("../docs/" + page)
		if err != nil {
			t.Fatal(err)
		}
		commands := written.FindAllStringSubmatch(string(text), -1)
		if len(commands) < 20 {
			t.Errorf("%s has only %d commands", page, len(commands))
		}
		for _, command := range commands {
			server := newServer()
			town := newTown(t, server)
			server.tokens["abcd1234"] = tokens.Token{Text: "abcd1234"}
			town.now = time.Date(2026, 11, 24, 5, 50, 0, 0, time.UTC) // the dates on the pages are to come
			a := town.says(manager, command[1])
			if log := town.log.String(); strings.Contains(log, "not understood") || strings.Contains(log, refused) {
				t.Errorf("%s: %s is answered\n%s", page, command[1], a.plain())
			}
		}
	}
}

func TestEverybodyChoosesTheirLanguage(t *testing.T) {
	town, _ := onSynapse(t)
	town.says(inviter, "language").is("I speak English with you. I also speak: de (Deutsch). language and its name choose it, as in language en.")
	town.says(inviter, "language de").is("Ab jetzt spreche ich Deutsch mit dir.")
	town.says(inviter, "whoami").has("Du bist @inviter:example.com, und deine Rolle ist inviter.")
	town.says(friend, "whoami").has("You are @friend:example.com")
	town.restart()
	town.says(inviter, "language").has("Ich spreche Deutsch mit dir. Außerdem spreche ich: en (English).")
	town.says(inviter, "craete").has("Meinst du create?")
	town.says(inviter, "sprache ENGLISH").is("I speak English with you now.")
	town.says(nobody, "language Deutsch").has("Ab jetzt")
	town.says(nobody, "create").has("Für create brauchst du die Rolle inviter")

	town.settings.Language = "de"
	town.says(friend, "whoami").has("Du bist")
	town.says(inviter, "whoami").has("You are")
	town.says(inviter, "language default").has("Ab jetzt spreche ich Deutsch")
	town.settings.Language = "en"
	town.says(inviter, "whoami").has("You are")

	town.says(inviter, "language tlh").is("I don't speak tlh. I speak: de (Deutsch), en (English).")
	town.says(inviter, "language de en").has("takes one language")
}

func TestChoosingALanguageKeepsTheRest(t *testing.T) {
	town, _ := onSynapse(t)
	town.says(inviter, "notify off")
	town.says(inviter, "language de")
	town.says(inviter, "notify").has("Ich sage dir nicht Bescheid")
}

func TestTheMessageToForwardIsInTheInvitersLanguage(t *testing.T) {
	town, _ := onSynapse(t)
	town.settings.Address = "https://example.com"
	town.settings.Messages = map[string]string{"en": "Code {code}, until {until}"}
	town.forwards("create token=abc", "Code abc, until Tuesday, 8 December 2099, 05:50 UTC")
	town.says(manager, "language de")
	town.forwards("create token=def uses=3", `Du bist zu example.com auf Matrix eingeladen.

Dein Einladungscode: def
Er ist für 3 Personen.
Er gilt bis Dienstag, 8. Dezember 2099, 05:50 UTC.

Erstelle dein Konto mit einer dieser Apps:
- Cinny, im Browser, der Code ist schon eingetragen: https://cinny.example.org/register/example.com/?token=def
- Element, im Browser: https://element.example.org/#/register (wähle den Server example.com und gib den Code ein, wenn du danach gefragt wirst)
Danach geht es auch auf dem Handy, mit Element X: https://mobile.element.io/element?account_provider=example.com`)
	town.settings.Messages["de"] = "Code {code}, bis {until}"
	town.forwards("create token=ghi", "Code ghi, bis Dienstag, 8. Dezember 2099, 05:50 UTC")
}

func TestCommandsInGerman(t *testing.T) {
	town, synapse := onSynapse(t)
	town.says(manager, "language de")
	town.says(manager, "erstelle token=abc nutzungen=2 bis=“2 Wochen” für=Oma notiz=“Neues Handy”").has(
		"Ich habe das Token abc erstellt:\n- für 2 Konten\n- gilt bis Di 15. Dez. 2099 05:50 UTC, in 14 Tagen\n- für Oma\n- Notiz: Neues Handy\n")
	town.says(manager, `NEU token=def expires="24.12.2099 18:00"`).has("Do 24. Dez. 2099 18:00 UTC")
	town.says(manager, "neu token=ghi bis=24.12.2099").has("Do 24. Dez. 2099 23:59 UTC")
	town.lists(manager, "liste", "abc def ghi")
	town.lists(manager, "liste alle notiz handy", "abc")
	town.lists(manager, "liste meine von @manager:example.com sortiert=neueste", "abc def ghi")
	town.says(manager, "liste aufgebraucht").has("Kein Token ist aufgebraucht.")
	town.says(manager, "zeige abc").has("abc kann benutzt werden:", "von dir erstellt, Di 1. Dez. 2099 05:50 UTC, vor weniger als einer Minute")
	town.says(manager, "ändere abc bis=nie").has("Dann läuft abc nie ab", "schreib bestätigen oder abbrechen")
	town.says(manager, "nein").has("Abgebrochen")
	town.says(manager, "ändere abc nutzungen=unbegrenzt").has("beliebig viele")
	town.says(manager, "Bestätigen").has("abc ist jetzt so:\n- unbegrenzt nutzbar")
	town.says(manager, "ersetze abc").has("abc ist gelöscht, und ")
	town.says(manager, "lösche abgelaufene").is("Kein Token ist abgelaufen.")
	town.says(manager, "lösche def ghi").is("def ist gelöscht.\nghi ist gelöscht.")
	town.says(manager, "benachrichtige aus").has("Ich sage dir nicht Bescheid")
	town.says(manager, "hilfe erstellen").has("create [uses=N]", "Es geht auch mit new, erstelle, erstellen, anlegen, neu.")
	town.says(manager, "hilfe zeige").has("Es geht auch mit zeige, zeigen, anzeigen.")
	town.says(manager, "erstele").has("Meinst du erstelle?")
	town.says(manager, "wörter").has("kenne ich nicht")
	town.says(manager, "neu wörter nutzungen=1 uses=2").has("uses steht zweimal da")
	if n := len(synapse.Tokens()); n != 1 {
		t.Errorf("the server has %d tokens", n)
	}

	// Everybody is understood, whatever language they have chosen.
	town.says(admin, "hilfe").has("What you can write")
	town.says(admin, "help create").has("Or write new for it.").lacks("erstelle")
	town.says(admin, "erlaube @anna:example.org inviter").has("I gave the user")
	town.says(admin, "verbiete @anna:example.org").has("off the list")
}
