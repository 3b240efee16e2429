// Command dashboard shows the page of package dashboard, with an OSS server and an STS in
// this process: many files are uploaded, and a slider says how much of that goes wrong.
//
//	go run ./examples/dashboard
//
// Its first line of output is "open http://127.0.0.1:PORT". It needs no account, keeps
// nothing, and ends with Ctrl-C, or after -for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/vodupload/vodupload/examples/internal/version"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A config is what the command line says.
type config struct {
	addr  string
	files int
	speed int           // MiB a second
	fail  int           // percent of the requests, at first
	lasts time.Duration // 0: until it is stopped
	shown bool          // the version, and nothing else
}

// run is the program. It returns its exit status: 0 after a signal, 1 on a failure, and 2
// on a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "dashboard: %v\n", err)
		return 2
	}
	if c.shown {
		fmt.Fprintln(stdout, version.Line("dashboard"))
		return 0
	}
	if c.lasts > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.lasts)
		defer cancel()
	}
	if err := show(ctx, c, stdout); err != nil {
		fmt.Fprintf(stderr, "dashboard: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*config, error) {
	c := new(config)
	flags := flag.NewFlagSet("dashboard", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:0", "`address` of this machine to listen on; with port 0, any free port")
	flags.IntVar(&c.files, "files", 60, "how many files are uploaded at first")
	flags.IntVar(&c.speed, "speed", 8, "bandwidth in `MiB` per second")
	flags.IntVar(&c.fail, "fail", 5, "how many `percent` of the requests fail at first")
	flags.DurationVar(&c.lasts, "for", 0, "end after that `time` (default: run until it is stopped)")
	flags.BoolVar(&c.shown, "version", false, "print the version, and end")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage of dashboard:")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: only flags are known, see -help", flags.Arg(0))
	case !loopback(c.addr):
		return nil, fmt.Errorf("-addr %s: want an address of this machine only, like 127.0.0.1:8080", c.addr)
	case c.files < 0 || c.files > 100_000:
		return nil, fmt.Errorf("-files %d: want 0 to 100000", c.files)
	case c.speed < 1 || c.speed > 10_000:
		return nil, fmt.Errorf("-speed %d: want 1 to 10000", c.speed)
	case c.fail < 0 || c.fail > 100:
		return nil, fmt.Errorf("-fail %d: want 0 to 100", c.fail)
	}
	return c, nil
}

// loopback reports whether an address to listen on is of this machine only.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// show serves the pages until the context ends.
func show(ctx context.Context, c *config, stdout io.Writer) error {
	d, err := newDemo(c)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.add(c.files); err != nil {
		return err
	}
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", c.addr, err)
	}
	server := &http.Server{Handler: d, ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(stdout, "open http://%s\n", l.Addr())
	fmt.Fprintln(stdout, "end with Ctrl-C")
	if err := d.client.Start(context.WithoutCancel(ctx)); err != nil {
		server.Close()
		<-served
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	d.page.Close()
	server.Close()
	<-served
	return nil
}
