package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"matrix-registration-bot/locale"
)

func language() *Command {
	return &Command{Name: "language", Aliases: []string{"lang"}, Stored: true, Run: chooseLanguage}
}

func chooseLanguage(ctx context.Context, r *Request) (Reply, error) {
	if len(r.Args) == 0 {
		others := slices.DeleteFunc(r.catalog.Names(), func(name string) bool { return name == r.language.Name() })
		return say(r.text("language.is", locale.Args{"others": r.languages(others)})), nil
	}
	if len(r.Args) > 1 {
		return Reply{}, r.mistake("language.surplus", nil)
	}
	name, known := r.languageCalled(r.Args[0])
	if !known {
		return Reply{}, r.mistake("language.unknown", locale.Args{"word": excerpt(r.Args[0]), "all": r.languages(r.catalog.Names())})
	}
	r.Person.Language = name
	if err := r.savePerson(ctx); err != nil {
		return Reply{}, err
	}
	r.speak(name)
	return say(r.text("language.done", nil)), nil
}

// languageCalled finds a language by its tag or by its own name; the default
// one is empty.
func (r *Request) languageCalled(word string) (name string, known bool) {
	if r.meaning(word) == "default" {
		return "", true
	}
	for _, name := range r.catalog.Names() {
		own := r.catalog.Language(name).Text("language.name", nil).Plain
		if strings.EqualFold(word, name) || strings.EqualFold(word, own) {
			return name, true
		}
	}
	return "", false
}

// languages lists languages with their own names.
func (r *Request) languages(names []string) locale.Text {
	var list []locale.Text
	for _, name := range names {
		own := r.catalog.Language(name).Text("language.name", nil)
		list = append(list, locale.Join(" ", locale.Code(name), locale.Text{Plain: "(" + own.Plain + ")"}))
	}
	return locale.Join(", ", list...)
}

func (r *Request) savePerson(ctx context.Context) error {
	if err := r.Store.SavePerson(ctx, r.Sender, r.Person); err != nil {
		return fmt.Errorf("saving the person's settings: %w", err)
	}
	return nil
}
