package main

import (
	"context"
	"fmt"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// runOurs does the job with this library, the way its documentation shows.
func runOurs(ctx context.Context, j *job) error {
	var store checkpoint.Store = checkpoint.NewMemory()
	if j.Contender != oursVolatile {
		dir, err := checkpoint.OpenDir(j.Dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		store = dir
	}
	client, err := upload.New(&upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret}),
		Checkpoints: store,
		PartSize:    j.Scenario.PartSize,
		Parallel:    j.Scenario.Parallel,
		Region:      region,
		RetryCount:  -1,
	})
	if err != nil {
		return err
	}
	defer client.Close()
	for i := range j.Scenario.Files {
		f := upload.File{Path: j.Path, Endpoint: j.Endpoint, Bucket: bucket, Object: j.object(i)}
		if _, err := client.AddFile(f); err != nil {
			return err
		}
	}
	if err := client.Start(ctx); err != nil {
		return err
	}
	if err := client.Wait(ctx); err != nil {
		return err
	}
	return verified(client)
}

// verified looks at what came of each file, as a program would.
func verified(client *upload.Client) error {
	for _, f := range client.Files() {
		if f.Result == nil || !f.Result.Verified {
			return fmt.Errorf("%s: the server did not confirm the CRC64", f.Object)
		}
	}
	return nil
}
