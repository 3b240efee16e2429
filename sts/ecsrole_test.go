package sts_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/ststest"
)

func ecsRole(t *testing.T, m *ststest.Metadata, o sts.ECSRoleOptions) *sts.ECSRole {
	t.Helper()
	o.Endpoint = m.URL
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second // the default is for a service beside us, not for a busy test machine
	}
	p, err := sts.NewECSRole(&o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestECSRole(t *testing.T) {
	s := fakeSTS(t, nil)
	tests := []struct {
		name string
		mode ststest.MetadataMode
		opts sts.ECSRoleOptions
		vars map[string]string
		text string // of the error; empty: success
	}{
		{name: "a service with both modes", mode: ststest.BothModes},
		{name: "a hardened service", mode: ststest.HardenedMode},
		{name: "a hardened service, and nothing else allowed", mode: ststest.HardenedMode, opts: sts.ECSRoleOptions{HardenedOnly: true}},
		{name: "an old service", mode: ststest.NormalMode},
		{name: "an old service that is not allowed", mode: ststest.NormalMode, opts: sts.ECSRoleOptions{HardenedOnly: true}, text: "(IMDSv1) is not allowed"},
		{name: "an old service that the environment does not allow", mode: ststest.NormalMode,
			vars: map[string]string{"ALIBABA_CLOUD_IMDSV1_DISABLED": "True"}, text: "(IMDSv1) is not allowed"},
		{name: "a role that is named", opts: sts.ECSRoleOptions{Role: "uploader"}},
		{name: "a role that the environment names", vars: map[string]string{"ALIBABA_CLOUD_ECS_METADATA": "uploader"}},
		{name: "a role that is not attached", opts: sts.ECSRoleOptions{Role: "other"}, text: "role other: it is not attached to this instance (HTTP 404)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, tt.vars)
			m := metadata(t, s, &ststest.MetadataOptions{Mode: tt.mode})
			p := ecsRole(t, m, tt.opts)
			if tt.text != "" {
				refuse(t, p, tt.text, m.URL)
				return
			}
			if c := get(t, s, p); c.RoleARN != "acs:ram::1000000000000001:role/uploader" || time.Until(c.Expires) < 5*time.Hour {
				t.Errorf("got %v until %v", c, c.Expires)
			}
		})
	}
}

// What the metadata service may answer instead, by every request that it is asked.
func TestECSRoleWithFaults(t *testing.T) {
	s := fakeSTS(t, nil)
	tests := []struct {
		name  string
		fault ststest.Fault
		mode  ststest.MetadataMode
		text  string
		is    error
	}{
		{"no token for the hardened mode", ststest.FaultNoToken, ststest.HardenedMode, "asks for a token of the hardened mode, but gave none", nil},
		{"no security token", ststest.FaultNoSecurityToken, ststest.BothModes, "SecurityToken is missing", sts.ErrAnswer},
		{"no expiration", ststest.FaultNoExpiration, ststest.BothModes, "Expiration is missing", sts.ErrAnswer},
		{"a page of HTML", ststest.FaultHTML, ststest.BothModes, "is not the name of a role", sts.ErrAnswer},
		{"half an answer", ststest.FaultCut, ststest.BothModes, "not JSON", sts.ErrAnswer},
		{"a megabyte", ststest.FaultHuge, ststest.BothModes, "more than 65536 bytes", sts.ErrAnswer},
		{"a redirect", ststest.FaultRedirect, ststest.BothModes, "HTTP 302", nil},
		{"not available", ststest.FaultUnavailable, ststest.BothModes, "HTTP 503", nil},
		{"connections that are closed", ststest.FaultDown, ststest.BothModes, "EOF", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, nil)
			m := metadata(t, s, &ststest.MetadataOptions{Mode: tt.mode})
			p := ecsRole(t, m, sts.ECSRoleOptions{})
			m.SetFault(tt.fault)
			if err := refuse(t, p, tt.text, m.URL); tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error = %v, want %v in it", err, tt.is)
			}
			m.SetFault(ststest.FaultNone)
			get(t, s, p) // as soon as it behaves
		})
	}
	t.Run("a page of HTML in place of the credentials", func(t *testing.T) {
		noEnvironment(t, nil)
		m := metadata(t, s, nil)
		p := ecsRole(t, m, sts.ECSRoleOptions{Role: "uploader"})
		m.SetFault(ststest.FaultHTML)
		refuse(t, p, "role uploader: the answer: it is a page of HTML or XML; want JSON")
	})
	t.Run("a hardened-only client and no token", func(t *testing.T) {
		noEnvironment(t, nil)
		m := metadata(t, s, nil)
		m.SetFault(ststest.FaultNoToken)
		refuse(t, ecsRole(t, m, sts.ECSRoleOptions{HardenedOnly: true}), "gave none (HTTP 200, 0 bytes)")
		if n := m.Requests(); n != 1 {
			t.Errorf("%d requests, want the one for a token alone", n)
		}
	})
}

