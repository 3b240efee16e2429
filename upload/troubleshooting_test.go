package upload_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/osstest"
)

var updateTroubleshooting = flag.Bool("update-troubleshooting", false, "write TROUBLESHOOTING.md")

const troubleshootingPage = "TROUBLESHOOTING.md"

// A symptom is what a person sees, why it is so, and what to do. Its text is a real one.
type symptom struct {
	sees  string
	cause string
	todo  string
	text  func(b *testbed) error
}

// chapters are the page, in the order in which an upload goes through them.
var chapters = []struct {
	title    string
	symptoms []symptom
}{
	{"Before anything is sent", []symptom{
		{
			"There are no credentials",
			"The client has no Provider that gives any, and nobody called Init, SetToken or ResumeWithToken within Options.TokenWait.",
			"Set Options.Credentials; `sts.Default` looks in the usual places and lists all that it tried.",
			func(b *testbed) error {
				b.opts.Credentials = nil
				b.opts.TokenWait = time.Millisecond
				b.opts.Callbacks.OnTokenExpired = func(*upload.Client, upload.FileInfo) {}
				return b.fails(b.small())
			},
		},
		{
			"The token server cannot be used",
			"The URL is wrong, or what answers there is no token server. The client does not ask again, since asking again would not help.",
			"Open the URL with `curl`. It has to answer with AccessKeyId, AccessKeySecret, SecurityToken and Expiration in JSON.",
			func(b *testbed) error {
				server := httptest.NewServer(http.NotFoundHandler())
				defer server.Close()
				b.opts.Credentials = must(sts.NewHTTP(server.URL+"/token", nil))
				b.opts.TokenWait = time.Minute
				return named(b.fails(b.small()), server.URL, "http://TOKENS")
			},
		},
		{
			"The file is not there",
			"Nothing readable is at the path, or it is a folder, a pipe or a device.",
			"Check the path, and that the file is not moved before its upload has ended. For other sources there are File.Reader and File.Source.",
			func(b *testbed) error {
				f := b.small()
				_ = os.Remove(f.Path)
				return b.fails(f)
			},
		},
		{
			"The object's name is refused",
			"A name that ends in a slash is a folder to most tools: the bytes would be hidden in it.",
			"Give the object a full name; AddDir joins a prefix and the names of files by itself.",
			func(b *testbed) error {
				f := b.small()
				f.Object = "in/"
				return b.fails(f)
			},
		},
		{
			"Checkpoints cannot be kept",
			"Options.CheckpointDir is a file, is not writable, or is on a full disk.",
			"Give a directory on a disk that survives the process: in a container, one on a volume.",
			func(b *testbed) error {
				f := b.small()
				b.opts.Checkpoints, b.opts.CheckpointDir = nil, f.Path
				return b.fails(f)
			},
		},
		{
			"Another process uploads the same file",
			"A second client has the same source and destination under way. Only one may send.",
			"Wait until it has ended, or end it. Then start yours: it resumes from what was sent.",
			func(b *testbed) error { return b.twice() },
		},
	}},
	{"The server refuses", []symptom{
		{
			"SignatureDoesNotMatch", "The secret does not belong to the access key ID, or the request was signed for another region.",
			"Copy both again, without white space. Set Options.Region where the endpoint's name does not have the region.",
			func(b *testbed) error {
				wrong := defaultKey
				wrong.AccessKeySecret = "another"
				b.opts.Credentials = sts.Static(wrong)
				return b.fails(b.small())
			},
		},
		{
			"InvalidAccessKeyId", "The key does not exist: it is misspelt, disabled, deleted, or of another cloud.",
			"Look for it in the RAM console. A temporary key (STS.…) needs its security token.",
			func(b *testbed) error {
				b.opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: "nobody", AccessKeySecret: "x"})
				return b.fails(b.small())
			},
		},
		{
			"AccessDenied", "The credentials are good, and their policy does not allow this request.",
			"Allow what the text names, for this bucket and prefix; for a role, in its own policy and in that of the token.",
			func(b *testbed) error {
				b.server.AddKey(osstest.Key{AccessKeyID: "poor", AccessKeySecret: "x", Policy: `{"Version":"1","Statement":[{"Effect":"Deny","Action":"oss:*","Resource":"*"}]}`})
				b.opts.Credentials = sts.Static(sts.Credentials{AccessKeyID: "poor", AccessKeySecret: "x"})
				return b.fails(b.small())
			},
		},
		{
			"NoSuchBucket", "There is no bucket of this name, or it is in another region.",
			"The console shows the bucket's endpoint.",
			func(b *testbed) error {
				f := b.small()
				f.Bucket = "nowhere"
				return b.fails(f)
			},
		},
		{
			"PublicEndpointForbidden", "Accounts that began to use OSS after 20 March 2025 may not upload to mainland China through public endpoints.",
			"Map a domain of your own to the bucket and set Options.CustomDomains, or use the internal endpoint on an ECS instance.",
			func(b *testbed) error { return b.refused("PublicEndpointForbidden", 403) },
		},
		{
			"RequestTimeTooSkewed", "This machine's clock is off by more than 15 minutes. The client corrects for that by the server's clock, and was refused all the same.",
			"Set the clock, and check that NTP runs.",
			func(b *testbed) error { return b.refused("RequestTimeTooSkewed", 403) },
		},
		{
			"UserDisable", "The account is disabled.",
			"See the account's messages in the console: unpaid bills are the usual reason.",
			func(b *testbed) error { return b.refused("UserDisable", 403) },
		},
		{
			"FileAlreadyExists", "An object of this name is there, and File.IfExists forbids replacing it; so may a retention rule of the bucket.",
			"Choose another name, or File.IfExists: Skip, SkipSame or Overwrite.",
			func(b *testbed) error {
				f := b.small()
				if _, err := b.client().Upload(b.ctx, f); err != nil {
					return err
				}
				f.IfExists = upload.Fail
				return b.fails(f)
			},
		},
		{
			"The token has expired", "No new token came within Options.TokenWait. The checkpoint is kept.",
			"Give a Provider, or call ResumeWithToken in OnTokenExpired; then ResumeFile. The upload continues where it was.",
			func(b *testbed) error {
				b.server.Inject(osstest.ExpireToken(osstest.AnyOp))
				b.opts.Credentials = nil
				b.opts.TokenWait = time.Millisecond
				b.opts.Callbacks.OnTokenExpired = func(*upload.Client, upload.FileInfo) {}
				c := b.client()
				if err := c.Init(defaultKey); err != nil {
					return err
				}
				_, err := c.Upload(b.ctx, b.small())
				return err
			},
		},
	}},
	{"The network", []symptom{
		{
			"connection refused", "Nothing listens at the address: the endpoint is wrong, or a firewall answers for it.",
			"Try `curl -v https://ENDPOINT` on the same machine.",
			func(b *testbed) error {
				const nobody = "127.0.0.1:1" // a free port is soon another test's
				f := b.small()
				f.Endpoint = "http://" + nobody
				return named(b.fails(f), nobody, "ENDPOINT")
			},
		},
		{
			"no such host", "The endpoint's name does not exist. The bucket's name stands before it, so a wrong one can be the reason, too.",
			"Endpoints look like `oss-cn-hangzhou.aliyuncs.com`: without the bucket and without a path.",
			func(b *testbed) error {
				b.opts.HTTPClient = &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "media.oss-cn-nowhere.aliyuncs.com", IsNotFound: true}}
				}}}
				f := b.small()
				f.Endpoint = "oss-cn-nowhere.aliyuncs.com"
				return b.fails(f)
			},
		},
		{
			"certificate signed by unknown authority", "Something on the way ends TLS with a certificate of its own: a proxy of the company, or a server of yours.",
			"Add its authority to the system's store, or to the TLS configuration of Options.HTTPClient. Do not switch verification off.",
			func(b *testbed) error {
				server := httptest.NewUnstartedServer(http.NotFoundHandler())
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.StartTLS()
				defer server.Close()
				f := b.small()
				f.Endpoint = server.URL
				return named(b.fails(f), server.Listener.Addr().String(), "ENDPOINT")
			},
		},
		{
			"The server does not answer", "No byte moved for Options.StallTimeout, at each attempt.",
			"On a link that is only slow, set a longer Options.StallTimeout and fewer requests at a time (Options.Parallel).",
			func(b *testbed) error {
				b.server.Inject(osstest.Hang(osstest.OpPutObject).BeforeWork().Always())
				defer b.server.ClearFaults()
				b.opts.StallTimeout = time.Second
				return b.fails(b.small())
			},
		},
		{
			"InternalError", "OSS had trouble, and still had it at the last retry.",
			"ResumeFile, or the same Upload, continues later. With the request ID Alibaba Cloud's support finds the request.",
			func(b *testbed) error { return b.refused("InternalError", 500) },
		},
	}},
	{"What was uploaded is not what was wanted", []symptom{
		{
			"The file has changed", "It was written while it was uploaded. Nothing was stored, and the upload was aborted.",
			"Upload files that are complete: write under another name and rename, or wait until the size stays the same.",
			func(b *testbed) error {
				// One part at a time, and cut off where the next begins: which part notices
				// is the same each time.
				b.opts.Parallel = 1
				f := b.file("talk.mp4", 500*kib)
				hang := osstest.Hang(osstest.OpUploadPart).Nth(2)
				b.server.Inject(hang)
				go func() {
					<-hang.Fired()
					_ = os.Truncate(f.Path, 200*kib)
					hang.Release()
				}()
				return b.fails(f)
			},
		},
		{
			"InvalidObjectCRC64", "The object's CRC64 is not that of the file: something on the way changes bytes, or memory is bad.",
			"Do not use the object. Upload it again, by https and without the proxy.",
			func(b *testbed) error {
				b.server.Inject(osstest.WrongCRC64(osstest.OpCompleteMultipartUpload))
				return b.fails(b.file("talk.mp4", 500*kib))
			},
		},
	}},
}

