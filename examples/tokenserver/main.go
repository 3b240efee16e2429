// Command tokenserver is the app server of the upload SDKs: clients ask it for
// temporary credentials, and the key of the account stays here.
//
//	go run ./examples/tokenserver -config config.json -addr 127.0.0.1:7080
//	go run ./examples/tokenserver -embedded
//	go run ./examples/tokenserver -embedded -web
//
// The first form calls STS with the key in config.json, or in the environment. The
// second has an STS of its own in this process (package ststest) and needs no
// account: its tokens are good for nothing but a test server that knows that STS.
// With -web there is a page at /upload/ on which people upload files from a browser
// (package webupload); with -embedded it has such a server to upload to.
//
// Its first line of output is "listening on http://HOST:PORT"; the log goes to
// standard error. It stops on SIGINT and SIGTERM, after it has answered what it
// was asked, and reads the file of -clients again when it changes and on SIGHUP.
// Without -clients it serves this machine only, as far as it can see: a reverse proxy
// or a tunnel here can let others in, and so it warns at its start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"github.com/vodupload/vodupload/examples/internal/version"
	"github.com/vodupload/vodupload/sts/appserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// settings are what the command line says.
type settings struct {
	config   string
	addr     string
	version  bool
	embedded bool
	clients  string
	cert     string
	key      string
	verbose  bool
	proxies  []string
	web      web
	opts     appserver.Options

	configByDefault bool // config was not given
}

// run is the program. It returns its exit status: 0 after a signal, 1 on a
// failure, and 2 on a wrong command line.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "tokenserver: %v\n", err)
		return 2
	}
	if s.version {
		fmt.Fprintln(stdout, version.Line("tokenserver"))
		return 0
	}
	level := slog.LevelInfo
	if s.verbose {
		level = slog.LevelDebug
	}
	s.opts.Logger = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	if err := serve(ctx, s, stdout); err != nil {
		fmt.Fprintf(stderr, "tokenserver: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*settings, error) {
	s := &settings{}
	flags := flag.NewFlagSet("tokenserver", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&s.config, "config", "", "`file` with the key, the role and the policy (default config.json, unless -embedded or all is in the environment)")
	flags.StringVar(&s.addr, "addr", "127.0.0.1:7080", "`address` to listen on; with port 0, any free port")
	flags.BoolVar(&s.embedded, "embedded", false, "use an STS in this process instead of the real one")
	flags.StringVar(&s.clients, "clients", "", "`file` with the clients that may ask, by bearer token")
	flags.BoolVar(&s.opts.AllowAnyone, "anyone", false, "serve everybody who can reach the address, without asking who it is")
	flags.BoolVar(&s.opts.HTTPStatus, "http-status", false, "answer failures with an HTTP status other than 200")
	flags.IntVar(&s.opts.Rate, "rate", 0, "requests a second of one client, and refusals of one address (default 50, -1 for no limit)")
	flags.StringVar(&s.cert, "tls-cert", "", "`file` with the certificate for https")
	flags.StringVar(&s.key, "tls-key", "", "`file` with the certificate's key")
	flags.BoolVar(&s.web.on, "web", false, "serve a page at "+pagePath+" that uploads files from a browser")
	flags.StringVar(&s.web.endpoint, "endpoint", "", "`host` or URL that the bucket is at, for -web (oss-cn-hangzhou.aliyuncs.com)")
	flags.BoolVar(&s.web.custom, "custom-domain", false, "-endpoint is a domain that is mapped to the bucket")
	flags.StringVar(&s.web.region, "region", "", "`region` of the bucket, for -web, where the endpoint's name does not have it (cn-hangzhou)")
	flags.StringVar(&s.web.sdk, "web-sdk", "", "`file` with the web SDK (default: where \"npm ci\" in examples/webupload puts it)")
	flags.Func("host", "serve requests for this host `name`, besides localhost and addresses; may be repeated", func(name string) error {
		s.opts.Hosts = append(s.opts.Hosts, name)
		return nil
	})
	flags.Func("proxy", "take the client's address from X-Forwarded-For of a proxy at this `address` or network; may be repeated", func(proxy string) error {
		s.proxies = append(s.proxies, proxy)
		return nil
	})
	flags.BoolVar(&s.verbose, "verbose", false, "log each token that is handed out")
	flags.Func("origin", "let pages of this `origin` ask (https://example.com, null, *); may be repeated", func(origin string) error {
		s.opts.Origins = append(s.opts.Origins, origin)
		return nil
	})
	flags.BoolVar(&s.version, "version", false, "print the version, and end")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprintln(stderr, "usage of tokenserver:")
		flags.SetOutput(stderr)
		flags.PrintDefaults()
		return nil, err
	case err != nil:
		return nil, err
	case flags.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %s: only flags are known, see -help", shown(flags.Arg(0)))
	case s.version:
		return s, nil
	}
	return s, s.validate()
}

// shown is an argument as an error quotes it: there may be a password in a URL.
func shown(text string) string {
	if strings.Contains(text, "@") || strings.Contains(text, "://") {
		return fmt.Sprintf("(%d characters, with a URL or an address)", len(text))
	}
	return strconv.Quote(text)
}

// parseProxy reads an address, or a network such as 10.0.0.0/8. No error quotes it.
func parseProxy(text string) (netip.Prefix, error) {
	if network, err := netip.ParsePrefix(text); err == nil {
		return network, nil
	}
	address, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, errors.New("-proxy: want an address such as 10.0.0.1, or a network such as 10.0.0.0/8")
	}
	return address.Prefix(address.BitLen())
}

func (s *settings) validate() error {
	for _, text := range s.proxies {
		proxy, err := parseProxy(text)
		if err != nil {
			return err
		}
		s.opts.Proxies = append(s.opts.Proxies, proxy)
	}
	host, _, err := net.SplitHostPort(s.addr)
	switch {
	case err != nil || strings.ContainsAny(host, "@/"): // a URL, perhaps with a password in it
		return errors.New("-addr: want a host and a port, such as 127.0.0.1:7080 or :7080")
	case (s.cert == "") != (s.key == ""):
		return errors.New("-tls-cert and -tls-key go together: give both or neither")
	case s.clients != "" && s.opts.AllowAnyone:
		return errors.New("-clients says who may ask, -anyone that all may: give one of them")
	case s.clients == "" && !s.opts.AllowAnyone && !loopback(s.addr):
		return fmt.Errorf("-addr %s can be reached from other machines, and nothing says who may ask: "+
			"give -clients with their tokens, or -anyone to serve all", s.addr)
	}
	if s.config == "" && !s.embedded {
		s.config, s.configByDefault = "config.json", true
	}
	return s.web.validate(s.embedded)
}

// loopback reports whether an address to listen on is of this machine only. A
// name other than localhost could be anything.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
