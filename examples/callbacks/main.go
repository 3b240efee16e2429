// Command callbacks is a backend that hears from OSS and from ApsaraVideo VOD what was
// uploaded, and believes neither before it has verified it.
//
//	go run ./examples/callbacks
//	go run ./examples/callbacks -listen :8080 -secret FILE
//	go run ./examples/callbacks -listen :8080 -vod-url https://app.example.com/vod -vod-key FILE
//
// The first form needs no account: OSS and VOD are in this process (packages osstest and
// vodtest), one file goes to each of them, what the backend hears is printed, and what
// somebody else makes OSS send is refused.
//
// The others serve the real ones. OSS calls back at /oss, about objects that were uploaded
// with a token made from the secret in FILE (osscallback.TokenVars, 16 random bytes or
// more: openssl rand -hex 32). VOD notifies at /vod: -vod-url is the callback URL as it is
// configured in VOD's console, and -vod-key the file with the authentication key that is
// set there. Put a proxy that speaks https before it, which leaves paths as they are.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/vodupload/vodupload/examples/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "callbacks:", err)
		os.Exit(1)
	}
}

// run is the program.
func run(ctx context.Context, args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("callbacks", flag.ContinueOnError)
	flags.SetOutput(stdout)
	listen := flags.String("listen", "", "`address` to serve the real OSS and VOD at; without it both are in this process")
	secretFile := flags.String("secret", "", "`FILE` with the secret that the tokens of OSS's callbacks are made with")
	vodURL := flags.String("vod-url", "", "callback `URL` as it is configured in VOD's console")
	keyFile := flags.String("vod-key", "", "`FILE` with the authentication key that is set there")
	shown := flags.Bool("version", false, "print the version, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *shown {
		_, err := fmt.Fprintln(stdout, version.Line("callbacks"))
		return err
	}
	if *listen == "" {
		if *secretFile+*vodURL+*keyFile != "" {
			return errors.New("-secret, -vod-url and -vod-key are for the real services: give -listen too")
		}
		return embedded(ctx, stdout)
	}
	if *secretFile == "" && *keyFile == "" {
		return errors.New("-listen needs -secret, or -vod-url and -vod-key, or all three")
	}
	b := &backend{log: stdout, vodURL: *vodURL}
	var err error
	if b.secret, err = readSecret(*secretFile); err != nil {
		return err
	}
	if b.vodKey, err = readSecret(*keyFile); err != nil {
		return err
	}
	handler, err := b.handler()
	if err != nil {
		return err
	}
	return serve(ctx, *listen, handler, stdout)
}

// readSecret returns what a file holds, without the line break at its end.
func readSecret(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil, fmt.Errorf("%s is empty", path)
	}
	return text, nil
}