// small is a file of one request.
func (b *testbed) small() upload.File { return b.file("talk.mp4", 10) }

// fails uploads without retries, and returns the error.
func (b *testbed) fails(f upload.File) error {
	b.opts.RetryCount = -1
	c, err := upload.New(&b.opts)
	if err != nil {
		return err
	}
	_, err = c.Upload(b.ctx, f)
	return errors.Join(err, c.Close())
}

// refused is the error of a request that the server refuses with a code.
func (b *testbed) refused(code string, status int) error {
	b.server.Inject(osstest.Fail(osstest.OpPutObject, status, code).Always())
	return b.fails(b.small())
}

// twice uploads a file while another client does, and returns the error of the second.
func (b *testbed) twice() error {
	f := b.file("talk.mp4", 500*kib)
	hang := osstest.Hang(osstest.OpUploadPart).Always()
	b.server.Inject(hang)
	ctx, stop := context.WithCancel(b.ctx)
	first := b.client()
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = first.Upload(ctx, f) }()
	<-hang.Fired()
	err := b.fails(f)
	stop()
	<-ended
	return err
}

// named puts a word in the place of an address that is another in each run.
func named(err error, address, word string) error {
	if err == nil {
		return nil
	}
	return errors.New(strings.ReplaceAll(err.Error(), address, word))
}

