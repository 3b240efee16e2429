package main

import (
	"context"
	"path/filepath"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
)

// runV1 does the job with UploadFile of the v1 SDK.
func runV1(_ context.Context, j *job) error {
	b, err := bucketV1(j)
	if err != nil {
		return err
	}
	s := &j.Scenario
	if s.Files == 1 {
		options := []oss.Option{oss.Routines(s.Parallel)}
		if j.Contender == v1Checkpoint {
			options = append(options, oss.Checkpoint(true, filepath.Join(j.Dir, "v1.cp")))
		}
		return b.UploadFile(j.object(0), j.Path, s.PartSize, options...)
	}
	return each(s.Files, s.Parallel, func(i int) error {
		return b.UploadFile(j.object(i), j.Path, s.PartSize)
	})
}

// runV1Put does the job with PutObjectFromFile of the v1 SDK.
func runV1Put(_ context.Context, j *job) error {
	b, err := bucketV1(j)
	if err != nil {
		return err
	}
	return each(j.Scenario.Files, j.Scenario.Parallel, func(i int) error {
		return b.PutObjectFromFile(j.object(i), j.Path)
	})
}

func bucketV1(j *job) (*oss.Bucket, error) {
	c, err := oss.New(j.Endpoint, keyID, keySecret, oss.AuthVersion(oss.AuthV4), oss.Region(region))
	if err != nil {
		return nil, err
	}
	return c.Bucket(bucket)
}
