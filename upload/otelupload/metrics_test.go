package otelupload_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
	"github.com/vodupload/vodupload/upload/otelupload"
)

// An upload with a part that is sent again, and a file that is refused.
func TestMetricsOfUploads(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	client, server := b.client(nil)
	stop := b.Watch(client)
	server.Inject(
		osstest.Fail(osstest.OpUploadPart, 503, "ServiceUnavailable").Part(2),
		osstest.Fail(osstest.OpPutObject, 403, "AccessDenied"),
	)
	if _, err := client.Upload(t.Context(), file(server, "parts", 250*kib)); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Upload(t.Context(), file(server, "refused", 10*kib)); err == nil {
		t.Fatal("no error")
	}
	b.Observer().Wait(1, upload.Waiting{For: upload.WaitNetwork}, time.Second)
	lines := b.read()
	wants(t, lines,
		"vodupload.file.duration[s]{oss.bucket=media,vodupload.outcome=succeeded} n=1",
		"vodupload.file.duration[s]{error.type=AccessDenied,oss.bucket=media,vodupload.outcome=failed} n=1",
		"vodupload.file.size[By]{oss.bucket=media,vodupload.outcome=succeeded} n=1 sum=256000",
		"vodupload.acknowledged[By]{oss.bucket=media} 256000",
		"vodupload.request.duration[s]{http.response.status_code=200,oss.bucket=media,oss.operation=UploadPart} n=3",
		"vodupload.request.duration[s]{error.type=ServiceUnavailable,http.response.status_code=503,oss.bucket=media,oss.operation=UploadPart} n=1",
		"vodupload.request.duration[s]{http.response.status_code=200,oss.bucket=media,oss.operation=CompleteMultipartUpload} n=1",
		"vodupload.request.retries[{retry}]{error.type=ServiceUnavailable,oss.bucket=media,oss.operation=UploadPart} 1",
		"vodupload.wait.duration[s]{vodupload.reason=network} n=1",
		"vodupload.progress.age[s]{} 0",
		"vodupload.files[{file}]{vodupload.state=uploading} 0",
		"vodupload.slots.limit[{request}]{} 1",
		"vodupload.slots.used[{request}]{} 0",
	)
	if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "vodupload.checkpoint.flush.duration[s]{} n=") }) {
		t.Error("no flush was seen")
	}
	for _, l := range lines {
		if strings.Contains(l, "parts") || strings.Contains(l, "refused") {
			t.Errorf("names a file: %s", l)
		}
	}
	var sent int64
	for _, l := range lines {
		_, _ = fmt.Sscanf(l, "vodupload.sent[By]{oss.bucket=media} %d", &sent)
	}
	if want := client.Stats().SentBytes; sent != want {
		t.Errorf("vodupload.sent is %d, the client has sent %d", sent, want)
	}
	stop()
	for _, l := range b.read() {
		if strings.HasPrefix(l, "vodupload.slots") {
			t.Errorf("after stop: %s", l)
		}
	}
}

func TestMetricsOfWhatIsResumed(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	store := checkpoint.NewMemory()
	client, server := b.client(func(o *upload.Options) { o.Checkpoints = store })
	hang := osstest.Hang(osstest.OpUploadPart).Nth(3).BeforeWork()
	server.Inject(hang)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-hang.Fired(); cancel() }()
	if _, err := client.Upload(ctx, file(server, "film", 300*kib)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, err := client.Upload(t.Context(), file(server, "film", 300*kib)); err != nil {
		t.Fatal(err)
	}
	wants(t, b.read(),
		"vodupload.resumed[By]{oss.bucket=media} 204800",
		"vodupload.acknowledged[By]{oss.bucket=media} 307200",
	)
}

