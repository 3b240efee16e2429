package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/osstest"
)

const (
	bucket  = "media"
	nodes   = 3
	workers = 3
)

// A show is one run of the example.
type show struct {
	films int
	parts int           // of each film
	delay time.Duration // of each part at the server, so that there is something to see
	lease time.Duration
	page  string // the address of a page in a browser; empty: none

	sparesNodes bool   // no node is killed: after that an election takes seconds
	dying       string // the worker that ends with its first film; empty: none
}

// partsBeforeKill is about 40 % of all parts, and not of whole films: some are half way.
func (s show) partsBeforeKill() int { return s.films*2/5*s.parts + s.parts/2 }

// A director runs the show.
type director struct {
	show
	*narrator
	dir     string // of all that it makes
	server  *osstest.Server
	hold    *osstest.Fault // of the parts that arrive before a worker is killed, however late that is
	queue   *fleet.Queue
	owners  []net.Listener // of the ports of the nodes
	nodes   []*process
	workers map[string]*process
}

func direct(ctx context.Context, s show, out *os.File) (err error) {
	dir, err := os.MkdirTemp("", "vodupload-fleet-")
	if err != nil {
		return err
	}
	d := &director{show: s, narrator: newNarrator(out, s.parts), dir: dir, workers: make(map[string]*process)}
	d.server = osstest.NewServer(&osstest.Options{Buckets: []string{bucket}})
	defer func() {
		d.killAll()
		d.server.Close()
		err = errors.Join(err, os.RemoveAll(dir))
	}()
	d.hold = osstest.Hang(osstest.OpUploadPart).Nth(s.partsBeforeKill() + 1).Always()
	defer d.hold.Release()
	d.server.Inject(d.hold, osstest.Delay(osstest.OpUploadPart, s.delay).Always())
	urls, err := d.startNodes(ctx)
	if err != nil {
		return err
	}
	nc, err := connect(urls)
	if err != nil {
		return err
	}
	defer nc.Close()
	d.say("%d NATS nodes keep the queue and the checkpoints: each of them has all", nodes)
	err = untilEngine(ctx, func() error {
		d.queue, err = fleet.NewQueue(ctx, nc, nil)
		return err
	})
	if err != nil {
		return err
	}
	if s.page != "" {
		url, stop, err := servePage(s.page, d.queue)
		if err != nil {
			return err
		}
		defer stop()
		d.say("open %s in a browser", url)
	}
	if err := d.startWorkers(urls); err != nil {
		return err
	}
	if err := d.enqueue(ctx); err != nil {
		return err
	}
	if err := d.follow(ctx); err != nil {
		return err
	}
	return d.verify(ctx)
}

func (d *director) killAll() {
	for _, p := range d.workers {
		p.kill()
	}
	for _, p := range d.nodes {
		p.kill()
	}
	for _, l := range d.owners {
		_ = l.Close()
	}
}

// startNodes runs the nodes, and returns their URLs.
func (d *director) startNodes(ctx context.Context) (string, error) {
	clients, err := d.ownAddrs(nodes)
	if err != nil {
		return "", err
	}
	routes, err := d.ownAddrs(nodes)
	if err != nil {
		return "", err
	}
	type started struct {
		*process
		error
	}
	each := make(chan started, nodes)
	for i := range nodes {
		name := fmt.Sprintf("node%d", i+1)
		c := child{Node: &embedded.Options{
			Dir: filepath.Join(d.dir, fmt.Sprintf("node%d", i+1)), Addr: clients[i], Name: name,
			Cluster: &embedded.Cluster{Name: "example", Addr: routes[i], Routes: routes},
		}}
		go func() {
			p, err := c.start()
			each <- started{p, err}
		}()
	}
	for range nodes {
		s := <-each
		err = errors.Join(err, s.error)
		if s.process != nil {
			d.nodes = append(d.nodes, s.process)
		}
	}
	return "nats://" + strings.Join(clients, ",nats://"), errors.Join(err, context.Cause(ctx))
}

// ownAddrs returns addresses that nobody listens on, and that nobody else gets who chooses
// them so: an odd port belongs to the process that listens on the even one before it. All
// are below those that systems give to connections.
func (d *director) ownAddrs(n int) ([]string, error) {
	var addrs []string
	for tries := 0; len(addrs) < n; tries++ {
		port := 10_000 + 2*rand.IntN(10_000)
		addr := fmt.Sprintf("127.0.0.1:%d", port+1)
		owner, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			d.owners = append(d.owners, owner)
			var l net.Listener
			if l, err = net.Listen("tcp", addr); err == nil {
				_ = l.Close()
				addrs = append(addrs, addr)
				continue
			}
		}
		if tries == 1000 {
			return nil, err
		}
	}
	return addrs, nil
}

// untilEngine repeats a call until the nodes have found each other.
func untilEngine(ctx context.Context, call func() error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := call()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (d *director) startWorkers(urls string) error {
	for i := range workers {
		name := fmt.Sprintf("worker %d", i+1)
		c := child{Worker: &workerSpec{Name: name, Nodes: urls, Folder: d.folder(), Lease: d.lease, Dies: name == d.dying}}
		p, err := c.start()
		if err != nil {
			return err
		}
		d.workers[name] = p
	}
	d.say("%d workers wait for films", workers)
	return nil
}

func (d *director) folder() string { return filepath.Join(d.dir, "films") }

// film returns the name of a film.
func film(i int) string { return fmt.Sprintf("film-%02d.mp4", i+1) }

// enqueue makes the films, and puts a job for each into the queue.
func (d *director) enqueue(ctx context.Context) error {
	if err := os.Mkdir(d.folder(), 0o700); err != nil {
		return err
	}
	for i := range d.show.films {
		path := filepath.Join(d.folder(), film(i))
		data := make([]byte, d.parts*partSize)
		r := rand.NewChaCha8([32]byte{byte(i)})
		_, _ = r.Read(data)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
		_, err := d.queue.Enqueue(ctx, fleet.Job{
			ID: strings.TrimSuffix(film(i), ".mp4"), Source: "file://" + filepath.ToSlash(path),
			Endpoint: d.server.URL, Bucket: bucket, Object: film(i),
		})
		if err != nil {
			return err
		}
	}
	d.say("%d films of %d parts are in the queue", d.show.films, d.parts)
	return nil
}
