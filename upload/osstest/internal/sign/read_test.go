package sign

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

var (
	testTime   = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	testTarget = Target{"media", "in/talk 1.mp4"}
	longKey    = key{"ak", "sk", ""}
	tempKey    = key{"STS.ak", "sts-sk", "token"}
)

// A key is what a request is signed with.
type key struct{ id, secret, token string }

const testRegion = "cn-hangzhou"

func newTestRequest() *http.Request {
	return httptest.NewRequest("PUT", "/media/in/talk%201.mp4?partNumber=1&uploadId=77&encoding-type=url", nil)
}

// signedV1 returns a request whose header k has signed at a time.
func signedV1(k key, at time.Time) *http.Request {
	r := newTestRequest()
	date := at.UTC().Format(http.TimeFormat)
	r.Header.Set("Date", date)
	if k.token != "" {
		r.Header.Set("X-Oss-Security-Token", k.token)
	}
	text := StringToSignV1(r, testTarget, r.URL.Query(), date)
	r.Header.Set("Authorization", "OSS "+k.id+":"+V1(k.secret, text))
	return r
}

// signedURLv1 returns a request whose URL k has signed.
func signedURLv1(k key, expires time.Time) *http.Request {
	r := newTestRequest()
	q := r.URL.Query()
	if k.token != "" {
		q.Set("security-token", k.token)
	}
	date := strconv.FormatInt(expires.Unix(), 10)
	text := StringToSignV1(r, testTarget, q, date)
	q.Set("OSSAccessKeyId", k.id)
	q.Set("Expires", date)
	q.Set("Signature", V1(k.secret, text))
	r.URL.RawQuery = q.Encode()
	return r
}

// signedV4 returns a request whose header k has signed at a time, for a scope.
func signedV4(k key, at time.Time, s scope) *http.Request {
	r := newTestRequest()
	r.Header.Set("X-Oss-Date", at.UTC().Format(timeFormV4))
	r.Header.Set("X-Oss-Content-Sha256", unsignedPayload)
	if k.token != "" {
		r.Header.Set("X-Oss-Security-Token", k.token)
	}
	text := stringToSignV4(r.Header.Get("X-Oss-Date"), s, canonicalRequestV4(r, testTarget, r.URL.Query(), nil))
	r.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential="+k.id+"/"+s.String()+
		",Signature="+signV4(k.secret, s, text))
	return r
}

// signedURLv4 returns a request whose URL k has signed at a time.
func signedURLv4(k key, at time.Time, seconds string, s scope) *http.Request {
	r := newTestRequest()
	q := r.URL.Query()
	if k.token != "" {
		q.Set("x-oss-security-token", k.token)
	}
	q.Set("x-oss-signature-version", algorithmV4)
	q.Set("x-oss-credential", k.id+"/"+s.String())
	q.Set("x-oss-date", at.UTC().Format(timeFormV4))
	q.Set("x-oss-expires", seconds)
	text := stringToSignV4(q.Get("x-oss-date"), s, canonicalRequestV4(r, testTarget, q, nil))
	q.Set("x-oss-signature", signV4(k.secret, s, text))
	r.URL.RawQuery = q.Encode()
	return r
}

func dayOf(at time.Time) scope {
	return scope{date: at.UTC().Format(dateFormV4), region: testRegion}
}

// withHeader and withQuery change a signed request; an empty value removes.
func withHeader(r *http.Request, name, value string) *http.Request {
	r.Header.Set(name, value)
	if value == "" {
		r.Header.Del(name)
	}
	return r
}

func withQuery(r *http.Request, name, value string) *http.Request {
	q := r.URL.Query()
	q.Set(name, value)
	if value == "" {
		q.Del(name)
	}
	r.URL.RawQuery = q.Encode()
	return r
}

func verifyTest(r *http.Request, region string) (string, *osserr.Error) {
	return Verify(r, testTarget, lookupIn(longKey, tempKey), region, testTime)
}

// lookupIn looks keys up as a server that has these does.
func lookupIn(keys ...key) Lookup {
	return func(accessKeyID, token string) (string, *osserr.Error) {
		for _, k := range keys {
			switch {
			case k.id != accessKeyID:
			case k.token != token:
				return "", osserr.InvalidSecurityToken(token)
			default:
				return k.secret, nil
			}
		}
		return "", osserr.InvalidAccessKeyID(accessKeyID)
	}
}

