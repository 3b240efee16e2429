package main

import (
	"strings"
	"sync"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/upload"
)

// placeAt returns how a bucket is reached whose endpoint was recorded: what is configured
// now may be for other buckets. A client reads the region from the names that OSS gives its
// endpoints; where a name has none, the configured region counts.
func placeAt(c *config.Config, endpoint, bucket string) config.Place {
	p, _ := c.Place(bucket)
	p.Endpoint, p.Origin = endpoint, "recorded"
	if regionOf(endpoint) != "" {
		p.Region, p.CustomDomains = "", nil
	}
	return p
}

// A site is what all files of one client have in common: the region that it signs for, and
// the domains that are mapped to buckets.
type site struct{ region, domains string }

func siteOf(p config.Place) site { return site{p.Region, strings.Join(p.CustomDomains, " ")} }

// clients are those of a session, one for each site.
type clients struct {
	mu    sync.Mutex
	sites []site
	all   []*upload.Client
}

// list returns the clients in the order in which they were made.
func (cs *clients) list() []*upload.Client {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.all[:len(cs.all):len(cs.all)]
}

// clientAt returns the client for what is at a place. One that is made for it is not
// started.
func (s *session) clientAt(p config.Place) (*upload.Client, error) {
	s.clients.mu.Lock()
	defer s.clients.mu.Unlock()
	at := siteOf(p)
	for i, known := range s.clients.sites {
		if known == at {
			return s.clients.all[i], nil
		}
	}
	opts := s.opts
	opts.Region, opts.CustomDomains = p.Region, p.CustomDomains
	before := int64(len(s.clients.all)) << 32 // more than the files of any client
	opts.Callbacks = reported(s.report.Callbacks(before), opts.Callbacks)
	c, err := upload.New(&opts)
	if err != nil { // of an option, or of the folder of the checkpoints
		return nil, usageError{err}
	}
	s.clients.sites, s.clients.all = append(s.clients.sites, at), append(s.clients.all, c)
	return c, nil
}

// stats returns the figures of all clients together.
func (s *session) stats() upload.Stats {
	var all []upload.Stats
	for _, c := range s.clients.list() {
		all = append(all, c.Stats())
	}
	return sumOf(all)
}

// sumOf returns what clients have done together, as far as it is shown.
func sumOf(all []upload.Stats) upload.Stats {
	if len(all) == 1 {
		return all[0]
	}
	sum := upload.Stats{Files: make(map[upload.FileState]int), Retries: make(map[string]int64), Left: -1}
	for _, s := range all {
		for state, n := range s.Files {
			sum.Files[state] += n
		}
		for code, n := range s.Retries {
			sum.Retries[code] += n
		}
		sum.Total += s.Total
		sum.Uploaded += s.Uploaded
		sum.Speed += s.Speed
		sum.SentBytes += s.SentBytes
	}
	if rest := sum.Total - sum.Uploaded; rest <= 0 {
		sum.Left = 0
	} else if sum.Speed > 0 {
		sum.Left = time.Duration(float64(rest) / sum.Speed * float64(time.Second))
	}
	return sum
}
