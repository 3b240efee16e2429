package fleettrace

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/vodupload/vodupload/upload/fleet"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/otelupload"
	"github.com/vodupload/vodupload/upload/uploadtest"
)

var long = flag.Bool("long", false, "kill a worker, whose claim then has to run out")

// childEnv holds the worker that a process of this test binary is to be, as JSON.
const childEnv = "FLEETTRACE_TEST_WORKER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(childEnv); spec != "" {
		var w worker
		err := json.Unmarshal([]byte(spec), &w)
		if err == nil {
			err = w.run(context.Background(), tracetest.NewInMemoryExporter())
		}
		fmt.Fprintln(os.Stderr, "worker:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A worker is one in this process, or in another.
type worker struct{ Name, NATS, Folder string }

// run uploads until ctx ends. The spans of its uploads go to an exporter as they end.
func (w worker) run(ctx context.Context, spans trace.SpanExporter) error {
	telemetry, err := otelupload.New(&otelupload.Options{TracerProvider: trace.NewTracerProvider(trace.WithSyncer(spans))})
	if err != nil {
		return err
	}
	nc, err := nats.Connect(w.NATS)
	if err != nil {
		return err
	}
	defer nc.Close()
	files, err := fleet.Files(w.Folder)
	if err != nil {
		return err
	}
	o := &fleet.WorkerOptions{
		Name: w.Name, Upload: uploadtest.Options(osstest.DefaultKey), Openers: map[string]fleet.Opener{"file": files},
		Lease: 6 * time.Second, AckWait: time.Second, SyncAlways: true,
	}
	o.Upload.Checkpoints = nil
	Join(o, telemetry)
	all, err := fleet.NewWorker(ctx, nc, o)
	if err != nil {
		return err
	}
	return all.Run(ctx)
}

// A worker is killed by SIGKILL in the middle of an upload. Its span never ends; the span of
// the worker that takes over links to it all the same, and to that of who enqueued the job.
func TestTakeoverLinksToTheRunOfTheKilledWorker(t *testing.T) {
	if !*long {
		t.Skip("it kills a process and waits for a lease to end: run it with -args -long")
	}
	engine, err := embedded.Run(&embedded.Options{Dir: t.TempDir(), Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	nc, err := engine.Connect()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	queue, err := fleet.NewQueue(t.Context(), nc, nil)
	if err != nil {
		t.Fatal(err)
	}
	oss := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer oss.Close()
	hang := osstest.Hang(osstest.OpUploadPart).Part(2).BeforeWork()
	oss.Inject(hang)

	folder := t.TempDir()
	film := filepath.Join(folder, "film.mp4")
	if err := os.WriteFile(film, make([]byte, 300<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	enqueuing := tracetest.NewInMemoryExporter()
	ctx, span := trace.NewTracerProvider(trace.WithSyncer(enqueuing)).Tracer("test").Start(t.Context(), "enqueue")
	id, err := queue.Enqueue(ctx, fleet.Job{Source: (&url.URL{Scheme: "file", Path: filepath.ToSlash(film)}).String(), Endpoint: oss.URL, Bucket: "media", Object: "film.mp4",
		Trace: otelupload.TraceHeaders(ctx)})
	if err != nil {
		t.Fatal(err)
	}
	span.End()

	kill(t, worker{"killed", engine.URL(), folder}, hang.Fired())
	before, err := queue.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	spans := tracetest.NewInMemoryExporter()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- worker{"heir", engine.URL(), folder}.run(ctx, spans) }()
	after, err := queue.Wait(t.Context(), id)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err != nil || after.State != fleet.StateSucceeded || after.Takeovers != 1 || after.Worker != "heir" {
		t.Fatalf("got %+v, %v; want one takeover", after, err)
	}

	all := spans.GetSpans()
	// Before the claim of the killed worker has run out, a run ends with UploadInUse.
	i := slices.IndexFunc(all, func(s tracetest.SpanStub) bool {
		return s.Name == "upload" && slices.Contains(s.Attributes, attribute.Bool("vodupload.fleet.takeover", true))
	})
	if i < 0 {
		t.Fatalf("the run that took over has no span among %d", len(all))
	}
	got := make(map[string]string)
	for _, l := range all[i].Links {
		for _, a := range l.Attributes {
			if a.Key == attribute.Key("vodupload.relation") {
				got[a.Value.AsString()] = fmt.Sprintf("00-%v-%v-01", l.SpanContext.TraceID(), l.SpanContext.SpanID())
			}
		}
	}
	enqueued := enqueuing.GetSpans()[0].SpanContext
	if want := fmt.Sprintf("00-%v-%v-01", enqueued.TraceID(), enqueued.SpanID()); got["enqueued"] != want {
		t.Errorf("links %v, want one to the span of who enqueued the job, %s", got, want)
	}
	if want := before.Trace["traceparent"]; want == "" || got["taken over"] != want {
		t.Errorf("links %v, want one to the run of the killed worker, %q", got, want)
	}
}

// kill starts the worker in a process of its own, and kills it when it has come to a place.
func kill(t *testing.T, w worker, there <-chan struct{}) {
	t.Helper()
	spec, err := json.Marshal(w)
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
	dead := make(chan error, 1)
	go func() { dead <- cmd.Wait() }()
	select {
	case <-there:
	case err := <-dead:
		t.Fatalf("the worker ended by itself: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	<-dead
}
