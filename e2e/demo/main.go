// Demo sets up a throw-away homeserver with the bot and plays a conversation with
// it, all real. Then it stays up for whoever wants to talk to the bot, until Ctrl-C;
// with DEMO=once it ends after the conversation.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"matrix-registration-bot/e2e/lab"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := demo(ctx, os.Getenv("DEMO") == "once")
	if ctx.Err() != nil { // Ctrl-C; then whatever failed did so because of it
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func demo(ctx context.Context, once bool) error {
	l, err := lab.Open(os.Stdout)
	if err != nil {
		return err
	}
	defer l.Close()
	site, err := l.NewSite(ctx, lab.SiteOptions{Name: "demo", Admin: "anna", Interval: "1s"})
	if err != nil {
		return err
	}
	ben, err := site.NewPerson(ctx, "ben")
	if err != nil {
		return err
	}
	for _, person := range []*lab.Person{site.Admin, ben} {
		if err := l.Encrypt(ctx, person); err != nil {
			return err
		}
	}
	if err := converse(ctx, site, ben); err != nil {
		return fmt.Errorf("%w\nthe bot's log:\n%s", err, site.Bot.Log())
	}
	if err := examine(ctx, site); err != nil {
		return err
	}
	if once {
		return nil
	}
	fmt.Printf(`
Now talk to the bot yourself, from any Matrix client on this machine:

  homeserver  %s
  log in as   %s   password %s   (the bot's admin)
         or   %s   password %s
  chat with   %s

Ctrl-C stops and removes everything.
`, site.URL, site.Admin.UserID, site.Admin.Password, ben.UserID, ben.Password, site.Bot.UserID)
	<-ctx.Done()
	l.Announce("Stopping and removing everything")
	return nil
}

// examine shows what doctor says of the installation, which must be well.
func examine(ctx context.Context, site *lab.Site) error {
	narrate("Last, the admin asks `matrix-registration-bot doctor`.")
	out, err := site.Bot.Command(ctx, "-c", "config.yaml", "doctor")
	utter("", out)
	if err != nil {
		return fmt.Errorf("the installation is not well: %w", err)
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "ok ") {
			return fmt.Errorf("the installation is not quite well: %s", line)
		}
	}
	return nil
}
