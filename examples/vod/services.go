package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/vod/vodtest"
)

// The environment variables with the key, as in Alibaba Cloud's own tools.
const (
	keyIDEnv  = "ALIBABA_CLOUD_ACCESS_KEY_ID"
	secretEnv = "ALIBABA_CLOUD_ACCESS_KEY_SECRET"
)

// provider returns where tokens come from, with a cache around it.
func (s *settings) provider() (*sts.Cache, error) {
	if s.tokens != "" {
		server, err := sts.NewHTTP(s.tokens, nil)
		if err != nil {
			return nil, err
		}
		return sts.NewCache(server, nil)
	}
	if s.key == (sts.Credentials{}) {
		s.key = sts.Credentials{AccessKeyID: os.Getenv(keyIDEnv), AccessKeySecret: os.Getenv(secretEnv)}
	}
	if err := s.key.Validate(); err != nil {
		return nil, fmt.Errorf("the key in %s and %s: %w", keyIDEnv, secretEnv, err)
	}
	role, err := sts.NewAssumeRole(sts.Static(s.key), s.role, &s.sts)
	if err != nil {
		return nil, err
	}
	return sts.NewCache(role, nil)
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
	// What is checkpointed is gone with the servers: the user's own are left alone.
	s.checkpoints = checkpoint.NewMemory()
	s.key, s.role, s.sts.Endpoint, s.client.Endpoint = keys.DefaultUser(), ststest.DefaultRole, keys.URL, videos.URL
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
