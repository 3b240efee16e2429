package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/fleetpage"
)

// servePage shows the fleet of a queue at an address, until stop is called. This process
// uploads nothing: the client that the page is of has no files.
func servePage(addr string, queue *fleet.Queue) (url string, stop func(), err error) {
	client, err := upload.New(&upload.Options{Checkpoints: checkpoint.NewMemory()})
	if err != nil {
		return "", nil, err
	}
	page, err := dashboard.New(client, &dashboard.Options{Fleet: fleetpage.Of(queue)})
	if err != nil {
		return "", nil, errors.Join(err, client.Close())
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		page.Close()
		return "", nil, errors.Join(err, client.Close())
	}
	server := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(l)
	}()
	return "http://" + l.Addr().String(), func() {
		page.Close() // ends the streams
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-ended
		_ = client.Close()
	}, nil
}