type authTest struct {
	name    string
	request *http.Request
	want    string // "status code EC", or empty: it passes
}

func runAuthTests(t *testing.T, tests []authTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := verifyTest(tt.request, testRegion)
			got := ""
			if err != nil {
				got = strings.TrimSpace(strconv.Itoa(err.Status) + " " + err.Code + " " + err.EC)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
				if err != nil {
					t.Logf("%s: %v", err.Message, err.Fields)
				}
			}
		})
	}
}

func TestHeaderV1(t *testing.T) {
	good := func() *http.Request { return signedV1(longKey, testTime) }
	runAuthTests(t, []authTest{
		{"passes", good(), ""},
		{"passes with its clock 15 minutes behind", signedV1(longKey, testTime.Add(-osserr.MaxSkew)), ""},
		{"passes with its clock 15 minutes ahead", signedV1(longKey, testTime.Add(osserr.MaxSkew)), ""},
		{"is anonymous without a header", newTestRequest(), ""},
		{"RequestTimeTooSkewed behind", signedV1(longKey, testTime.Add(-osserr.MaxSkew-time.Second)), "403 RequestTimeTooSkewed 0002-00000504"},
		{"RequestTimeTooSkewed ahead", signedV1(longKey, testTime.Add(osserr.MaxSkew+time.Second)), "403 RequestTimeTooSkewed 0002-00000504"},
		{"AccessDenied without a date", withHeader(good(), "Date", ""), "403 AccessDenied 0002-00000503"},
		{"AccessDenied with a date in another form", withHeader(good(), "Date", testTime.Format(time.RFC3339)), "403 AccessDenied 0002-00000503"},
		{"InvalidAccessKeyId", signedV1(key{"unknown", "sk", ""}, testTime), "403 InvalidAccessKeyId 0002-00000902"},
		{"SignatureDoesNotMatch", signedV1(key{"ak", "wrong", ""}, testTime), "403 SignatureDoesNotMatch 0002-00000040"},
		{"InvalidArgument for an empty header", withHeader(good(), "Authorization", " "), "400 InvalidArgument"},
		{"InvalidArgument for another scheme", withHeader(good(), "Authorization", "Bearer abc"), "400 InvalidArgument 0002-00000061"},
		{"InvalidArgument for version 2", withHeader(good(), "Authorization", "OSS2 AccessKeyId:ak,Signature:x"), "400 InvalidArgument 0002-00000061"},
		{"InvalidArgument without a colon", withHeader(good(), "Authorization", "OSS ak-signature"), "400 InvalidArgument 0002-00000062"},
		{"InvalidArgument without a key", withHeader(good(), "Authorization", "OSS  :signature"), "400 InvalidArgument 0002-00000063"},
		{"InvalidArgument without a signature", withHeader(good(), "Authorization", "OSS ak:"), "400 InvalidArgument 0002-00000063"},
		{"InvalidArgument when the URL is signed too",
			withHeader(signedURLv1(longKey, testTime.Add(time.Hour)), "Authorization", good().Header.Get("Authorization")), "400 InvalidArgument"},
		{"InvalidArgument when the URL is signed too, by version 4",
			withHeader(signedURLv4(longKey, testTime, "60", dayOf(testTime)), "Authorization", good().Header.Get("Authorization")), "400 InvalidArgument"},
	})
}

func TestURLv1(t *testing.T) {
	good := func() *http.Request { return signedURLv1(longKey, testTime.Add(time.Hour)) }
	runAuthTests(t, []authTest{
		{"passes", good(), ""},
		{"passes at its last second", signedURLv1(longKey, testTime), ""},
		{"passes years before it expires", signedURLv1(longKey, testTime.AddDate(9, 0, 0)), ""},
		{"expired", signedURLv1(longKey, testTime.Add(-time.Second)), "403 AccessDenied 0002-00000069"},
		{"expired, before its key is looked for", signedURLv1(key{"unknown", "", ""}, testTime.Add(-time.Second)), "403 AccessDenied 0002-00000069"},
		{"expired, before its signature is computed", withQuery(signedURLv1(longKey, testTime.Add(-time.Second)), "Signature", "wrong"), "403 AccessDenied 0002-00000069"},
		{"SignatureDoesNotMatch", withQuery(good(), "Signature", "wrong"), "403 SignatureDoesNotMatch 0002-00000040"},
		{"SignatureDoesNotMatch for a later end", withQuery(good(), "Expires", strconv.FormatInt(testTime.Add(2*time.Hour).Unix(), 10)), "403 SignatureDoesNotMatch 0002-00000040"},
		{"AccessDenied without Expires", withQuery(good(), "Expires", ""), "403 AccessDenied 0002-00000067"},
		{"AccessDenied without OSSAccessKeyId", withQuery(good(), "OSSAccessKeyId", ""), "403 AccessDenied"},
		{"AccessDenied without Signature", withQuery(good(), "Signature", ""), "403 AccessDenied"},
		{"AccessDenied for Expires that is no number", withQuery(good(), "Expires", "abc"), "403 AccessDenied 0002-00000070"},
		{"InvalidRequest for a token in the header",
			withHeader(good(), "X-Oss-Security-Token", "token"), "400 InvalidRequest"},
	})
}

