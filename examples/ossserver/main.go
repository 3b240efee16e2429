// Command ossserver runs an OSS server for tests and demonstrations on this
// machine. It speaks the protocol of Alibaba Cloud OSS, checks signatures, and
// keeps what it is given in memory or in a directory:
//
//	go run ./examples/ossserver
//	go run ./examples/ossserver -addr 127.0.0.1:9000 -dir ./data -bucket media
//	go run ./examples/ossserver -v -fail 5% -fail 1%,ServiceUnavailable,UploadPart -latency 50ms
//	go run ./examples/ossserver -sts
//
// Its first line of output is "listening on http://HOST:PORT"; what to copy into
// another terminal follows. It stops on SIGINT and SIGTERM. The directory must be new,
// empty, or one that ossserver made; it refuses any other and leaves it as it is. It is
// no place for data that matters: it does not sync to disk.
//
// The key that requests are signed with is in OSSSERVER_ACCESS_KEY_ID and
// OSSSERVER_ACCESS_KEY_SECRET, or in flags, where all users of the machine can see it;
// by default it is one that everybody knows. So on an address that other machines reach
// it wants a key of yours. With -sts an STS takes the same key and issues tokens that the
// server accepts; the command tokenserver can hand them out.
//
// The third form makes trouble: requests fail, at random, and answers take longer. With
// -v each request is a line on standard error.
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
	"github.com/vodupload/vodupload/upload/osstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// A config is what the command line and the environment say.
type config struct {
	addr    string
	opts    osstest.Options
	key     osstest.Key
	sts     bool
	verbose bool
	fails   []failing
	latency time.Duration
	version bool
}

// The environment variables with the key.
const (
	keyIDEnv     = "OSSSERVER_ACCESS_KEY_ID"
	keySecretEnv = "OSSSERVER_ACCESS_KEY_SECRET"
)

// maxHeaderBytes is how large the header of a request may be; OSS takes less.
const maxHeaderBytes = 64 << 10

// run is the program. It returns its exit status: 0 after a signal, 1 on a
// failure, and 2 on a wrong command line.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	c, err := parse(args, getenv, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "ossserver: %v\n", err)
		return 2
	}
	if c.version {
		fmt.Fprintln(stdout, version.Line("ossserver"))
		return 0
	}
	if err := serve(ctx, c, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "ossserver: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, getenv func(string) string, stderr io.Writer) (*config, error) {
	// Without -v nobody asks the program for its log.
	c := &config{opts: osstest.Options{KeepRequests: -1}}
	flags := flag.NewFlagSet("ossserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&c.addr, "addr", "127.0.0.1:9000", "`address` to listen on; with port 0, any free port")
	flags.StringVar(&c.opts.Dir, "dir", "", "`directory` that keeps what is stored: new, empty, or made by ossserver (default: memory)")
	flags.StringVar(&c.opts.Region, "region", "", "`region` to be in (default cn-hangzhou)")
	flags.StringVar(&c.key.AccessKeyID, "access-key-id", "", "the `ID` that requests are signed with (default $"+keyIDEnv+", or "+osstest.DefaultKey.AccessKeyID+")")
	flags.StringVar(&c.key.AccessKeySecret, "access-key-secret", "", "the `secret` that belongs to the ID (default $"+keySecretEnv+", or "+osstest.DefaultKey.AccessKeySecret+")")
	flags.Func("bucket", "create the bucket `name`; may be repeated (default media)", func(name string) error {
		c.opts.Buckets = append(c.opts.Buckets, name)
		return nil
	})
	flags.BoolVar(&c.sts, "sts", false, "run an STS on this machine, too, and accept its tokens")
	flags.BoolVar(&c.verbose, "v", false, "write each request to standard error")
	flags.Func("fail", "let some requests fail: `SHARE[,CODE[,OPERATION]]`, such as 5% or 5%,ServiceUnavailable,UploadPart; may be repeated", func(text string) error {
		f, err := parseFailing(text)
		c.fails = append(c.fails, f)
		return err
	})
	flags.DurationVar(&c.latency, "latency", 0, "`time` that each answer takes longer, such as 50ms")
	flags.BoolVar(&c.version, "version", false, "print the version, and end")
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
	case c.latency < 0:
		return nil, fmt.Errorf("-latency %v is negative", c.latency)
	}
	if len(c.opts.Buckets) == 0 {
		c.opts.Buckets = []string{"media"}
	}
	if c.verbose {
		c.opts.KeepRequests = keptForLog
	}
	return c, c.chooseKey(getenv)
}

// chooseKey takes the key of the flags, else that of the environment, else the one that
// everybody knows.
func (c *config) chooseKey(getenv func(string) string) error {
	if c.key.AccessKeyID == "" && c.key.AccessKeySecret == "" {
		c.key.AccessKeyID = getenv(keyIDEnv)
	}
	if c.key.AccessKeySecret == "" {
		c.key.AccessKeySecret = getenv(keySecretEnv)
	}
	switch {
	case (c.key.AccessKeyID == "") != (c.key.AccessKeySecret == ""):
		return fmt.Errorf("-access-key-id and -access-key-secret, or %s and %s, go together: give both or neither", keyIDEnv, keySecretEnv)
	case c.key.AccessKeyID == "" && !loopback(c.addr):
		return fmt.Errorf("-addr %s can be reached from other machines, which all know the default key: "+
			"give one of your own in %s and %s, or by -access-key-id and -access-key-secret", c.addr, keyIDEnv, keySecretEnv)
	case c.key.AccessKeyID == "":
		c.key = osstest.DefaultKey
	}
	c.opts.Keys = []osstest.Key{c.key}
	return nil
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
func serve(ctx context.Context, c *config, stdout, stderr io.Writer) error {
	stsURL := ""
	if c.sts {
		tokens := startSTS(&c.opts, c.key)
		defer tokens.Close()
		stsURL = tokens.URL
	}
	oss, err := osstest.New(&c.opts)
	if err != nil {
		return err
	}
	defer oss.Close()
	oss.Inject(faults(c.fails, c.latency)...)
	var handler http.Handler = oss
	if c.verbose {
		handler = logged(oss, stderr)
	}
	l, err := net.Listen("tcp", c.addr)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", c.addr, err)
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeaderBytes}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	fmt.Fprintf(stdout, "listening on %s\n%s", address(l), banner(address(l), stsURL, c.opts.Buckets[0], c.key))
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