// What differs from run to run, or from machine to machine, and what the page has for it.
var varying = []struct {
	what *regexp.Regexp
	word string
}{
	{regexp.MustCompile(`request ID [0-9A-F]{24}`), "request ID …"},
	{regexp.MustCompile(`(upload(?: ID)? )[0-9A-F]{32}`), "${1}…"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| \+0000 UTC)?`), "TIME"},
	{regexp.MustCompile(`since \d\d:\d\d:\d\d`), "since TIME"},
	{regexp.MustCompile(`\d+(\.\d+)?(µs|ms)`), "TIME"},
	{regexp.MustCompile(`process \d+`), "process …"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+->`), ""},
	{regexp.MustCompile(`bytes handed over`), "bytes acknowledged"}, // where the kernel's count is not read
}

func (b *testbed) shown(err error) string {
	text := strings.NewReplacer(b.server.URL, "http://ENDPOINT", strings.TrimPrefix(b.server.URL, "http://"), "ENDPOINT",
		b.dir+string(filepath.Separator), "/media/").Replace(err.Error())
	for _, v := range varying {
		text = v.what.ReplaceAllString(text, v.word)
	}
	return text
}

const troubleshootingHead = `# Troubleshooting

What do you see?

- An error: search this page for its code (Error.Code) or for a word of its text.
- No error: it [waits, is slow, or does not end](#without-an-error).
- On a phone or in a browser: the token server's log has the reason of what it refuses.

The texts are real: TestTroubleshooting provokes each, and writes this page. The words in
capitals and the dots stand for what differs each time. An error of a file also has the
bucket, the object, the part and the request ID as fields: see type [Error](errors.go).
Options.Logger reports retries and waits while they happen. What each fault leads to is in
[FAULTS.md](FAULTS.md).
`

