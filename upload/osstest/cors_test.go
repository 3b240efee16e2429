package osstest

import (
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/osstest/internal/storage"
)

var uploadRule = CORSRule{
	AllowedOrigins: []string{"https://*.example.com", "http://localhost:7080"},
	AllowedMethods: []string{"PUT", "POST"},
	AllowedHeaders: []string{"authorization", "X-Oss-*"},
	ExposeHeaders:  []string{"ETag", "x-oss-request-id"},
	MaxAgeSeconds:  600,
}

// preflight asks as a browser does: without a signature.
func (c *testClient) preflight(path, origin, method, headers string) *testAnswer {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodOptions, c.url+path, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	for name, value := range map[string]string{"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return c.send(r)
}

// corsHeaders are what an answer has for a page of another origin, in one line.
func corsHeaders(h http.Header) string {
	var values []string
	for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Methods", "Access-Control-Allow-Headers",
		"Access-Control-Expose-Headers", "Access-Control-Max-Age", "Vary"} {
		if v := h.Values(name); len(v) > 0 {
			values = append(values, strings.TrimPrefix(name, "Access-Control-")+": "+strings.Join(v, " and "))
		}
	}
	return strings.Join(values, "; ")
}

func TestPreflight(t *testing.T) {
	const allowed = "Allow-Origin: https://a.example.com; Allow-Methods: PUT; "
	const rest = "Expose-Headers: ETag, x-oss-request-id; Max-Age: 600"
	_, c := newTestServer(t, &Options{CORS: []CORSRule{uploadRule}})
	tests := []struct {
		name, path, origin, method, headers string
		want                                string // empty: refused
	}{
		{"an object that is not there", "/media/k", "https://a.example.com", "PUT", "", allowed + rest},
		{"a part", "/media/k?partNumber=1&uploadId=U", "https://a.example.com", "PUT", "authorization,x-oss-date",
			allowed + "Allow-Headers: authorization,x-oss-date; " + rest},
		{"headers in upper case", "/media/k?uploads", "https://a.example.com", "PUT", "Authorization, X-OSS-Date",
			allowed + "Allow-Headers: Authorization, X-OSS-Date; " + rest},
		{"a bucket", "/media", "http://localhost:7080", "POST", "",
			"Allow-Origin: http://localhost:7080; Allow-Methods: POST; " + rest},
		{"another port", "/media/k", "http://localhost:7081", "PUT", "", ""},
		{"another scheme", "/media/k", "http://a.example.com", "PUT", "", ""},
		{"an origin that is too short for its pattern", "/media/k", "https://example.com", "PUT", "", ""},
		{"an origin with more at its end", "/media/k", "https://a.example.com.evil.org", "PUT", "", ""},
		{"another method", "/media/k", "https://a.example.com", "DELETE", "", ""},
		{"another header", "/media/k", "https://a.example.com", "PUT", "authorization,range", ""},
		{"no origin", "/media/k", "", "PUT", "", ""},
		{"no method", "/media/k", "https://a.example.com", "", "", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.preflight(test.path, test.origin, test.method, test.headers)
			if got := corsHeaders(a.Header); got != test.want {
				t.Errorf("got %q; want %q", got, test.want)
			}
			if test.want != "" {
				if a.status != 200 || a.body != "" {
					t.Errorf("got %d %q; want 200 and no body", a.status, a.body)
				}
				return
			}
			if a.status != 403 || a.Code != "AccessForbidden" || !strings.HasPrefix(a.Message, "CORSResponse: This CORS request is not allowed.") {
				t.Errorf("got %d %s %q; want 403 AccessForbidden", a.status, a.Code, a.Message)
			}
		})
	}
	t.Run("NoSuchBucket", func(t *testing.T) {
		if a := c.preflight("/nowhere/k", "https://a.example.com", "PUT", ""); a.status != 404 || a.Code != "NoSuchBucket" {
			t.Errorf("got %d %s", a.status, a.Code)
		}
	})
}

