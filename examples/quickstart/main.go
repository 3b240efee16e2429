// Command quickstart runs the main job of this library on one machine, with nothing
// to configure: it brings a file to an OSS server, through a killed process, a few
// server errors and an expired token, and reads it back.
//
//	go run ./examples/quickstart [FILE]
//
// Without FILE it makes one of 64 MiB. Three processes take part. This one runs the
// server (package osstest) and a small token endpoint, both on loopback. The second
// uploads, and is killed with SIGKILL when about 40 % is there. The third resumes,
// meets the rest of the trouble, and finishes. On a terminal the bytes travel slowly
// enough to be watched, and in all it takes about 8 seconds; elsewhere it is as fast as
// the machine. What to try next goes to standard error, so that the last line of
// standard output is
//
//	verified: BYTES bytes, crc64 DECIMAL, N parts, M resumed, K retried
//
// Any difference ends it with a non-zero status and says what differs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/vodupload/vodupload/examples/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// whatNext is what somebody who has seen this may want to try.
const whatNext = `
What next
   go run ./examples/quickstart FILE     the same with a file of yours
   go run ./examples/dashboard           uploads on a live page, with faults on a slider
   go run ./examples/vod                 ApsaraVideo VOD, without an account
   go run ./examples/ossserver           an OSS server for your own tests
   examples/upload/main.go               the program to copy
   upload/doc.go                         lists of files, callbacks, options
`

const usage = "usage: quickstart [FILE]\n       quickstart -version"

// run is one of the two programs that this one is.
func run(ctx context.Context, args []string, stdout *os.File, stderr io.Writer) error {
	if spec := os.Getenv(uploaderEnv); spec != "" {
		return uploader(ctx, spec, stdout)
	}
	file := ""
	switch {
	case len(args) > 1:
		return fmt.Errorf("got %d arguments, want at most one: the file to upload", len(args))
	case len(args) == 1 && strings.TrimLeft(args[0], "-") == "version":
		_, err := fmt.Fprintln(stdout, version.Line("quickstart"))
		return err
	case len(args) == 1 && slices.Contains([]string{"-h", "-help", "--help"}, args[0]):
		_, err := fmt.Fprintln(stderr, usage)
		return err
	case len(args) == 1 && strings.HasPrefix(args[0], "-"):
		return fmt.Errorf("there is no flag %s\n%s", args[0], usage)
	case len(args) == 1:
		file = args[0]
	}
	if err := director(ctx, file, stdout); err != nil {
		return err
	}
	_, err := io.WriteString(stderr, whatNext)
	return err
}
