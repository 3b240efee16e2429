package main

import (
	"context"
	"errors"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// A session is a client for one bucket whose work is reported.
type session struct {
	app    *app
	client *upload.Client // of place
	report *output.Reporter
	config *config.Config
	place  config.Place
	bucket string
	object *upload.ObjectOptions // of all files; nil: the defaults
	info   *upload.Info          // of all files; nil: none
	cache  *sts.Cache
	record *record // nil: none

	opts    upload.Options // of all clients, but for where they upload to
	clients clients        // one for each site; client is among them
}

// configuration returns the configuration of this run.
func (a *app) configuration() (*config.Config, error) {
	home, ok := a.lookup("HOME")
	if !ok {
		home, _ = a.lookup("USERPROFILE")
	}
	return config.Resolve(config.Input{Flags: a.global.config, Lookup: a.lookup, Home: home})
}

// open returns a session for a bucket that shows the progress of uploads. The caller must
// call finish.
func (a *app) open(ctx context.Context, bucket string, opts upload.Options) (*session, error) {
	c, place, err := a.placeOf(bucket)
	if err != nil {
		return nil, err
	}
	return a.openAt(ctx, c, place, bucket, opts)
}

// openAt is open for a bucket of which it is known how it is reached.
func (a *app) openAt(ctx context.Context, c *config.Config, place config.Place, bucket string, opts upload.Options) (*session, error) {
	s, err := a.connectAt(ctx, c, place, bucket, opts)
	if err == nil {
		s.report.Follow(s.stats)
	}
	return s, err
}

// placeOf returns how a bucket is reached, by the configuration.
func (a *app) placeOf(bucket string) (*config.Config, config.Place, error) {
	c, err := a.configuration()
	if err != nil {
		return nil, config.Place{}, err
	}
	place, err := c.Place(bucket)
	return c, place, err
}

// connect returns a session for a bucket. It has looked for credentials: without any, it
// fails at once. opts are those of the client; what the configuration and the report need
// is added. The caller must call finish.
func (a *app) connect(ctx context.Context, bucket string, opts upload.Options) (*session, error) {
	c, place, err := a.placeOf(bucket)
	if err != nil {
		return nil, err
	}
	return a.connectAt(ctx, c, place, bucket, opts)
}

// connectAt is connect for a bucket of which it is known how it is reached.
func (a *app) connectAt(ctx context.Context, c *config.Config, place config.Place, bucket string, opts upload.Options) (*session, error) {
	cache, err := sts.NewCache(c.Credentials, nil)
	if err != nil {
		return nil, err
	}
	if _, err := cache.Credentials(ctx); err != nil && hopeless(err) {
		_ = cache.Close()
		return nil, deniedError{err}
	}
	opts.Credentials = cache
	s := &session{app: a, report: a.reporter(), config: c, place: place, bucket: bucket, cache: cache, opts: opts}
	if s.client, err = s.clientAt(place); err != nil {
		_ = cache.Close()
		return nil, err
	}
	s.report.Detail("endpoint %s (%s), credentials from %s", place.Endpoint, place.Origin, c.Source.Origin)
	return s, nil
}

// reported returns callbacks that show what happens, and then call those of the command for
// the ends of files.
func reported(show, own upload.Callbacks) upload.Callbacks {
	both := show
	if own.OnFailed != nil {
		both.OnFailed = func(c *upload.Client, f upload.FileInfo, err error) {
			show.OnFailed(c, f, err)
			own.OnFailed(c, f, err)
		}
	}
	if own.OnSucceeded != nil {
		both.OnSucceeded = func(c *upload.Client, f upload.FileInfo, r upload.Result) {
			show.OnSucceeded(c, f, r)
			own.OnSucceeded(c, f, r)
		}
	}
	return both
}

// hopeless reports whether asking for credentials again is of no use.
func hopeless(err error) bool {
	return sts.Permanent(err) || errors.Is(err, sts.ErrInvalidCredentials) || errors.Is(err, sts.ErrExpired)
}

// A deniedError says that there are no credentials.
type deniedError struct{ err error }

func (e deniedError) Error() string { return e.err.Error() }
func (e deniedError) Unwrap() error { return e.err }

// finish waits until all files have ended, or stops them when ctx ends, and closes the
// session. err is what has already gone wrong with the run as a whole. All that went
// wrong is reported: the error that finish returns only has the exit code.
func (s *session) finish(ctx context.Context, err error) error {
	for _, c := range s.clients.list() {
		if err != nil {
			_ = c.Stop()
		}
		_ = c.Wait(context.WithoutCancel(ctx)) // the reporter has seen what failed
	}
	for _, c := range s.clients.list() {
		_ = c.Close()
	}
	_ = s.cache.Close()
	lost := s.record.close()
	if lost != nil && context.Cause(ctx) != nil { // which is what the run ends with
		s.report.Error(lost)
	}
	err = s.outcome(ctx, errors.Join(err, lost))
	s.report.Close(exitCode(err))
	if err != nil {
		return reportedError{err}
	}
	return nil
}

// outcome returns what the run ends with, and reports what no file has reported.
func (s *session) outcome(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if failed := s.report.Failures(); errors.Is(cause, errForAll) && len(failed) > 0 {
		s.report.Say("%v", cause)
		return failures(failed)
	}
	if cause != nil {
		s.app.sayInterrupted(s.report, cause)
		return cause
	}
	if err != nil {
		s.report.Error(err)
		return err
	}
	if failed := s.report.Failures(); len(failed) > 0 {
		return failures(failed)
	}
	return nil
}

// file returns a file with the destination that all files of the session share.
func (s *session) file() upload.File {
	return upload.File{Endpoint: s.place.Endpoint, Bucket: s.bucket, Options: s.object, Info: s.info}
}
