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
	var unsure []string
	client, err := upload.New(j.options(store, func(_ *upload.Client, f upload.FileInfo, r upload.Result) {
		if !r.Verified {
			unsure = append(unsure, f.Object)
		}
	}))
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Start(ctx); err != nil { // as the others do, it sends while files are added
		return err
	}
	for i := range j.Scenario.Files {
		f := upload.File{Path: j.Path, Endpoint: j.Endpoint, Bucket: bucket, Object: j.object(i)}
		if _, err := client.AddFile(f); err != nil {
			return err
		}
	}
	if err := client.Wait(ctx); err != nil {
		return err
	}
	if len(unsure) > 0 {
		return fmt.Errorf("the server did not confirm the CRC64 of %d objects, the first is %s", len(unsure), unsure[0])
	}
	return nil
}

// options are those of the job, and the defaults for all else.
func (j *job) options(store checkpoint.Store, succeeded func(*upload.Client, upload.FileInfo, upload.Result)) *upload.Options {
	o := &upload.Options{
		Credentials: sts.Static(sts.Credentials{AccessKeyID: keyID, AccessKeySecret: keySecret}),
		Checkpoints: store,
		PartSize:    j.Scenario.PartSize,
		Parallel:    j.Scenario.Parallel,
		Region:      region,
		RetryCount:  -1, // a fault would spoil the figures: better fail
		Callbacks:   upload.Callbacks{OnSucceeded: succeeded},
	}
	if j.Contender == oursAuto {
		o.Parallel = upload.Auto
	}
	return o
}
