package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
	"github.com/vodupload/vodupload/upload/osstest"
)

// says fails the test unless the run has written each text, to either stream.
func (r ran) says(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(r.stdout+r.stderr, text) {
			t.Errorf("does not say %q in\n%s%s", text, r.stdout, r.stderr)
		}
	}
}

func TestDoctorOfGoodHealth(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.upload("doctor", "oss://media/in/", "--speed").wants(t, exitOK)
	r.says(t, "ok    checkpoints   "+w.state, "ok    credentials   oss…, access key, from environment OSS_ACCESS_KEY_ID", "ok    network", "ok    clock",
		"ok    bucket        media answers", "ok    region        cn-hangzhou", "ok    right         oss:PutObject", "ok    speed", "note  TLS")
	if n := len(w.server.Objects("media")) + len(w.server.Uploads("media")); n != 0 || strings.Contains(r.stdout+r.stderr, osstest.DefaultKey.AccessKeySecret) {
		t.Errorf("%d things are left\n%s", n, r.stdout)
	}
	w.upload("doctor").wants(t, exitOK)
	events := w.upload("doctor", "oss://media/", "--json").wants(t, exitOK).events(t)
	if e := events[0]; e.Type != "finding" || e.For != "checkpoints" || e.Code != "ok" || len(events) < 12 {
		t.Errorf("events %+v", events)
	}
}

func TestDoctorFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	policy := func(deny string) osstest.Key {
		return osstest.Key{AccessKeyID: "limited", AccessKeySecret: "secret", Policy: `{"Version":"1","Statement":[
			{"Effect":"Allow","Action":"oss:*","Resource":"*"},{"Effect":"Deny","Action":"` + deny + `","Resource":"*"}]}`}
	}
	for name, tt := range map[string]struct {
		code  int
		says  string
		env   []string
		args  []string
		key   osstest.Key
		fault *osstest.Fault
	}{
		"no credentials":         {code: exitDenied, says: "bad   credentials", env: []string{"OSS_ACCESS_KEY_ID=", "OSS_ACCESS_KEY_SECRET="}},
		"a wrong key":            {code: exitDenied, says: "InvalidAccessKeyId", env: []string{"OSS_ACCESS_KEY_ID=other"}},
		"a wrong secret":         {code: exitDenied, says: "check the access key's secret", env: []string{"OSS_ACCESS_KEY_SECRET=other"}},
		"another bucket":         {code: exitFailed, says: "check the bucket's name", args: []string{"oss://nobody/"}},
		"another region":         {code: exitFailed, says: "--region", env: []string{"OSS_REGION=cn-beijing"}},
		"no right to upload":     {code: exitDenied, says: "oss:PutObject is denied: without it nothing can be uploaded", key: policy("oss:PutObject")},
		"no right to abort":      {code: exitOK, says: "oss:AbortMultipartUpload is denied, and an empty upload of .vodupload-doctor is left", key: policy("oss:AbortMultipartUpload")},
		"no right to list parts": {code: exitDenied, says: "oss:ListParts is denied", key: policy("oss:ListParts")},
		"no right to read":       {code: exitOK, says: "note  right         oss:GetObject is denied", key: policy("oss:GetObject")},
		"a public endpoint":      {code: exitDenied, says: "give --custom-domain", fault: osstest.Fail(osstest.OpInitiateMultipartUpload, 403, "PublicEndpointForbidden")},
		"a clock that is off":    {code: exitFailed, says: "set the clock of this machine", fault: osstest.ClockSkew(osstest.AnyOp, time.Hour)},
		"a server in need":       {code: exitTemporary, says: "ServiceUnavailable", fault: osstest.Fail(osstest.OpInitiateMultipartUpload, 503, "ServiceUnavailable")},
		"a token that has ended": {code: exitDenied, says: "expired", fault: osstest.ExpireToken(osstest.OpHeadObject)},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			w.server = osstest.NewServer(&osstest.Options{Buckets: []string{"media"}, Keys: []osstest.Key{osstest.DefaultKey}})
			defer w.server.Close()
			w.environ = append(append([]string{}, w.environ...), tt.env...)
			if tt.key.AccessKeyID != "" {
				w.server.AddKey(tt.key)
				w.environ = append(w.environ, "OSS_ACCESS_KEY_ID=limited", "OSS_ACCESS_KEY_SECRET=secret")
			}
			if tt.fault != nil {
				w.server.Inject(tt.fault)
			}
			if tt.args == nil {
				tt.args = []string{"oss://media/"}
			}
			r := w.upload(append([]string{"doctor"}, tt.args...)...).wants(t, tt.code)
			r.says(t, tt.says)
			if n := strings.Count(r.stdout, "\n"); n > 24 {
				t.Errorf("%d lines are more than a screen", n)
			}
		})
	}
	t.Run("a server that is not there", func(t *testing.T) {
		w.run("doctor", "oss://media/", "--endpoint", "http://"+deadAddress, "--checkpoint-dir", w.state).wants(t, exitTemporary).says(t, "bad   network", "firewalls")
	})
	t.Run("a folder that cannot be", func(t *testing.T) {
		w.run("doctor", "--endpoint", w.server.URL, "--checkpoint-dir", filepath.Join(w.file("x", 1), "y")).wants(t, exitUsage).says(t, "bad   checkpoints")
	})
	t.Run("no endpoint", func(t *testing.T) {
		w.environ = append(w.environ, "OSS_REGION=")
		w.run("doctor", "--checkpoint-dir", w.state).wants(t, exitUsage).says(t, "give --region or --endpoint")
	})
	w.upload("doctor", "--speed").wants(t, exitUsage)
	w.upload("doctor", "media").wants(t, exitUsage)
}

