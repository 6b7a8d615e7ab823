//go:build !goolm

// Without the tag goolm the bot's encryption would need a C library.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "This program was built without its encryption. Build it so: CGO_ENABLED=0 go build -tags goolm ./cmd/matrix-registration-bot")
	os.Exit(1)
}