func TestHeaderV4(t *testing.T) {
	good := func() *http.Request { return signedV4(longKey, testTime, dayOf(testTime)) }
	authorization := good().Header.Get("Authorization")
	edited := func(old, new string) *http.Request {
		if !strings.Contains(authorization, old) {
			t.Fatalf("%q is not in %q", old, authorization)
		}
		return withHeader(good(), "Authorization", strings.Replace(authorization, old, new, 1))
	}
	at := func(d time.Duration) *http.Request {
		return signedV4(longKey, testTime.Add(d), dayOf(testTime.Add(d)))
	}
	runAuthTests(t, []authTest{
		{"passes", good(), ""},
		{"passes with spaces between its fields", edited(",Signature", ", Signature"), ""},
		{"passes with its clock 15 minutes behind", at(-osserr.MaxSkew), ""},
		{"RequestTimeTooSkewed", at(-osserr.MaxSkew - time.Second), "403 RequestTimeTooSkewed 0002-00000504"},
		{"RequestTimeTooSkewed on the day before", at(-6 * time.Hour), "403 RequestTimeTooSkewed 0002-00000504"},
		{"InvalidArgument with a clock days off", at(-72 * time.Hour), "400 InvalidArgument 0002-00000212"},
		{"InvalidArgument for the day of another time", signedV4(longKey, testTime, dayOf(testTime.Add(-6*time.Hour))), "400 InvalidArgument 0002-00000212"},
		{"InvalidArgument for a day in another form", edited("/20260304/", "/2026-03-04/"), "400 InvalidArgument 0002-00000212"},
		{"InvalidArgument for another region", edited("/cn-hangzhou/", "/cn-shanghai/"), "400 InvalidArgument 0002-00000226"},
		{"InvalidArgument for a region that is an endpoint", edited("/cn-hangzhou/", "/oss-cn-hangzhou/"), "400 InvalidArgument 0002-00000226"},
		{"InvalidArgument for another product", edited("/oss/", "/s3/"), "400 InvalidArgument 0002-00000213"},
		{"InvalidArgument for another terminator", edited("/aliyun_v4_request", "/aws4_request"), "400 InvalidArgument 0002-00000213"},
		{"InvalidArgument for a short credential", edited("/oss/aliyun_v4_request", ""), "400 InvalidArgument 0002-00000213"},
		{"InvalidArgument for one field", edited("Credential=ak/20260304/cn-hangzhou/oss/aliyun_v4_request,", ""), "400 InvalidArgument 0002-00000202"},
		{"InvalidArgument without an equals sign", edited("Credential=", "Credential"), "400 InvalidArgument 0002-00000203"},
		{"InvalidArgument for an unknown field", edited(",Signature=", ",Unknown=1,Signature="), "400 InvalidArgument 0002-00000204"},
		{"InvalidArgument without a credential", edited("Credential=ak/20260304/cn-hangzhou/oss/aliyun_v4_request", "AdditionalHeaders=host"), "400 InvalidArgument 0002-00000205"},
		{"InvalidArgument without x-oss-content-sha256", withHeader(good(), "X-Oss-Content-Sha256", ""), "400 InvalidArgument 0002-00000214"},
		{"InvalidArgument for the digest of a payload", withHeader(good(), "X-Oss-Content-Sha256", strings.Repeat("ab", 32)), "400 InvalidArgument 0002-00000214"},
		{"AccessDenied without a date", withHeader(good(), "X-Oss-Date", ""), "403 AccessDenied 0002-00000503"},
		{"SignatureDoesNotMatch", signedV4(key{"ak", "wrong", ""}, testTime, dayOf(testTime)), "403 SignatureDoesNotMatch 0002-00000201"},
		{"InvalidArgument for an empty list of additional headers", edited(",Signature", ",AdditionalHeaders=,Signature"), "400 InvalidArgument 0002-00000209"},
		{"InvalidArgument for an empty name of a header", edited(",Signature", ",AdditionalHeaders=host;,Signature"), "400 InvalidArgument 0002-00000210"},
		{"InvalidArgument for a header that is not there", edited(",Signature", ",AdditionalHeaders=host;range,Signature"), "400 InvalidArgument 0002-00000211"},
		{"InvalidArgument for a name with an underscore", edited(",Signature", ",AdditionalHeaders=x_y,Signature"), "400 InvalidArgument 0002-00000211"},
		{"SignatureDoesNotMatch for a header more than was signed", edited(",Signature", ",AdditionalHeaders=host,Signature"), "403 SignatureDoesNotMatch 0002-00000201"},
	})
}