func TestFindings(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	state := func(left time.Duration) *tls.ConnectionState {
		return &tls.ConnectionState{Version: tls.VersionTLS13, PeerCertificates: []*x509.Certificate{{NotAfter: now.Add(left)}}}
	}
	u := &url.URL{Scheme: "https", Host: "oss.example.com"}
	token := func(left time.Duration) sts.Credentials {
		return sts.Credentials{AccessKeyID: "i", AccessKeySecret: "s", SecurityToken: "t", Expiration: now.Add(left)}
	}
	for name, tt := range map[string]struct {
		got   finding
		grade grade
		says  string
	}{
		"a clock that is right":   {clockFinding(date(0), now), good, "within a second"},
		"a clock two minutes off": {clockFinding(date(2*time.Minute), now), note, "behind"},
		"a clock an hour off":     {clockFinding(date(-time.Hour), now), bad, "ahead of"},
		"no clock":                {clockFinding("x", now), note, "does not say"},
		"no TLS":                  {tlsFinding(u, nil, now), note, "not encrypted"},
		"TLS":                     {tlsFinding(u, state(1e6*time.Second*10), now), good, "TLS 1.3"},
		"a certificate that ends": {tlsFinding(u, state(time.Hour), now), note, "renewed"},
		"a key":                   {validity(sts.Credentials{AccessKeyID: "i", AccessKeySecret: "s"}, now), good, "a key"},
		"a token":                 {validity(token(time.Hour), now), good, "for 1h00m"},
		"a token that ends":       {validity(token(time.Minute), now), note, "only"},
		"a token that has ended":  {validity(token(-time.Minute), now), bad, "expired"},
		"the same region":         {regionFinding("cn-beijing", config.Place{Endpoint: "oss-cn-beijing-internal.aliyuncs.com", Region: "cn-beijing"}), good, "cn-beijing"},
		"an endpoint elsewhere":   {regionFinding("cn-beijing", config.Place{Endpoint: "https://oss-cn-hangzhou.aliyuncs.com"}), bad, "use the endpoint oss-cn-beijing.aliyuncs.com"},
		"a signature elsewhere":   {regionFinding("cn-beijing", config.Place{Endpoint: "media.example.com", Region: "cn-hangzhou"}), bad, "--region cn-beijing"},
		"acceleration":            {regionFinding("cn-beijing", config.Place{Endpoint: "oss-accelerate.aliyuncs.com", Region: "cn-beijing"}), good, "cn-beijing"},
		"a name of nobody":        {unreachable("h", nil, &url.Error{Op: "Head", URL: "secret", Err: &net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}}), bad, "there is no h"},
		"a bad certificate":       {unreachable("h", nil, &url.Error{Err: &tls.CertificateVerificationError{Err: errors.New("x")}}), bad, "authority"},
		"no answer":               {unreachable("h", nil, &url.Error{Err: context.DeadlineExceeded}), bad, "no answer"},
		"a proxy":                 {unreachable("h", &url.URL{Host: "proxy:3128"}, errors.New("x")), bad, "proxy:3128"},
	} {
		if tt.got.grade != tt.grade || !strings.Contains(tt.got.line(), tt.says) || strings.Contains(tt.got.line(), "secret") || strings.Contains(tt.got.line(), "\n") {
			t.Errorf("%s: %q, want %s and %q", name, tt.got.line(), tt.grade, tt.says)
		}
		if code := exitCode(failures{tt.got.err}); tt.grade == bad && tt.got.err != nil && code == exitOK {
			t.Errorf("%s: exit code %d", name, code)
		}
	}
}

