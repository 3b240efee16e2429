package ststest_test

import (
	"context"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
	"github.com/vodupload/vodupload/sts/ststest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const policy = `{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject"],"Resource":["acs:oss:*:*:media/in/*"]}]}`

// A call is a request under construction: it is signed when it is sent.
type call struct {
	method   string
	params   map[string]string
	inForm   []string // names that go into the form; the others go into the query
	allForm  bool
	noSign   bool
	key, sec string
}

func newCall(s *ststest.Server) *call {
	u := s.DefaultUser()
	return &call{
		method: http.MethodPost, allForm: true, key: u.AccessKeyID, sec: u.AccessKeySecret,
		params: map[string]string{
			"Action": "AssumeRole", "Version": "2015-04-01", "Format": "JSON", "SignatureMethod": "HMAC-SHA1",
			"SignatureVersion": "1.0", "SignatureNonce": fmt.Sprint(nonce()),
			"Timestamp": time.Now().UTC().Format("2006-01-02T15:04:05Z"),
			"RoleArn":   ststest.DefaultRole, "RoleSessionName": "alice",
		},
	}
}

var nonces struct {
	sync.Mutex
	n int
}

func nonce() int {
	nonces.Lock()
	defer nonces.Unlock()
	nonces.n++
	return nonces.n
}

func (c *call) send(t *testing.T, s *ststest.Server) (int, string) {
	t.Helper()
	if c.key != "" {
		c.params["AccessKeyId"] = c.key
	}
	if !c.noSign {
		c.params["Signature"] = openapi.Sign(c.method, c.params, c.sec)
	}
	query, form := url.Values{}, url.Values{}
	for name, value := range c.params {
		if c.allForm {
			form.Set(name, value)
		} else {
			query.Set(name, value)
		}
	}
	for _, name := range c.inForm {
		query.Del(name)
		form.Set(name, c.params[name])
	}
	req, err := http.NewRequestWithContext(t.Context(), c.method, s.URL+"/?"+query.Encode(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func start(t *testing.T, opts *ststest.Options) *ststest.Server {
	t.Helper()
	s := ststest.NewServer(opts)
	t.Cleanup(s.Close)
	return s
}

func TestAssumeRoleTakesParametersWhereverClientsPutThem(t *testing.T) {
	s := start(t, nil)
	tests := []struct {
		name string
		edit func(*call)
	}{
		{"all in the query of a POST, with RegionId and an empty SignatureType", func(c *call) {
			c.allForm = false
			c.params["RegionId"], c.params["SignatureType"] = "cn-hangzhou", ""
		}},
		{"all in the form, with milliseconds", func(c *call) {
			c.params["Timestamp"] = time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
		}},
		{"common ones in the query, the action's own in the form", func(c *call) {
			c.allForm = false
			c.inForm = []string{"RoleArn", "RoleSessionName", "Policy", "DurationSeconds"}
		}},
		{"all in the query of a GET", func(c *call) { c.method, c.allForm = http.MethodGet, false }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCall(s)
			c.params["Policy"], c.params["DurationSeconds"] = policy, "900"
			tt.edit(c)
			status, body := c.send(t, s)
			var out struct {
				RequestID       string `json:"RequestId"`
				AssumedRoleUser struct{ Arn, AssumedRoleID string }
				Credentials     struct{ AccessKeyID, AccessKeySecret, SecurityToken, Expiration string }
			}
			if err := json.Unmarshal([]byte(body), &out); err != nil || status != http.StatusOK {
				t.Fatalf("HTTP %d, %v: %s", status, err, body)
			}
			if want := ststest.DefaultRole + "/alice"; out.AssumedRoleUser.Arn != want {
				t.Errorf("Arn = %q, want %q", out.AssumedRoleUser.Arn, want)
			}
			if !strings.HasSuffix(out.AssumedRoleUser.AssumedRoleID, ":alice") || len(out.RequestID) != 36 {
				t.Errorf("AssumedRoleId %q, RequestId %q: want :alice at the end, 36 characters",
					out.AssumedRoleUser.AssumedRoleID, out.RequestID)
			}
			got, ok := s.Lookup(out.Credentials.AccessKeyID, out.Credentials.SecurityToken)
			if !ok || got.AccessKeySecret != out.Credentials.AccessKeySecret || got.Policy != policy ||
				got.RoleARN != ststest.DefaultRole || got.Session != "alice" {
				t.Errorf("Lookup = %v, %t; want the key that was issued", got, ok)
			}
			if left := time.Until(got.Expires); left > 15*time.Minute || left < 14*time.Minute {
				t.Errorf("token lives for %v, want 15 minutes", left)
			}
		})
	}
}

func TestAssumeRoleTakesWhatIsAllowed(t *testing.T) {
	s := start(t, &ststest.Options{Roles: []ststest.Role{
		{ARN: ststest.DefaultRole, Policy: policy},
		{ARN: "acs:ram::1:role/long", MaxSession: 12 * time.Hour, ExternalID: "abcd1", Trusted: []string{ststest.DefaultUserID}},
	}})
	tests := []struct {
		name   string
		params map[string]string
	}{
		{"defaults", nil},
		{"session name of 2 letters", map[string]string{"RoleSessionName": "ab"}},
		{"session name of 64 letters and signs", map[string]string{"RoleSessionName": strings.Repeat("a.@-_bcd", 8)}},
		{"12 hours, trusted, with external ID", map[string]string{
			"RoleArn": "acs:ram::1:role/long", "ExternalId": "abcd1", "DurationSeconds": "43200"}},
		{"policy of 2,048 characters", map[string]string{"Policy": policy + strings.Repeat(" ", 2048-len(policy))}},
		{"policy with single values", map[string]string{
			"Policy": `{"Version":"1","Statement":{"Effect":"Allow","Action":"oss:*","Resource":"*","Condition":{}}}`}},
		{"clock 14 minutes off", map[string]string{
			"Timestamp": time.Now().Add(-14 * time.Minute).UTC().Format("2006-01-02T15:04:05Z")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newCall(s)
			maps.Copy(c.params, tt.params)
			if status, body := c.send(t, s); status != http.StatusOK {
				t.Errorf("HTTP %d: %s", status, body)
			}
		})
	}
}

func TestAnswerIsXMLUnlessJSONIsAskedFor(t *testing.T) {
	s := start(t, nil)
	c := newCall(s)
	delete(c.params, "Format")
	status, body := c.send(t, s)
	var out struct {
		XMLName     xml.Name `xml:"AssumeRoleResponse"`
		Credentials struct{ AccessKeyId, SecurityToken string }
	}
	if err := xml.Unmarshal([]byte(body), &out); err != nil || status != http.StatusOK {
		t.Fatalf("HTTP %d, %v: %s", status, err, body)
	}
	if _, ok := s.Lookup(out.Credentials.AccessKeyId, out.Credentials.SecurityToken); !ok {
		t.Errorf("Lookup does not know the key in %s", body)
	}
}

// provider returns the real client, pointed at s.
func provider(t *testing.T, s *ststest.Server, base sts.Credentials, opts sts.AssumeRoleOptions) sts.Provider {
	t.Helper()
	opts.Endpoint = s.URL
	p, err := sts.NewAssumeRole(sts.Static(base), ststest.DefaultRole, &opts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *openapi.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("error = %v, want code %s", err, code)
	}
}

func TestIssuedKeysCanAssumeRolesInTurn(t *testing.T) {
	s := start(t, nil)
	first, err := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{}).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider(t, s, first, sts.AssumeRoleOptions{}).Credentials(t.Context()); err != nil {
		t.Errorf("with the token: %v", err)
	}
	without := first
	without.SecurityToken = ""
	_, err = provider(t, s, without, sts.AssumeRoleOptions{}).Credentials(t.Context())
	if !errors.Is(err, sts.ErrInvalidCredentials) {
		t.Errorf("without the token: %v, want ErrInvalidCredentials before the service is asked", err)
	}
	other := first
	other.SecurityToken = "CAISother"
	_, err = provider(t, s, other, sts.AssumeRoleOptions{}).Credentials(t.Context())
	wantCode(t, err, "InvalidSecurityToken.MismatchWithAccessKey")

	s.ExpireAll()
	_, err = provider(t, s, first, sts.AssumeRoleOptions{}).Credentials(t.Context())
	wantCode(t, err, "InvalidSecurityToken.Expired")
	if c, ok := s.Lookup(first.AccessKeyID, first.SecurityToken); !ok || time.Until(c.Expires) > 0 {
		t.Errorf("Lookup after ExpireAll = %v, %t; want an expired key", c, ok)
	}
}

func TestLookup(t *testing.T) {
	s := start(t, &ststest.Options{
		Users: []ststest.User{{AccessKeyID: "user", AccessKeySecret: "s"}, {AccessKeyID: "off", AccessKeySecret: "s", Inactive: true}},
		Roles: []ststest.Role{{ARN: ststest.DefaultRole, Policy: policy}},
	})
	issued, err := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{}).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, id, token string
		ok              bool
	}{
		{"issued key", issued.AccessKeyID, issued.SecurityToken, true},
		{"issued key without its token", issued.AccessKeyID, "", false},
		{"issued key with another token", issued.AccessKeyID, "CAIS", false},
		{"user's key", "user", "", true},
		{"user's key with a token", "user", issued.SecurityToken, false},
		{"disabled key", "off", "", false},
		{"unknown key", "STS.x", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, ok := s.Lookup(tt.id, tt.token); ok != tt.ok {
				t.Errorf("found: %t, want %t", ok, tt.ok)
			}
		})
	}
	if c, _ := s.Lookup(issued.AccessKeyID, issued.SecurityToken); c.Policy != policy {
		t.Errorf("policy = %q, want the role's", c.Policy)
	}
}

// A session's policy cannot widen that of its role.
func TestBothPoliciesHold(t *testing.T) {
	const session = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	s := start(t, &ststest.Options{Roles: []ststest.Role{{ARN: ststest.DefaultRole, Policy: policy}}})
	c, err := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{Policy: session}).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Lookup(c.AccessKeyID, c.SecurityToken); got.Policy != "["+policy+","+session+"]" {
		t.Errorf("policy = %s, want both", got.Policy)
	}
}

func TestScriptedFailures(t *testing.T) {
	s := start(t, nil)
	p := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{})
	s.FailNext(2, "InternalError")
	s.FailNext(1, "Strange.Code")
	for _, code := range []string{"InternalError", "InternalError", "Strange.Code"} {
		_, err := p.Credentials(t.Context())
		wantCode(t, err, code)
	}
	if n := s.Pending(); n != 0 {
		t.Errorf("%d failures pending, want 0", n)
	}
	if _, err := p.Credentials(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestHoldAndStats(t *testing.T) {
	s := start(t, nil)
	p := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{})
	release := s.Hold()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			if _, err := p.Credentials(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	if err := s.WaitInFlight(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	release()
	wg.Wait()
	s.SetDelay(time.Millisecond)
	if _, err := p.Credentials(t.Context()); err != nil {
		t.Error(err)
	}
	if got := s.Stats(); got.Calls != 4 || got.Issued != 4 || got.MaxInFlight != 3 {
		t.Errorf("stats = %+v, want 4 calls, 4 issued, at most 3 in flight", got)
	}
}

func TestCloseEndsHeldCalls(t *testing.T) {
	s := ststest.NewServer(nil)
	p := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{})
	defer s.Hold()()
	failed := make(chan error, 1)
	go func() {
		_, err := p.Credentials(context.Background())
		failed <- err
	}()
	if err := s.WaitInFlight(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := <-failed; err == nil {
		t.Error("call succeeded after Close")
	}
}

func TestTokenLife(t *testing.T) {
	s := start(t, &ststest.Options{TokenLife: 5 * time.Second})
	c, err := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{}).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(c.Expiration); left > 5*time.Second {
		t.Errorf("token lives for %v, want at most 5s", left)
	}
}

func TestTextsHaveNoSecrets(t *testing.T) {
	s := start(t, nil)
	issued, err := provider(t, s, s.DefaultUser(), sts.AssumeRoleOptions{}).Credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, _ := s.Lookup(issued.AccessKeyID, issued.SecurityToken)
	u := ststest.User{AccessKeyID: "user", AccessKeySecret: "the-secret-of-a-user"}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c, "u", u, "cs", []any{c, u})
	text := log.String() + fmt.Sprintf("%v %+v %d", s, s, s) + fmt.Sprintf("%v %+v %#v %d %x %s %v %+v %d", c, c, c, c, c, u, u, []any{&c, &u}, struct {
		C ststest.Credential
		U ststest.User
	}{c, u})
	j, err := json.Marshal([]any{c, &c, u, &u})
	if err != nil {
		t.Fatal(err)
	}
	var encoded strings.Builder
	if err := errors.Join(gob.NewEncoder(&encoded).Encode(c), gob.NewEncoder(&encoded).Encode(&u),
		xml.NewEncoder(&encoded).Encode(c), xml.NewEncoder(&encoded).Encode(u)); err != nil {
		t.Error(err)
	}
	text += string(j) + encoded.String()
	for _, secret := range []string{c.AccessKeySecret, c.SecurityToken, u.AccessKeySecret} {
		if strings.Contains(text, secret) {
			t.Errorf("text has the secret %s in it: %s", secret, text)
		}
	}
}

func TestMetadataPrintsNoToken(t *testing.T) {
	s := ststest.NewServer(nil)
	defer s.Close()
	m := ststest.NewMetadata(s, nil)
	defer m.Close()
	req, _ := http.NewRequest(http.MethodPut, m.URL+"/latest/api/token", nil)
	req.Header.Set("X-aliyun-ecs-metadata-token-ttl-seconds", "60")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	token, err := io.ReadAll(resp.Body)
	if err != nil || len(token) < 8 {
		t.Fatalf("token %q, %v", token, err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		if text := fmt.Sprintf(verb, m); strings.Contains(text, string(token)) {
			t.Errorf("%s: %s", verb, text)
		}
	}
}