func TestPreflightWithoutRules(t *testing.T) {
	_, c := newTestServer(t, nil)
	a := c.preflight("/media/k", "https://a.example.com", "PUT", "")
	if a.status != 403 || a.Code != "AccessForbidden" || a.Message != "CORSResponse: CORS is not enabled for this bucket." ||
		a.field("Method") != "PUT" || a.field("ResourceType") != "OBJECT" {
		t.Errorf("got %d %s %q\n%s", a.status, a.Code, a.Message, a.body)
	}
}

func TestAnswersForOtherOrigins(t *testing.T) {
	_, c := newTestServer(t, &Options{CORS: []CORSRule{
		uploadRule,
		{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET"}},
	}})
	const page = "https://a.example.com"
	const shown = "Allow-Origin: https://a.example.com; Allow-Methods: PUT; Expose-Headers: ETag, x-oss-request-id; Max-Age: 600"
	if got := corsHeaders(c.good("PUT", "/media/k", "x", "Origin", page).Header); got != shown {
		t.Errorf("a success: got %q; want %q", got, shown)
	}
	if got := corsHeaders(c.good("GET", "/media/k", "", "Origin", "null").Header); got != "Allow-Origin: *; Allow-Methods: GET" {
		t.Errorf("the second rule: got %q", got)
	}
	if got := corsHeaders(c.good("PUT", "/media/k", "x").Header); got != "" {
		t.Errorf("no other origin: got %q; want none", got)
	}
	if got := corsHeaders(c.good("PUT", "/media/k", "x", "Origin", "https://elsewhere.org").Header); got != "" {
		t.Errorf("an origin without a rule: got %q; want none", got)
	}
	a := c.refused(404, "NoSuchUpload", "PUT", "/media/k?partNumber=1&uploadId=U", "x", "Origin", page)
	if got := corsHeaders(a.Header); got != shown {
		t.Errorf("an error: got %q; want %q", got, shown)
	}
	c.key.AccessKeySecret = "wrong"
	a = c.refused(403, "SignatureDoesNotMatch", "PUT", "/media/k", "x", "Origin", page)
	if got := corsHeaders(a.Header); got != shown {
		t.Errorf("a wrong signature: got %q; want %q", got, shown)
	}
}

func TestAnswersOfFaultsForOtherOrigins(t *testing.T) {
	s, c := newTestServer(t, &Options{CORS: []CORSRule{uploadRule}})
	s.Inject(Fail(OpPutObject, 403, "SecurityTokenExpired").Times(1))
	a := c.refused(403, "SecurityTokenExpired", "PUT", "/media/k", "x", "Origin", "https://a.example.com")
	if a.Get("Access-Control-Allow-Origin") == "" {
		t.Error("the page cannot read the code")
	}
}

func TestBucketCORS(t *testing.T) {
	bothModes(t, func(t *testing.T, opts *Options) {
		s, c := newTestServer(t, opts)
		c.refused(404, "NoSuchCORSConfiguration", "GET", "/media?cors", "")
		c.good("PUT", "/media?cors", `<?xml version="1.0" encoding="UTF-8"?>
			<CORSConfiguration>
				<CORSRule>
					<AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>
					<AllowedHeader> Authorization</AllowedHeader>
				</CORSRule>
				<CORSRule>
					<AllowedOrigin>http://www.a.com</AllowedOrigin><AllowedMethod>POST</AllowedMethod>
					<ExposeHeader>x-oss-test</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds>
				</CORSRule>
				<ResponseVary>true</ResponseVary>
			</CORSConfiguration>`)
		if opts.Dir != "" {
			s.Close()
			s = NewServer(opts)
			t.Cleanup(s.Close)
			c = newTestClient(t, s)
		}
		var got storage.CORS
		if err := xml.Unmarshal([]byte(c.good("GET", "/media?cors", "").body), &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Rules) != 2 || got.Rules[0].AllowedHeaders[0] != "Authorization" || got.Rules[1].MaxAgeSeconds != 100 || !got.ResponseVary {
			t.Errorf("got %+v", got)
		}
		const vary = "Allow-Origin: *; Allow-Methods: PUT; Allow-Headers: authorization; Vary: Origin"
		if a := c.preflight("/media/k", "http://www.a.com", "PUT", "authorization"); corsHeaders(a.Header) != vary {
			t.Errorf("got %q; want %q", corsHeaders(a.Header), vary)
		}
		if v := c.good("PUT", "/media/k", "x").Get("Vary"); v != "Origin" {
			t.Errorf("without an origin: got Vary %q; want Origin", v)
		}
		for range 2 {
			if a := c.good("DELETE", "/media?cors", ""); a.status != 204 {
				t.Errorf("delete: got %d; want 204", a.status)
			}
		}
		c.refused(404, "NoSuchCORSConfiguration", "GET", "/media?cors", "")
		c.refused(404, "NoSuchBucket", "PUT", "/nowhere?cors", corsXML("*", "PUT", "", "1"))
		c.refused(404, "NoSuchBucket", "GET", "/nowhere?cors", "")
		c.refused(404, "NoSuchBucket", "DELETE", "/nowhere?cors", "")
	})
}

func corsXML(origin, method, expose, age string) string {
	element := func(name, value string) string { return "<" + name + ">" + value + "</" + name + ">" }
	rule := element("AllowedOrigin", origin) + element("AllowedMethod", method) + element("MaxAgeSeconds", age)
	if expose != "" {
		rule += element("ExposeHeader", expose)
	}
	return element("CORSConfiguration", element("CORSRule", rule))
}

func TestWrongBucketCORS(t *testing.T) {
	_, c := newTestServer(t, nil)
	tests := []struct {
		name, body, code, ec, value string
	}{
		{"no XML", "rules", "MalformedXML", "", ""},
		{"no rule", "<CORSConfiguration></CORSConfiguration>", "MalformedXML", "0034-00000002", ""},
		{"an age that is no number", corsXML("*", "PUT", "", "long"), "MalformedXML", "", ""},
		{"more than 16 KiB", corsXML("*", "PUT", strings.Repeat("x", 17<<10), "1"), "MalformedXML", "", ""},
		{"eleven rules", "<CORSConfiguration>" + strings.Repeat("<CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule>", 11) + "</CORSConfiguration>",
			"InvalidArgument", "", "11"},
		{"two stars in an origin", corsXML("http://*.*", "PUT", "", "1"), "InvalidArgument", "", "http://*.*"},
		{"no origin", "<CORSConfiguration><CORSRule><AllowedMethod>PUT</AllowedMethod></CORSRule></CORSConfiguration>", "InvalidArgument", "", ""},
		{"no method", "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>", "InvalidArgument", "0034-00000011", ""},
		{"an unknown method", corsXML("*", "TEST", "", "1"), "InvalidArgument", "0034-00000011", "TEST"},
		{"a star among the exposed headers", corsXML("*", "PUT", "x-oss-*", "1"), "InvalidArgument", "0034-00000013", "x-oss-*"},
		{"a negative age", corsXML("*", "PUT", "", "-1"), "InvalidArgument", "", "-1"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			a := c.refused(400, test.code, "PUT", "/media?cors", test.body)
			if a.EC != test.ec || a.field("ArgumentValue") != test.value {
				t.Errorf("got EC %q and value %q; want %q and %q", a.EC, a.field("ArgumentValue"), test.ec, test.value)
			}
		})
	}
	c.refused(404, "NoSuchCORSConfiguration", "GET", "/media?cors", "")
}

func TestCORSNeedsARight(t *testing.T) {
	limited := Key{AccessKeyID: "limited", AccessKeySecret: "s",
		Policy: statements(`{"Effect":"Allow","Action":"oss:GetBucketCors","Resource":"acs:oss:*:*:media"}`)}
	_, c := newTestServer(t, &Options{Keys: []Key{limited}, CORS: []CORSRule{uploadRule}})
	c.key = limited
	c.good("GET", "/media?cors", "")
	c.refused(403, "AccessDenied", "DELETE", "/media?cors", "")
	c.refused(403, "AccessDenied", "PUT", "/media?cors", corsXML("*", "PUT", "", "1"))
}

func TestOptionsRefuseWrongCORS(t *testing.T) {
	_, err := New(&Options{CORS: []CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"put"}}}})
	if err == nil || !strings.Contains(err.Error(), "AllowedMethod") || !strings.Contains(err.Error(), "put") {
		t.Errorf("got %v; want an error about AllowedMethod put", err)
	}
}
