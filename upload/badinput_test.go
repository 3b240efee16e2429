package upload_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
)

// TestBadInput of each call and option names what is wrong, in one line, and nothing is
// sent. See TestBadFile and TestBadOptions, too.
func TestBadInput(t *testing.T) {
	b := newTestbed(t)
	c := b.client()
	good := b.file("in/a.mp4", 10)
	reader := func(f *upload.File) { f.Reader = strings.NewReader("x") }
	file := func(change ...func(*upload.File)) func() error {
		return func() error {
			f := good
			f.Options = new(upload.ObjectOptions)
			for _, fn := range change {
				fn(&f)
			}
			_, err := c.AddFile(f)
			return err
		}
	}
	object := func(change func(*upload.ObjectOptions)) func() error {
		return file(func(f *upload.File) { change(f.Options) })
	}
	options := func(o upload.Options) func() error {
		return func() error { _, err := upload.New(&o); return err }
	}
	dir := func(o upload.AddDirOptions) func() error {
		return func() error { _, err := c.AddDir(b.ctx, b.dir+"/in", &o); return err }
	}
	into := func(change func(*upload.AddDirOptions)) func() error {
		o := *b.into("in/")
		change(&o)
		return dir(o)
	}
	sweep := func(o upload.SweepOptions) func() error {
		return func() error { _, err := c.Sweep(b.ctx, o); return err }
	}
	stat := func(o upload.StatOptions) func() error {
		return func() error { _, err := c.Stat(b.ctx, o); return err }
	}
	timetable := func(s string) func() error {
		return func() error { _, err := upload.ParseTimetable(s); return err }
	}
	other := new(upload.Group)
	if _, err := b.client().AddFile(func() upload.File { f := good; f.Group = other; return f }()); err != nil {
		t.Fatal(err)
	}
	waiting := func() upload.File { f := good; f.Endpoint, f.Bucket, f.Object = "", "", ""; return f }()
	id := must(c.AddFile(waiting))
	for _, tt := range []struct {
		want string // in the error
		do   func() error
	}{
		{"File.Size: got -1", file(reader, func(f *upload.File) { f.Size = -1 })},
		{"File.Size: got 5", file(func(f *upload.File) { f.Size = 5 })},
		{"File.Size: ", file(reader, func(f *upload.File) { f.Size = 1 << 60 })},
		{"File.SourceName: got", file(reader, func(f *upload.File) { f.SourceName = "x" })},
		{"FS, Source and Reader", file(reader, func(f *upload.File) { f.FS = fstest.MapFS{} })},
		{"FS, Source and Reader", file(reader, func(f *upload.File) { f.Source = upload.NewSource(strings.NewReader("x"), 1, "x") })},
		{"File.Source: ", file(func(f *upload.File) { f.Source = upload.NewSource(strings.NewReader("x"), -1, "x") })},
		{"File.Source: ", file(func(f *upload.File) { f.Source = upload.NewSource(strings.NewReader("x"), 1<<60, "x") })},
		{"File.IfExists: got 77", file(func(f *upload.File) { f.IfExists = 77 })},
		{"File.IfExists: got skip-same with a Reader", file(reader, func(f *upload.File) { f.IfExists = upload.SkipSame })},
		{"File.Rank: got 3", file(func(f *upload.File) { f.Rank = 3 })},
		{"File.Group: ", file(func(f *upload.File) { f.Group = other })},
		{"File.Group: ", func() error {
			f := good
			f.Group = new(upload.Group)
			_, err := c.Upload(b.ctx, f)
			return err
		}},
		{"File.Object: got \"in/\"", file(func(f *upload.File) { f.Object = "in/" })},
		{"Options.CacheControl", object(func(o *upload.ObjectOptions) { o.CacheControl = "a\nb" })},
		{"Options.ContentDisposition", object(func(o *upload.ObjectOptions) { o.ContentDisposition = "a\x00" })},
		{"Options.ContentEncoding", object(func(o *upload.ObjectOptions) { o.ContentEncoding = "a\r" })},
		{"Options.ContentType", object(func(o *upload.ObjectOptions) { o.ContentType = "a\nb" })},
		{"Options.Metadata", object(func(o *upload.ObjectOptions) { o.Metadata = map[string]string{"share_in": "x"} })},
		{"Options.Metadata", object(func(o *upload.ObjectOptions) { o.Metadata = map[string]string{"a": "x\ny"} })},
		{"Options.Tags", object(func(o *upload.ObjectOptions) { o.Tags = map[string]string{"": "x"} })},
		{"Options.Tags", object(func(o *upload.ObjectOptions) { o.Tags = map[string]string{"a": strings.Repeat("x", 300)} })},
		{"Options.Headers", object(func(o *upload.ObjectOptions) { o.Headers = map[string]string{"a b": "x"} })},
		{"Options.Headers", object(func(o *upload.ObjectOptions) { o.Headers = map[string]string{"x-oss-a": "x\n"} })},
		{"Options.TrafficLimit", object(func(o *upload.ObjectOptions) { o.TrafficLimit = -1 })},
		{"Callback.Host", object(func(o *upload.ObjectOptions) {
			o.Callback = &upload.Callback{URLs: []string{"http://h/"}, Host: "a\nb"}
		})},

		{"Options.CheckpointDir: got", options(upload.Options{CheckpointDir: "x", Checkpoints: checkpoint.NewMemory()})},
		{"Options.OutageWait: got 5ns", options(upload.Options{OutageWait: 5, Checkpoints: checkpoint.NewMemory()})},
		{"Options.BandwidthLimit: got 1 ", options(upload.Options{BandwidthLimit: 1, Checkpoints: checkpoint.NewMemory()})},
		{"Options.CustomDomains", options(upload.Options{CustomDomains: []string{"v.example.com"}, Checkpoints: checkpoint.NewMemory()})},
		{"Options.CustomDomains", options(upload.Options{CustomDomains: []string{"a b"}, Region: "cn-hangzhou", Checkpoints: checkpoint.NewMemory()})},
		{"SetParallel: got -2", func() error { return c.SetParallel(-2) }},
		{"SetBandwidthLimit: got -1", func() error { return c.SetBandwidthLimit(-1) }},
		{"timetable", timetable("")},
		{"timetable", timetable("08:00,2M 08:00,3M")},
		{"timetable", timetable("8,2M")},
		{"timetable", timetable("08:00,2Q")},
		{"timetable", timetable("Foo-08:00,2M")},
		{"timetable", timetable("08:00,1")},

		{"dir is empty", func() error { _, err := c.AddDir(b.ctx, "", b.into("in/")); return err }},
		{"File.Endpoint", into(func(o *upload.AddDirOptions) { o.File.Endpoint = "" })},
		{"File.Bucket", into(func(o *upload.AddDirOptions) { o.File.Bucket = "UPPER" })},
		{"AddDirOptions.Prefix", into(func(o *upload.AddDirOptions) { o.Prefix = "/in" })},
		{"AddDirOptions.File.Path", into(func(o *upload.AddDirOptions) { o.File.Path = "x" })},
		{"AddDirOptions.File.Object", into(func(o *upload.AddDirOptions) { o.File.Object = "x" })},
		{"AddDirOptions.File.Reader", into(func(o *upload.AddDirOptions) { o.File.Reader = strings.NewReader("x") })},
		{"AddDirOptions.File.SourceName", into(func(o *upload.AddDirOptions) { o.File.SourceName = "x" })},
		{"AddDirOptions.File.Size", into(func(o *upload.AddDirOptions) { o.File.Size = 7 })},
		{"File.IfExists", into(func(o *upload.AddDirOptions) { o.File.IfExists = 77 })},
		{"Options.ACL", into(func(o *upload.AddDirOptions) { o.File.Options = &upload.ObjectOptions{ACL: "all"} })},
		{"Info.Title", into(func(o *upload.AddDirOptions) { o.File.Info = &upload.Info{Title: strings.Repeat("x", 200)} })},
		{"AddDirOptions.Func: File.Path", into(func(o *upload.AddDirOptions) {
			o.Func = func(f *upload.File, _ fs.DirEntry) (bool, error) { f.Path = "/etc/passwd"; return false, nil }
		})},

		{"SweepOptions.Endpoint", sweep(upload.SweepOptions{Bucket: bucket})},
		{"SweepOptions.Bucket", sweep(upload.SweepOptions{Endpoint: good.Endpoint})},
		{"SweepOptions.OnlyThisMachine", sweep(upload.SweepOptions{Endpoint: good.Endpoint, Bucket: bucket})},
		{"SweepOptions.Credentials", sweep(upload.SweepOptions{Credentials: sts.Static(defaultKey)})},
		{"StatOptions.Endpoint", stat(upload.StatOptions{Bucket: bucket, Object: "a"})},
		{"StatOptions.Bucket", stat(upload.StatOptions{Endpoint: good.Endpoint, Object: "a"})},
		{"StatOptions.Object", stat(upload.StatOptions{Endpoint: good.Endpoint, Bucket: bucket})},

		{"FailFile: err is nil", func() error { return c.FailFile(id, nil) }},
		{"Init: ", func() error { return c.Init(sts.Credentials{}) }},
		{"ResumeWithToken: ", func() error { return c.ResumeWithToken(sts.Credentials{AccessKeyID: "x\n", AccessKeySecret: "y"}) }},
		{"SetToken: ", func() error { return c.SetToken(id, sts.Credentials{AccessKeyID: "STS.x", AccessKeySecret: "y"}) }},
		{"File.Bucket", func() error { return c.SetDestination(id, good.Endpoint, "UPPER", "a") }},
		{"File.Object", func() error { return c.SetDestination(id, good.Endpoint, bucket, "in/") }},
		{"videoID: ", func() error { return c.SetUploadAuthAndAddress(id, "", "", "a b") }},
		{"UploadAddress", func() error { return c.SetUploadAuthAndAddress(id, "x", "?", "") }},
		{"UploadAuth", func() error { return c.ResumeWithAuth(id, "?") }},
		{"WaitReason", func() error { return new(upload.WaitReason).UnmarshalText([]byte("x")) }},
		{"FileState", func() error { return new(upload.FileState).UnmarshalText([]byte("x")) }},
	} {
		t.Run(tt.want, func(t *testing.T) {
			err := tt.do()
			if !errors.Is(err, upload.ErrInvalidArgument) && !errors.Is(err, upload.ErrMissingArgument) {
				t.Fatalf("got %v, want ErrInvalidArgument or ErrMissingArgument", err)
			}
			if text := err.Error(); !strings.Contains(text, tt.want) || strings.ContainsAny(text, "\n\r\x00") {
				t.Errorf("got %q, want one line with %q", text, tt.want)
			}
		})
	}
	if n := b.server.Count(); n > 0 {
		t.Errorf("%d requests were sent, want none", n)
	}
}
