// Command fleet shows many machines at work on one list of files, on this machine and with
// nothing to configure:
//
//	go run ./examples/fleet
//	go run ./examples/fleet -page 127.0.0.1:8080   # and shows workers and jobs in a browser
//
// It starts an OSS server (package osstest), three NATS nodes and three workers, each node
// and worker a process of its own, and puts 20 films into the queue. Half way it kills one
// worker and one node with SIGKILL, and says line by line what becomes of their work:
// another worker takes over the very uploads that the killed one had begun, and keeps the
// parts that are there. In the end it reads every object back and compares it with its
// file. The last line is
//
//	verified: 20 objects, N taken over, M parts kept, K sent again
//
// Any difference ends it with a non-zero status. It takes about half a minute, most of
// which is the lease that the killed worker holds on its uploads: until that has ended,
// nobody can know that it will not come back. What it starts and writes is gone when it
// ends, also by Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vodupload/vodupload/examples/internal/version"
)

func main() {
	if isChild() {
		os.Exit(runChild())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "fleet example:", err) // errors of package fleet have its name
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out *os.File) error {
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	page := flags.String("page", "", "show the fleet in a browser, at this `address` of this machine, like 127.0.0.1:8080")
	shown := flags.Bool("version", false, "print the version, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *shown {
		_, err := fmt.Fprintln(out, version.Line("fleet"))
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("got %d arguments, want none", flags.NArg())
	}
	// The lease is above an election of the nodes, so that the kill of one costs no claim.
	return direct(ctx, show{films: 20, parts: 12, delay: 300 * time.Millisecond, lease: 20 * time.Second, page: *page}, out)
}
