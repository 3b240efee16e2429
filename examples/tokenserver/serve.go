package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/sts/ststest"
)

// serve runs the server until the context ends.
func serve(ctx context.Context, s *settings, stdout io.Writer) error {
	config, err := s.load()
	if err != nil {
		return err
	}
	var known *clients
	if s.clients != "" {
		if known, err = openClients(s.clients, s.opts.Logger); err != nil {
			return err
		}
		s.opts.Authenticate = known.authenticate
	}
	var server *ststest.Server
	if s.embedded {
		server = embed(config)
		defer server.Close()
		s.opts.Logger.Info("STS is in this process: no real server accepts its tokens")
	}
	s.warn()
	started := func() {}
	if s.embedded {
		s.opts.Logger, started = quietStart(s.opts.Logger)
	}
	handler, err := appserver.New(config, &s.opts)
	if err != nil {
		return err
	}
	started()
	defer handler.Close()
	if known != nil {
		end, err := known.follow(ctx, handler.Validate)
		if err != nil {
			return err
		}
		defer end()
	}
	if !s.web.on {
		return s.listen(ctx, handler, stdout)
	}
	if s.embedded {
		end, err := s.embedOSS(server, config.BucketName)
		if err != nil {
			return err
		}
		defer end()
	}
	both, err := s.mount(handler, config)
	if err != nil {
		return err
	}
	return s.listen(ctx, both, stdout)
}

// warn says what the command line lets in.
func (s *settings) warn() {
	if s.opts.AllowAnyone {
		s.opts.Logger.Warn("whoever can reach the address gets a token", "addr", s.addr)
	}
	if s.cert == "" && !loopback(s.addr) {
		s.opts.Logger.Warn("tokens and access codes cross the network in the clear: give -tls-cert and -tls-key, "+
			"or let a proxy that speaks https be the only one to reach this address", "addr", s.addr)
	}
	if s.key != "" {
		warnIfReadable(s.opts.Logger, s.key)
	}
}

// keyIDEnv is the environment variable with the ID of the RAM user's key.
const keyIDEnv = "ALIBABA_CLOUD_ACCESS_KEY_ID"

// load reads the configuration, with the environment on top.
func (s *settings) load() (*appserver.Config, error) {
	config := &appserver.Config{}
	if s.config != "" {
		var err error
		config, err = appserver.LoadConfig(s.config)
		if s.configByDefault && errors.Is(err, fs.ErrNotExist) && os.Getenv(keyIDEnv) != "" {
			config, err = &appserver.Config{}, nil // all of it is in the environment
		}
		if err != nil {
			return nil, err
		}
	}
	used, err := config.Override(os.LookupEnv)
	if err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	if len(used) > 0 {
		s.opts.Logger.Info("the environment overrides the configuration", "variables", used)
	}
	return config, nil
}

// embed starts an STS, and points the configuration at it. What the configuration
// says about the role, the policy and the bucket stays.
func embed(config *appserver.Config) *ststest.Server {
	if config.RoleARN == "" {
		config.RoleARN = ststest.DefaultRole
	}
	if config.PolicyFile == "" {
		config.PolicyFile = "policy/bucket_read_write_policy.txt"
	}
	if config.BucketName == "" {
		config.BucketName = "media"
	}
	role := ststest.Role{ARN: config.RoleARN, MaxSession: sts.MaxDuration}
	if _, err := sts.NewAssumeRole(sts.Static(sts.Credentials{}), role.ARN, nil); err != nil {
		role.ARN = ststest.DefaultRole // the check of the configuration names the field
	}
	server := ststest.NewServer(&ststest.Options{Roles: []ststest.Role{role}})
	user := server.DefaultUser()
	config.AccessKeyID, config.AccessKeySecret = user.AccessKeyID, user.AccessKeySecret
	config.STSEndpoint = server.URL
	return server
}

// The times that a connection may take. A client that is slower than that is
// broken, or means no good.
const (
	readTimeout     = 10 * time.Second
	writeTimeout    = 40 * time.Second // a token may take 20 s
	idleTimeout     = time.Minute
	shutdownTimeout = 10 * time.Second
	maxHeaderBytes  = 16 << 10
)

// listen serves until ctx ends, and then answers what has been asked before.
func (s *settings) listen(ctx context.Context, handler http.Handler, stdout io.Writer) error {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("-addr %s: %w", s.addr, err)
	}
	server := &http.Server{
		Handler: handler, ReadTimeout: readTimeout, ReadHeaderTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.opts.Logger.Handler(), slog.LevelWarn),
	}
	scheme, run := "http", func() error { return server.Serve(l) }
	if s.cert != "" {
		if server.TLSConfig, err = loadTLS(s.cert, s.key); err != nil {
			return errors.Join(err, l.Close())
		}
		scheme, run = "https", func() error { return server.ServeTLS(l, "", "") }
	}
	served := make(chan error, 1)
	go func() { served <- run() }()
	fmt.Fprintf(stdout, "listening on %s://%s\n", scheme, l.Addr())
	if s.embedded && s.clients == "" {
		fmt.Fprintf(stdout, "try it: curl %s://%s/\n", scheme, l.Addr())
	}
	if s.web.on {
		fmt.Fprintf(stdout, "upload page at %s://%s%s\n", scheme, l.Addr(), pagePath)
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	s.opts.Logger.Info("shutting down")
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err = server.Shutdown(end)
	if err != nil {
		err = errors.Join(fmt.Errorf("shut down: some clients did not get an answer: %w", err), server.Close())
	}
	<-served
	return err
}
