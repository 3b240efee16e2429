// Command ossserver runs an OSS server for tests and demonstrations on this
// machine. It speaks the protocol of Alibaba Cloud OSS, checks signatures, and
// keeps what it is given in memory or in a directory:
//
//	ossserver -addr 127.0.0.1:9000 -dir ./data -bucket media \
//		-access-key-id ID -access-key-secret SECRET
//
// Its first line of output is "listening on http://HOST:PORT". It stops on
// SIGINT and SIGTERM. On an address that other machines reach it wants a key of
// yours, since everybody knows the default one. The directory must be new, empty, or
// one that ossserver made; it refuses any other and leaves it as it is. It is no place
// for data that matters: it does not sync to disk.
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

	"github.com/vodupload/vodupload/upload/osstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// A config is what the command line says.
type config struct {
	addr string
	opts osstest.Options
}

// run is the program. It returns its exit status: 0 after a signal, 1 on a
// failure, and 2 on a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "ossserver: %v\n", err)
		return 2
	}
	if err := serve(ctx, c, stdout); err != nil {
		fmt.Fprintf(stderr, "ossserver: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*config, error) {
	// Nobody asks the program for its log.
	c := &config{opts: osstest.Options{KeepRequests: -1}}
	var key osstest.Key
	flags := flag.NewFlagSet("ossserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:9000", "`address` to listen on; with port 0, any free port")
	flags.StringVar(&c.opts.Dir, "dir", "", "`directory` that keeps what is stored: new, empty, or made by ossserver (default: memory)")
	flags.StringVar(&c.opts.Region, "region", "", "region to be in (default cn-hangzhou)")
	flags.StringVar(&key.AccessKeyID, "access-key-id", "", "the `ID` that requests are signed with (default "+osstest.DefaultKey.AccessKeyID+")")
	flags.StringVar(&key.AccessKeySecret, "access-key-secret", "", "the `secret` that belongs to the ID")
	flags.Func("bucket", "create the bucket `name`; may be repeated", func(name string) error {
		c.opts.Buckets = append(c.opts.Buckets, name)
		return nil
	})
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage of ossserver:")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q: only flags are known, see -help", flags.Arg(0))
	case (key.AccessKeyID == "") != (key.AccessKeySecret == ""):
		return nil, errors.New("-access-key-id and -access-key-secret go together: give both or neither")
	case key.AccessKeyID == "" && !loopback(c.addr):
		return nil, fmt.Errorf("-addr %s can be reached from other machines, which all know the default key: "+
			"give -access-key-id and -access-key-secret", c.addr)
	case key.AccessKeyID != "":
		c.opts.Keys = []osstest.Key{key}
	}
	return c, nil
}

// loopback reports whether an address to listen on is of this machine only. A name
// other than localhost could be anything. One that is no address is refused later.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// serve runs the server until the context ends.
func serve(ctx context.Context, c *config, stdout io.Writer) error {
	handler, err := osstest.New(&c.opts)
	if err != nil {
		return err
	}
	defer handler.Close()
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", c.addr, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(stdout, "listening on %s\n", address(l))
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	server.Close()
	<-served
	return nil
}

// address returns the URL of a listener. One that listens on all addresses is
// reached by a name of this machine.
func address(l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
