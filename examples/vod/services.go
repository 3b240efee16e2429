package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// provider returns where tokens come from, with a cache around it. Where the role's
// base cannot be found, or may not assume it, that is the error.
func (s *settings) provider(ctx context.Context) (*sts.Cache, error) {
	if s.tokens != "" {
		server, err := sts.NewHTTP(s.tokens, nil)
		if err != nil {
			return nil, err
		}
		return sts.NewCache(server, nil)
	}
	base := s.base
	if base == nil {
		base = sts.Default(nil)
	}
	role, err := sts.NewAssumeRole(base, s.role, &s.sts)
	if err != nil {
		return nil, err
	}
	cache, err := sts.NewCache(role, nil)
	if err != nil {
		return nil, err
	}
	if _, err := cache.Credentials(ctx); err != nil {
		return nil, errors.Join(err, cache.Close())
	}
	return cache, nil
}

// embed starts STS, VOD and OSS in this process, points the settings at them, and
// makes a file if there is none. The caller must call stop.
func (s *settings) embed() (stop func(), err error) {
	dir, err := os.MkdirTemp("", "vod")
	if err != nil {
		return nil, err
	}
	keys, objects := ststest.NewServer(nil), osstest.NewServer(&osstest.Options{Region: s.client.Region})
	videos := vodtest.NewServer(&vodtest.Options{
		Region: s.client.Region, Endpoint: objects.URL, CreateBucket: objects.CreateBucket,
		AddKey: func(k vodtest.Key) { objects.AddKey(osstest.Key(k)) },
		LookupKey: func(id, token string) (vodtest.Key, bool) {
			c, ok := keys.Lookup(id, token)
			return vodtest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken, Expires: c.Expires}, ok
		},
	})
	stop = func() {
		videos.Close()
		objects.Close()
		keys.Close()
		_ = os.RemoveAll(dir)
	}
	// One auth expires half way through the first file of some parts.
	objects.Inject(osstest.ExpireToken(osstest.OpUploadPart).Nth(4))
	s.asked = func() string {
		var calls []string
		for _, action := range []string{vodtest.CreateUploadVideo, vodtest.CreateUploadImage, vodtest.RefreshUploadVideo} {
			if n := videos.Calls(action); n > 0 {
				calls = append(calls, fmt.Sprintf("%s %d×", action, n))
			}
		}
		return strings.Join(calls, ", ")
	}
	// What is checkpointed is gone with the servers: the user's own are left alone.
	s.checkpoints = checkpoint.NewMemory()
	s.base, s.role, s.sts.Endpoint, s.client.Endpoint = sts.Static(keys.DefaultUser()), ststest.DefaultRole, keys.URL, videos.URL
	if len(s.files) == 0 {
		s.files = []string{filepath.Join(dir, "sample.mp4")}
		if err := sample(s.files[0]); err != nil {
			stop()
			return nil, err
		}
	}
	return stop, nil
}

// sample makes a file of 8 MiB. No player would play it, and nobody here looks.
func sample(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.Reader, 8<<20)
	return errors.Join(err, f.Close())
}