func TestECSRoleThatChanges(t *testing.T) {
	noEnvironment(t, nil)
	s := fakeSTS(t, nil)
	m := metadata(t, s, nil)
	p := ecsRole(t, m, sts.ECSRoleOptions{})
	get(t, s, p)
	m.SetRole("archiver")
	if c := get(t, s, p); c.RoleARN != "acs:ram::1000000000000001:role/archiver" {
		t.Errorf("got %v, want the new role", c)
	}
	m.SetRole("")
	refuse(t, p, "no RAM role is attached to this instance (HTTP 404)")
}

func TestECSRoleOfASlowService(t *testing.T) {
	noEnvironment(t, nil)
	m := metadata(t, fakeSTS(t, nil), nil)
	m.SetDelay(time.Minute)
	err := refuse(t, ecsRole(t, m, sts.ECSRoleOptions{Timeout: 20 * time.Millisecond}), "get a token: no complete answer within 20ms")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error = %v, want a deadline", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ecsRole(t, m, sts.ECSRoleOptions{}).Credentials(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestECSRoleWithAClockThatIsOff(t *testing.T) {
	noEnvironment(t, nil)
	for _, off := range []time.Duration{-3 * time.Hour, 3 * time.Hour} {
		s := fakeSTS(t, &ststest.Options{Now: func() time.Time { return time.Now().Add(off) }})
		m := metadata(t, s, nil)
		creds, err := ecsRole(t, m, sts.ECSRoleOptions{}).Credentials(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Either clock may be right: the earlier end is safe.
		if left := time.Until(creds.Deadline()); left > 6*time.Hour || left < 2*time.Hour {
			t.Errorf("service's clock %v off: %v left, want at most the 6 hours", off, left)
		}
	}
	s := fakeSTS(t, &ststest.Options{Now: func() time.Time { return time.Now().Add(-7 * time.Hour) }})
	creds, err := ecsRole(t, metadata(t, s, nil), sts.ECSRoleOptions{}).Credentials(t.Context())
	if err != nil || time.Until(creds.Deadline()) <= 0 {
		t.Errorf("credentials that have expired by this machine's clock alone: %v, %v", creds, err)
	}
}

func TestNewECSRoleRefuses(t *testing.T) {
	tests := []struct {
		name string
		opts sts.ECSRoleOptions
		vars map[string]string
		text string
	}{
		{"what is switched off", sts.ECSRoleOptions{}, map[string]string{"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "TRUE"}, "ALIBABA_CLOUD_ECS_METADATA_DISABLED"},
		{"a role with a slash", sts.ECSRoleOptions{Role: "../token"}, nil, "not the name of a role"},
		{"an endpoint that is none", sts.ECSRoleOptions{Endpoint: "100.100.100.200"}, nil, "want http:// or https://"},
		{"a negative timeout", sts.ECSRoleOptions{Timeout: -1}, nil, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noEnvironment(t, tt.vars)
			if _, err := sts.NewECSRole(&tt.opts); err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error = %v, want %q", err, tt.text)
			}
		})
	}
}

func TestURI(t *testing.T) {
	noEnvironment(t, nil)
	s := fakeSTS(t, nil)
	u := ststest.NewCredentialsURI(s)
	defer u.Close()
	p, err := sts.NewURI(u.URL+"/c?token="+aToken, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c := get(t, s, p); c.Session != "uri" {
		t.Errorf("got %v", c)
	}
	for fault, text := range map[ststest.Fault]string{
		ststest.FaultNoSecurityToken: "SecurityToken is missing",
		ststest.FaultNoExpiration:    "Expiration is missing",
		ststest.FaultHTML:            "it is a page of HTML or XML; want JSON",
		ststest.FaultCut:             "not JSON",
		ststest.FaultHuge:            "more than 65536 bytes",
		ststest.FaultRedirect:        "HTTP 302, want 200",
		ststest.FaultUnavailable:     "HTTP 503, want 200",
		ststest.FaultDown:            "EOF",
	} {
		t.Run(string(fault), func(t *testing.T) {
			u.SetFault(fault)
			refuse(t, p, "credentials URI "+u.URL+"/c: ", text)
		})
	}
	t.Run("from the environment", func(t *testing.T) {
		u.SetFault(ststest.FaultNone)
		t.Setenv("ALIBABA_CLOUD_CREDENTIALS_URI", u.URL)
		p, err := sts.NewURI("", nil)
		if err != nil {
			t.Fatal(err)
		}
		get(t, s, p)
	})
	t.Run("a slow one", func(t *testing.T) {
		u.SetDelay(time.Minute)
		p, err := sts.NewURI(u.URL, &sts.URIOptions{Timeout: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		refuse(t, p, "no complete answer within 20ms")
	})
}

func TestNewURIRefuses(t *testing.T) {
	noEnvironment(t, nil)
	tests := []struct {
		name, uri string
		opts      sts.URIOptions
		text      string // empty: allowed
	}{
		{"none", "", sts.URIOptions{}, "ALIBABA_CLOUD_CREDENTIALS_URI is not set"},
		{"plain HTTP to a remote host", "http://credentials.example/x?" + aToken, sts.URIOptions{}, "plain HTTP to credentials.example"},
		{"plain HTTP to a private address", "http://10.0.0.1/x", sts.URIOptions{}, "plain HTTP to 10.0.0.1"},
		{"plain HTTP to a remote host that is allowed", "http://credentials.example/x", sts.URIOptions{AllowHTTP: true}, ""},
		{"https", "https://credentials.example/x", sts.URIOptions{}, ""},
		{"loopback by name", "http://localhost:8080/x", sts.URIOptions{}, ""},
		{"loopback of IPv6", "http://[::1]:8080/x", sts.URIOptions{}, ""},
		{"link-local", "http://169.254.170.2/x", sts.URIOptions{}, ""},
		{"the metadata service", "http://100.100.100.200/x", sts.URIOptions{}, ""},
		{"a name that begins like loopback", "http://127.0.0.1.example/x", sts.URIOptions{}, "plain HTTP"},
		{"another scheme", "file:///etc/" + aSecret, sts.URIOptions{}, "want http:// or https://"},
		{"no URL", "http://%zz" + aSecret, sts.URIOptions{}, "want http:// or https://"},
		{"a negative timeout", "https://x", sts.URIOptions{Timeout: -1}, "negative"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sts.NewURI(tt.uri, &tt.opts)
			if tt.text == "" && err != nil {
				t.Error(err)
			}
			if tt.text != "" {
				if err == nil {
					t.Fatal("no error")
				}
				readable(t, err, tt.text)
			}
		})
	}
}