func TestWhoami(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.here("whoami").wants(t, exitOK)
	r.says(t, "oss…", "environment OSS_ACCESS_KEY_ID", "it is a key")
	if n := w.server.Count(); n != 0 || strings.Contains(r.stdout, osstest.DefaultKey.AccessKeySecret) {
		t.Errorf("%d requests\n%s", n, r.stdout)
	}
	w.here("whoami", "oss://media/in/").wants(t, exitOK).says(t, "oss:PutObject", "oss:ListParts")
	if n := len(w.server.Uploads("media")); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	t.Run("4 without credentials", func(t *testing.T) {
		w := newWorld(t)
		w.environ = append(w.environ, "OSS_ACCESS_KEY_ID=", "OSS_ACCESS_KEY_SECRET=")
		w.here("whoami").wants(t, exitDenied).says(t, "bad   credentials", "set OSS_ACCESS_KEY_ID")
	})
	w.here("whoami", "media").wants(t, exitUsage)
}

func TestWhoamiAsksSTS(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T) (*world, *ststest.Server) {
		w := newWorld(t)
		server := ststest.NewServer(&ststest.Options{Users: []ststest.User{
			{AccessKeyID: osstest.DefaultKey.AccessKeyID, AccessKeySecret: osstest.DefaultKey.AccessKeySecret},
		}})
		t.Cleanup(server.Close)
		w.environ = append(w.environ, "VODUPLOAD_STS_ENDPOINT="+server.URL)
		return w, server
	}
	t.Run("who has the key", func(t *testing.T) {
		w, _ := at(t)
		w.here("whoami").wants(t, exitOK).says(t, "ok    identity      acs:ram::1000000000000001:user/user1, user 216959339000000001 of account 1000000000000001")
		events := w.here("whoami", "--json").wants(t, exitOK).events(t)
		for _, e := range events {
			if e.For == "identity" && e.Identity.ARN == "acs:ram::1000000000000001:user/user1" && e.Identity.Type == "RAMUser" && e.Identity.RequestID != "" {
				return
			}
		}
		t.Errorf("no identity in %+v", events)
	})
	t.Run("which role is assumed", func(t *testing.T) {
		w, _ := at(t)
		w.here("whoami", "--role-arn", ststest.DefaultRole).wants(t, exitOK).says(t, "assumed-role/uploader/vodupload, role 344584339364951186 of account 1000000000000001")
	})
	for outcome, test := range map[string]struct {
		refuse string
		args   []string
		code   int
		says   string
	}{
		"0 where a policy denies that":                {"NoPermission", nil, exitOK, "note  identity      not known: "},
		"0 where STS is overloaded":                   {"Throttling.User", nil, exitOK, "Throttling.User"},
		"4 where the key is nobody's":                 {"InvalidAccessKeyId.NotFound", nil, exitDenied, "bad   identity"},
		"0 where the key is of the bucket's own kind": {"InvalidAccessKeyId.NotFound", []string{"oss://media/in/"}, exitOK, "note  identity"},
	} {
		t.Run(outcome, func(t *testing.T) {
			w, server := at(t)
			server.FailNext(1, test.refuse)
			r := w.here(append([]string{"whoami"}, test.args...)...).wants(t, test.code)
			r.says(t, test.says, test.refuse)
			if server.Pending() != 0 || strings.Contains(r.stdout+r.stderr, osstest.DefaultKey.AccessKeySecret) {
				t.Errorf("%d refusals are left\n%s", server.Pending(), r.stdout)
			}
		})
	}
	t.Run("0 where STS is out of reach", func(t *testing.T) {
		newWorld(t).here("whoami").wants(t, exitOK).says(t, "note  identity      not known: ", "VODUPLOAD_STS_ENDPOINT")
	})
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	if os.Getuid() == 0 || runtime.GOOS == "windows" {
		t.Skip("nothing is forbidden here")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	if f := checkFolder(dir); f.grade != bad {
		t.Errorf("finding %q", f.line())
	}
}
