// Command quickstart runs the main job of this library on one machine, with nothing
// to configure: it brings a file to an OSS server, through a killed process, a few
// server errors and an expired token, and reads it back.
//
//	go run ./examples/quickstart [FILE]
//
// Without FILE it makes one of 64 MiB. Three processes take part. This one runs the
// server (package osstest) and a small token endpoint, both on loopback. The second
// uploads, and is killed with SIGKILL when about 40 % is there. The third resumes,
// meets the rest of the trouble, and finishes. The last line is
//
//	verified: BYTES bytes, crc64 DECIMAL, N parts, M resumed, K retried
//
// Any difference ends it with a non-zero status and says what differs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// run is one of the two programs that this one is.
func run(ctx context.Context, args []string, stdout *os.File) error {
	if spec := os.Getenv(uploaderEnv); spec != "" {
		return uploader(ctx, spec, stdout)
	}
	switch len(args) {
	case 0:
		return director(ctx, "", stdout)
	case 1:
		return director(ctx, args[0], stdout)
	}
	return fmt.Errorf("got %d arguments, want at most one: the file to upload", len(args))
}