// The Go SDK of version 1 and ossutil sign with version 4 and no x-oss-date.
func TestHeaderV4WithDateHeader(t *testing.T) {
	r := newTestRequest()
	date := testTime.Format(http.TimeFormat)
	r.Header.Set("Date", date)
	r.Header.Set("X-Oss-Content-Sha256", unsignedPayload)
	s := dayOf(testTime)
	text := stringToSignV4(date, s, canonicalRequestV4(r, testTarget, r.URL.Query(), []string{"date", "host"}))
	r.Header.Set("Authorization", "OSS4-HMAC-SHA256 Credential=ak/"+s.String()+
		",AdditionalHeaders=host;date,Signature="+signV4("sk", s, text))
	if _, err := verifyTest(r, testRegion); err != nil {
		t.Errorf("got %s %s: %v", err.Code, err.Message, err.Fields)
	}
	r.Host = "elsewhere"
	if _, err := verifyTest(r, testRegion); err == nil || err.Code != "SignatureDoesNotMatch" {
		t.Errorf("with another host: got %v, want SignatureDoesNotMatch", err)
	}
}

func TestURLv4(t *testing.T) {
	s := dayOf(testTime)
	good := func() *http.Request { return signedURLv4(longKey, testTime, "60", s) }
	at := func(d time.Duration, seconds string) *http.Request {
		return signedURLv4(longKey, testTime.Add(d), seconds, dayOf(testTime.Add(d)))
	}
	credential := func(c string) *http.Request { return withQuery(good(), "x-oss-credential", c) }
	runAuthTests(t, []authTest{
		{"passes", good(), ""},
		{"passes at its last second", at(-time.Minute, "60"), ""},
		{"passes for seven days", at(-7*24*time.Hour, "604800"), ""},
		{"expired", at(-time.Minute-time.Second, "60"), "403 AccessDenied 0002-00000236"},
		{"expired, before its signature is computed", withQuery(at(-time.Hour, "60"), "x-oss-signature", "00"), "403 AccessDenied 0002-00000236"},
		{"RequestTimeTooSkewed from the future", at(osserr.MaxSkew+time.Second, "60"), "403 RequestTimeTooSkewed 0002-00000504"},
		{"InvalidArgument for no time", at(0, "0"), "400 InvalidArgument 0002-00000232"},
		{"InvalidArgument for more than seven days", at(0, "604801"), "400 InvalidArgument 0002-00000232"},
		{"InvalidArgument for a time that is no number", at(0, "1h"), "400 InvalidArgument 0002-00000232"},
		{"InvalidArgument for another version", withQuery(withQuery(good(), "x-oss-signature-version", "OSS2"), "x-oss-credential", ""), "400 InvalidArgument 0002-00000066"},
		{"InvalidArgument for another region", credential("ak/20260304/cn-shanghai/oss/aliyun_v4_request"), "400 InvalidArgument 0002-00000228"},
		{"InvalidArgument for the day of another time", credential("ak/20260303/cn-hangzhou/oss/aliyun_v4_request"), "400 InvalidArgument 0002-00000223"},
		{"InvalidArgument for a day in another form", credential("ak/2026-03-04/cn-hangzhou/oss/aliyun_v4_request"), "400 InvalidArgument 0002-00000223"},
		{"InvalidArgument for a short credential", credential("ak/20260304"), "400 InvalidArgument 0002-00000224"},
		{"InvalidArgument for the digest of a payload", withHeader(good(), "X-Oss-Content-Sha256", "ab"), "400 InvalidArgument 0002-00000214"},
		{"AccessDenied for a date in another form", withQuery(good(), "x-oss-date", "20260304"), "403 AccessDenied 0002-00000503"},
		{"AccessDenied without a version", withQuery(good(), "x-oss-signature-version", ""), "403 AccessDenied"},
		{"AccessDenied without a credential", withQuery(good(), "x-oss-credential", ""), "403 AccessDenied 0002-00000217"},
		{"AccessDenied without a date", withQuery(good(), "x-oss-date", ""), "403 AccessDenied"},
		{"AccessDenied without an end", withQuery(good(), "x-oss-expires", ""), "403 AccessDenied"},
		{"AccessDenied without a signature", withQuery(good(), "x-oss-signature", ""), "403 AccessDenied 0002-00000219"},
		{"SignatureDoesNotMatch", withQuery(good(), "x-oss-signature", "00"), "403 SignatureDoesNotMatch 0002-00000201"},
		{"SignatureDoesNotMatch for a longer time", withQuery(good(), "x-oss-expires", "61"), "403 SignatureDoesNotMatch 0002-00000201"},
		{"InvalidRequest for a token in the header", withHeader(good(), "X-Oss-Security-Token", "token"), "400 InvalidRequest"},
	})
}