// Hooks alone, in fake time: what the alert is made of.
func TestProgressAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, otelupload.Options{})
		o := b.Observer()
		age := func(want string) {
			t.Helper()
			wants(t, b.read(), "vodupload.progress.age[s]{} "+want)
		}
		age("0")
		one := o.FileStart(t.Context(), upload.FileInfo{ID: 1})
		time.Sleep(5 * time.Minute)
		two := b.Observer().FileStart(t.Context(), upload.FileInfo{ID: 1}) // of another client
		time.Sleep(5 * time.Minute)
		age("600")
		part := upload.Request{FileID: 1, Op: "UploadPart", Part: 1, Attempt: 1, Bytes: 100}
		o.RequestEnd(o.RequestStart(one, part), part, upload.Outcome{Err: errors.New("no"), Code: "InternalError"})
		age("600")
		o.RequestEnd(o.RequestStart(one, part), part, upload.Outcome{Status: 200})
		age("300")
		o.FileEnd(two, upload.FileInfo{ID: 1, State: upload.FilePaused})
		time.Sleep(time.Minute)
		age("60")
		o.FileEnd(one, upload.FileInfo{ID: 1, State: upload.FileFailed, Err: &upload.Error{Code: upload.CodeClaimLost}})
		age("0")
		wants(t, b.read(), "vodupload.claims.lost[{claim}]{} 1")
	})
}

// Figures of several clients are added up; the first token that expires counts.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBackend(t, otelupload.Options{})
		soon := stats{Files: map[upload.FileState]int{upload.FileInit: 3}, Slots: 5, InFlight: 4, TokenExpires: time.Now().Add(-time.Minute)}
		b.Watch(soon)
		b.Watch(stats{Files: map[upload.FileState]int{upload.FileInit: 4, upload.FilePaused: 1}, Slots: 2, TokenExpires: time.Now().Add(time.Hour)})
		b.Watch(stats{})
		wants(t, b.read(),
			"vodupload.files[{file}]{vodupload.state=init} 7",
			"vodupload.files[{file}]{vodupload.state=paused} 1",
			"vodupload.files[{file}]{vodupload.state=canceled} 0",
			"vodupload.slots.limit[{request}]{} 7",
			"vodupload.slots.used[{request}]{} 4",
			"vodupload.token.expires_in[s]{} -60",
		)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
}

type stats upload.Stats

func (s stats) Stats() upload.Stats { return upload.Stats(s) }

func TestWatchFleet(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	stop, err := b.WatchFleet(func(ctx context.Context) (otelupload.Fleet, error) {
		if _, ok := ctx.Deadline(); !ok {
			t.Error("the question has no deadline")
		}
		return otelupload.Fleet{Waiting: 1, Working: 2, Dead: 3, Workers: 4}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wants(t, b.read(),
		"vodupload.fleet.jobs[{job}]{vodupload.state=waiting} 1",
		"vodupload.fleet.jobs[{job}]{vodupload.state=working} 2",
		"vodupload.fleet.jobs[{job}]{vodupload.state=dead} 3",
		"vodupload.fleet.workers[{worker}]{} 4",
	)
	if err := stop(); err != nil {
		t.Error(err)
	}
	for _, l := range b.read() {
		if strings.HasPrefix(l, "vodupload.fleet") {
			t.Errorf("after stop: %s", l)
		}
	}
}

// A server may answer with any code, and tenants have any number of buckets.
func TestAttributesAreBounded(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	o := b.Observer()
	for i := range 1000 {
		q := upload.Request{Op: "PutObject", Bucket: fmt.Sprint("b", i), Bytes: 1, Attempt: 1}
		o.RequestEnd(o.RequestStart(t.Context(), q), q, upload.Outcome{Sent: 1})
		q.Bucket = "b0"
		o.RequestEnd(o.RequestStart(t.Context(), q), q, upload.Outcome{Err: errors.New("no"), Code: fmt.Sprint("c", i)})
	}
	count := make(map[string]int)
	for _, l := range b.read() {
		name, _, _ := strings.Cut(l, "[")
		count[name]++
	}
	if n := count["vodupload.sent"]; n != 201 {
		t.Errorf("%d buckets", n)
	}
	if n := count["vodupload.request.duration"]; n != 201+201 {
		t.Errorf("%d series of requests", n)
	}
}

// The package comment lists each metric that there is, with its unit.
func TestMetricsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	listed := make(map[string]string)
	for _, m := range regexp.MustCompile(`(?m)^//\t(vodupload\.\S+) +(?:histogram|counter|gauge|up-down counter), (\S+)`).FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = m[2]
	}
	b := newBackend(t, otelupload.Options{})
	b.Watch(stats{TokenExpires: time.Now()})
	if _, err := b.WatchFleet(func(context.Context) (otelupload.Fleet, error) { return otelupload.Fleet{}, nil }); err != nil {
		t.Fatal(err)
	}
	everyHook(b)
	for _, m := range b.metrics() {
		if listed[m.Name] != m.Unit {
			t.Errorf("%s has the unit %s, the package comment says %q", m.Name, m.Unit, listed[m.Name])
		}
		if m.Description == "" {
			t.Errorf("%s has no description", m.Name)
		}
		delete(listed, m.Name)
	}
	for name := range listed {
		t.Errorf("there is no %s", name)
	}
}