const troubleshootingTail = `
## Without an error

- **A file starts, and nothing happens.** FileInfo.Waiting and OnWaiting say what the file waits for
  (credentials, destination, network, throttle, claim, group), since when, and the last error.
- **It begins at zero after a restart.** The checkpoints are gone: they are in the user's
  cache directory, which in a container dies with the pod. Set Options.CheckpointDir to a
  directory on a volume. It also begins at zero when the file has another size or time of
  modification than before, since the parts at the server are of other bytes.
- **The bucket's bill grows, and no object is there.** Parts of uploads that nobody resumed
  are stored and paid for. Client.Sweep lists and aborts them; a lifecycle rule of the
  bucket does it after some days without you.
- **It is slow.** Look at Client.Stats: where all slots are in use, raise Options.Parallel;
  where Options.BandwidthLimit is set, that is the limit. From outside mainland China,
  transfer acceleration is an endpoint of its own.
- **The program does not end after Close.** Close returns after Options.CleanupTimeout and
  a second at the latest, and its error says what had not ended. What is left is a callback
  or a Read of yours that does not return: no Go program can interrupt that.
`

// TestTroubleshooting provokes each error of TROUBLESHOOTING.md.
func TestTroubleshooting(t *testing.T) {
	t.Parallel()
	// Each has a server of its own, and some wait for seconds: they run at the same time.
	texts := make(map[string]string)
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, chapter := range chapters {
		for _, s := range chapter.symptoms {
			b := newTestbed(t)
			all.Go(func() {
				text := ""
				if err := s.text(b); err != nil {
					text = b.shown(err)
				}
				mu.Lock()
				defer mu.Unlock()
				texts[s.sees] = text
			})
		}
	}
	all.Wait()
	var page strings.Builder
	page.WriteString(troubleshootingHead)
	for _, chapter := range chapters {
		fmt.Fprintf(&page, "\n## %s\n", chapter.title)
		for _, s := range chapter.symptoms {
			text := texts[s.sees]
			if text == "" || thisRun.MatchString(text) {
				t.Errorf("%s: got the text %q, want one without what differs from run to run", s.sees, text)
			}
			fmt.Fprintf(&page, "\n### %s\n\n    %s\n\n%s\n\n**What to do:** %s\n", s.sees, text, s.cause, s.todo)
		}
	}
	page.WriteString(troubleshootingTail)
	if *updateTroubleshooting {
		writeFile(t, troubleshootingPage, page.String())
		return
	}
	if want := string(must(os.ReadFile(troubleshootingPage))); page.String() != want {
		t.Errorf("%s is not what errors say; see what differs, then: go test ./upload -run TestTroubleshooting -args -update-troubleshooting\n%s",
			troubleshootingPage, firstDifference(page.String(), want))
	}
}

// thisRun is an address or a path of a run of the test.
var thisRun = regexp.MustCompile(`127\.0\.0\.1:\d+|TestTroubleshooting`)