// The four ways to sign treat tokens alike.
func TestTokens(t *testing.T) {
	ways := map[string]func(k key) *http.Request{
		"V1 header": func(k key) *http.Request { return signedV1(k, testTime) },
		"V1 URL":    func(k key) *http.Request { return signedURLv1(k, testTime.Add(time.Hour)) },
		"V4 header": func(k key) *http.Request { return signedV4(k, testTime, dayOf(testTime)) },
		"V4 URL":    func(k key) *http.Request { return signedURLv4(k, testTime, "60", dayOf(testTime)) },
	}
	with := func(k key, token string) key {
		k.token = token
		return k
	}
	for name, sign := range ways {
		t.Run(name, func(t *testing.T) {
			runAuthTests(t, []authTest{
				{"passes", sign(tempKey), ""},
				{"InvalidSecurityToken without its token", sign(with(tempKey, "")), "403 InvalidSecurityToken 0002-00000006"},
				{"InvalidSecurityToken for a wrong one", sign(with(tempKey, "wrong")), "403 InvalidSecurityToken 0002-00000006"},
				{"InvalidSecurityToken where there is none", sign(with(longKey, "wrong")), "403 InvalidSecurityToken 0002-00000006"},
			})
		})
	}
	t.Run("InvalidRequest for a token in header and URL", func(t *testing.T) {
		runAuthTests(t, []authTest{{"", withQuery(signedV1(tempKey, testTime), "security-token", "token"), "400 InvalidRequest 0002-00000010"}})
	})
}

func TestSkewErrorHasBothTimes(t *testing.T) {
	_, err := verifyTest(signedV1(longKey, testTime.Add(-time.Hour)), testRegion)
	wantField(t, err, "MaxAllowedSkewMilliseconds", "900000")
	wantField(t, err, "RequestTime", "2026-03-04T04:06:07.000Z")
	wantField(t, err, "ServerTime", "2026-03-04T05:06:07.000Z")
}

func TestExpiredURLErrorHasBothTimes(t *testing.T) {
	_, err := verifyTest(signedURLv1(longKey, testTime.Add(-time.Hour)), testRegion)
	wantField(t, err, "Expires", "2026-03-04T04:06:07.000Z")
	wantField(t, err, "ServerTime", "2026-03-04T05:06:07.000Z")
}

func TestErrorsShowNoSecret(t *testing.T) {
	signer := key{"ak", "top-secret", ""}
	for _, r := range []*http.Request{
		withHeader(signedV1(signer, testTime), "Content-Type", "a/b"),
		withHeader(signedV4(signer, testTime, dayOf(testTime)), "Content-Type", "a/b"),
	} {
		_, err := Verify(r, testTarget, lookupIn(signer), testRegion, testTime)
		if err == nil {
			t.Fatal("the request passed")
		}
		for _, f := range err.Fields {
			if strings.Contains(f.Value, signer.secret) {
				t.Errorf("%s shows the secret: %s", f.Name, f.Value)
			}
		}
	}
}