// README.md names no metric and no attribute that there is not. An exporter for Prometheus
// writes names with underscores, and adds the unit, _total for counters, and _bucket, _sum
// and _count for histograms.
func TestREADMENamesMetricsOfPrometheus(t *testing.T) {
	b := newBackend(t, otelupload.Options{})
	b.Watch(stats{TokenExpires: time.Now()})
	if _, err := b.WatchFleet(func(context.Context) (otelupload.Fleet, error) { return otelupload.Fleet{}, nil }); err != nil {
		t.Fatal(err)
	}
	everyHook(b)
	units := map[string]string{"s": "_seconds", "By": "_bytes"}
	names := make(map[string]bool)
	for _, m := range b.metrics() {
		name := strings.ReplaceAll(m.Name, ".", "_") + units[m.Unit]
		switch data := m.Data.(type) {
		case metricdata.Sum[int64]:
			if data.IsMonotonic {
				name += "_total"
			}
			names[name] = true
		case metricdata.Histogram[float64], metricdata.Histogram[int64]:
			for _, end := range []string{"", "_bucket", "_sum", "_count"} {
				names[name+end] = true
			}
		default:
			names[name] = true
		}
	}
	for _, line := range b.read() {
		for _, a := range regexp.MustCompile(`[{,]([a-z._]+)=`).FindAllStringSubmatch(line, -1) {
			names[strings.ReplaceAll(a[1], ".", "_")] = true
		}
	}
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`vodupload_[a-z_]+|error_type`).FindAllString(string(text), -1)
	for _, name := range found {
		if !names[name] {
			t.Errorf("README.md names %s, which there is not", name)
		}
	}
	if len(found) < 10 {
		t.Errorf("found only %q", found)
	}
}

// everyHook has each instrument record something.
func everyHook(b *backend) {
	o := b.Observer()
	f := upload.FileInfo{ID: 1, Bucket: bucket, State: upload.FileFailed, Err: &upload.Error{Code: upload.CodeClaimLost}}
	ctx := o.FileStart(b.t.Context(), f)
	b.Attempt(ctx, otelupload.Attempt{Number: 1, Takeover: true})
	o.Resumed(ctx, f, []int{1})
	q := upload.Request{FileID: 1, Op: "UploadPart", Bucket: bucket, Part: 1, Attempt: 2, Bytes: 1}
	o.RequestEnd(o.RequestStart(ctx, q), q, upload.Outcome{})
	o.Flush(ctx, 1, time.Second, errors.New("full"))
	o.Wait(1, upload.Waiting{For: upload.WaitNetwork}, time.Second)
	o.FileEnd(ctx, f)
}
