package fleet_test

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

var kills = flag.Int("kills", 2, "how many workers TestKilledWorkers kills")

// childEnv holds what a process of this test binary is to do, as JSON; without it, it
// tests.
const childEnv = "FLEET_TEST_WORKER"

// A child is a worker in a process of its own.
type child struct {
	NATS, Namespace, Name, Folder string
	Lease                         time.Duration
	Parallel                      int    `json:",omitempty"` // 0: 2
	Attempts                      int    `json:",omitempty"` // 0: 1000
	Poison                        string `json:",omitempty"` // a job that kills the process
	Log                           string `json:",omitempty"` // a file
}

// main runs the worker until SIGTERM.
func (c child) main() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	nc, err := dial(c.NATS, nats.IgnoreDiscoveredServers(), nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	if err != nil {
		return err
	}
	defer nc.Close()
	o, err := c.options()
	if err != nil {
		return err
	}
	w, err := fleet.NewWorker(ctx, nc, o)
	if err != nil {
		return err
	}
	return w.Run(ctx)
}

func (c child) options() (*fleet.WorkerOptions, error) {
	files, err := fleet.Files(c.Folder)
	if err != nil {
		return nil, err
	}
	o := &fleet.WorkerOptions{
		Namespace: c.Namespace, Name: c.Name, Upload: uploadtest.Options(osstest.DefaultKey),
		Openers: map[string]fleet.Opener{"file": files}, Lease: c.Lease, AckWait: time.Second,
		MaxAttempts: cmp.Or(c.Attempts, 1000), SyncAlways: true,
	}
	o.Upload.Checkpoints, o.Upload.Parallel = nil, cmp.Or(c.Parallel, 2)
	if c.Poison != "" {
		o.Prepare = func(_ context.Context, j fleet.Job, _ *upload.File) error {
			if j.ID == c.Poison {
				os.Exit(3)
			}
			return nil
		}
	}
	if c.Log != "" {
		log, err := os.OpenFile(c.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, err
		}
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	}
	return o, nil
}

func runChild(spec string) int {
	var c child
	err := json.Unmarshal([]byte(spec), &c)
	if err == nil {
		err = c.main()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "worker:", err)
		return 1
	}
	return 0
}

// start runs the worker in a process, which ends with the test.
func (c child) start(t *testing.T) *exec.Cmd {
	t.Helper()
	spec, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	t.Cleanup(func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
	})
	return cmd
}

// Another worker resumes the very upload of one that is killed, within the lease and 2 s,
// and sends again what was in flight, or acknowledged in the last 150 ms.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	const (
		lease = 2 * time.Second
		parts = 20
	)
	p := newPlant(t)
	var took []time.Duration
	sentAgain := 0
	for i := range *kills {
		job := p.film(fmt.Sprintf("film%d.mp4", i), parts*100<<10)
		enough := 1 + rand.IntN(parts/2)
		p.oss.Inject(
			osstest.Delay(osstest.OpUploadPart, 15*time.Millisecond).Always(),
			osstest.Hang(osstest.OpUploadPart).Nth(enough+1).Always(), // so that it is killed in the middle
		)
		p.enqueue(job)
		c := child{NATS: engine.URL(), Namespace: namespace(t), Name: fmt.Sprintf("killed%d", i), Folder: p.folder, Lease: lease}
		cmd := c.start(t)
		await(t, "some parts are there", func() bool { return p.parts(job) >= enough })
		recorded := p.parts(job)
		uploadID := p.oss.Uploads("media")[0].UploadID
		time.Sleep(150 * time.Millisecond) // by then these are in the store
		killed := time.Now()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		p.oss.ClearFaults()
		b := p.worker(fmt.Sprintf("heir%d", i), func(o *fleet.WorkerOptions) { o.Lease = lease })
		info := p.wait(job.ID)
		b.stop()
		if info.State != fleet.StateSucceeded || info.Takeovers != 1 || info.Attempts != 2 {
			t.Errorf("got %+v, want one takeover", info)
			continue
		}
		p.checkObject(job)
		if info.UploadID != uploadID {
			t.Errorf("upload %s was finished, want the killed worker's, %s", info.UploadID, uploadID)
		}
		if info.Result.ResumedParts < recorded {
			t.Errorf("%d parts were kept, want the %d that were recorded", info.Result.ResumedParts, recorded)
		}
		took = append(took, info.Started.Sub(killed))
		sentAgain += p.oss.Count(osstest.OpUploadPart) - parts
		p.oss.ResetRequests()
	}
	if n := len(p.oss.Uploads("media")); n != 0 {
		t.Errorf("%d uploads are left at the server", n)
	}
	await(t, "no checkpoint is left", func() bool { return p.records() == 0 })
	if len(took) == 0 {
		return
	}
	slices.Sort(took)
	p99 := took[(len(took)*99-1)/100]
	t.Logf("%d kills: takeover p50 %v, p99 %v; %.1f parts sent again each", len(took), took[len(took)/2], p99, float64(sentAgain)/float64(len(took)))
	// Of a few, on a machine with other tests beside, it says nothing.
	if len(took) >= 20 && p99 > lease+2*time.Second {
		t.Errorf("the takeovers took %v (p99), want the lease of %v and 2 s at most", p99, lease)
	}
}

// parts returns how many parts of a job's upload the server has.
func (p *plant) parts(j fleet.Job) int {
	for _, u := range p.oss.Uploads("media") {
		if u.Key == j.Object {
			return len(u.Parts)
		}
	}
	return 0
}

// A worker process that gets SIGTERM gives back what it has: another continues at once.
func TestTerminatedWorker(t *testing.T) {
	t.Parallel()
	p := newPlant(t)
	job := p.film("talk.mp4", 450<<10)
	hold := osstest.Hang(osstest.OpUploadPart).Nth(3).Times(2) // as many as the worker sends at a time
	p.oss.Inject(hold)
	p.enqueue(job)
	c := child{NATS: engine.URL(), Namespace: namespace(t), Name: "a", Folder: p.folder, Lease: time.Minute}
	cmd := c.start(t)
	<-hold.Fired()
	await(t, "two parts are there", func() bool { return p.parts(job) == 2 })
	b := p.worker("b", func(o *fleet.WorkerOptions) { o.Lease, o.AckWait = time.Minute, time.Minute })
	defer b.stop()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	terminated := time.Now()
	if err := cmd.Wait(); err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	p.oss.ClearFaults()
	info := p.wait(job.ID)
	t.Logf("takeover after %v", info.Started.Sub(terminated))
	if info.Takeovers != 0 || info.Attempts != 1 || info.Worker != "b" || info.Result.ResumedParts != 2 {
		t.Errorf("got %+v, %+v; want it given back, and resumed by b", info, info.Result)
	}
	// The lease and the queue would have taken a minute.
	if took := info.Started.Sub(terminated); took > 10*time.Second {
		t.Errorf("the takeover took %v", took)
	}
	p.checkObject(job)
}
