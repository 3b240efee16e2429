package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
	"sync"
	"time"
)

const roleClient = "client"

// The bucket and the key are no secrets: the sink does not look at signatures.
const (
	bucket    = "media"
	region    = "cn-hangzhou"
	keyID     = "LTAI5tCompareCompareComp"
	keySecret = "compare-compare-compare-compare"
)

// A job is what one client's process has to do.
type job struct {
	Scenario  scenario `json:"scenario"`
	Contender string   `json:"contender"`
	Endpoint  string   `json:"endpoint"`
	Path      string   `json:"path"`
	Dir       string   `json:"dir"`       // for checkpoints
	Profile   string   `json:"profile"`   // empty: none
	Preparing bool     `json:"preparing"` // the last part will be refused: another process is to resume
}

// object is the name of the i-th object.
func (j *job) object(i int) string { return fmt.Sprintf("in/%06d.mp4", i) }

// An account is what a client's process tells of itself.
type account struct {
	Wall time.Duration `json:"wall_ns"`
	Peak int64         `json:"peak_bytes"` // of memory; 0 where the system does not tell
	Err  string        `json:"err,omitempty"`
}

// contenders are the programs that are compared.
var contenders = map[string]func(context.Context, *job) error{
	ours:         runOurs,
	oursVolatile: runOurs,
	oursAuto:     runOurs,
	ours16:       runOurs,
	ours48:       runOurs,
	ours64:       runOurs,
	v1:           runV1,
	v1Checkpoint: runV1,
	v1Put:        runV1Put,
	v2:           runV2,
	v2Checkpoint: runV2,
	floor:        runFloor,
}

// client does the job that it reads, and tells how it went.
func client(ctx context.Context, in io.Reader, out io.Writer) error {
	var j job
	if err := json.NewDecoder(in).Decode(&j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	work, ok := contenders[j.Contender]
	if !ok {
		return fmt.Errorf("there is no contender %q", j.Contender)
	}
	stop, err := profile(j.Profile)
	if err != nil {
		return err
	}
	start := time.Now()
	err = work(ctx, &j)
	a := account{Wall: time.Since(start), Peak: peakMemory()}
	stop()
	if err != nil {
		a.Err = err.Error()
	}
	return json.NewEncoder(out).Encode(a)
}

// profile begins to write a CPU profile to path, unless that is empty. At the end it
// writes one of what is in memory beside it.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
		if f, err := os.Create(path + ".heap"); err == nil {
			_ = pprof.WriteHeapProfile(f)
			_ = f.Close()
		}
	}, nil
}

// each calls do for every number below count, parallel at a time. It returns the
// first error, after all have returned.
func each(count, parallel int, do func(i int) error) error {
	numbers := make(chan int)
	failed := make(chan error, parallel)
	var workers sync.WaitGroup
	for range min(parallel, count) {
		workers.Go(func() {
			for i := range numbers {
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	var err error
feed:
	for i := range count {
		select {
		case numbers <- i:
		case err = <-failed:
			break feed
		}
	}
	close(numbers)
	workers.Wait()
	select {
	case late := <-failed:
		if err == nil {
			err = late
		}
	default:
	}
	return err
}
