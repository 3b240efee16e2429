package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
)

// A workerSpec is what a worker is told.
type workerSpec struct {
	Name   string
	Nodes  string // URLs
	Folder string // of the films
	Lease  time.Duration
	Dies   bool // with its first film
}

const partSize = 256 << 10

// runWorker is the program that a user would write. It would get its credentials from
// sts.Default, and end with SIGTERM, by signal.NotifyContext; this one is only killed.
func runWorker(spec *workerSpec) error {
	ctx := context.Background()
	nc, err := connect(spec.Nodes)
	if err != nil {
		return err
	}
	files, err := fleet.Files(spec.Folder)
	if err != nil {
		return err
	}
	options := &fleet.WorkerOptions{
		Name:    spec.Name,
		Openers: map[string]fleet.Opener{"file": files},
		Upload: upload.Options{
			Credentials: sts.Static(sts.Credentials{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret}),
			PartSize:    partSize,
		},
		Files:         2,
		FleetParallel: 12,
		Presence:      time.Second, // a demonstration need not wait 15 s for its share
		Lease:         spec.Lease,
		AckWait:       spec.Lease / 4,
		SyncAlways:    true, // as embedded nodes do
	}
	if spec.Dies {
		options.Prepare = func(context.Context, fleet.Job, *upload.File) error { os.Exit(1); return nil }
	}
	worker, err := fleet.NewWorker(ctx, nc, options)
	if err != nil {
		return err
	}
	fmt.Println(ready)
	return worker.Run(ctx)
}

// connect connects to any of the nodes, and to another when that one is gone.
func connect(urls string) (*nats.Conn, error) {
	return nats.Connect(urls,
		nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // calls return their errors
	)
}
