package target

import (
	"strings"
	"testing"
)

func TestParseEndpoint(t *testing.T) {
	for _, c := range []struct{ in, text, region string }{
		{"oss-cn-hangzhou.aliyuncs.com", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"http://oss-cn-hangzhou.aliyuncs.com", "http://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"HTTPS://OSS-CN-Hangzhou.Aliyuncs.COM", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"https://oss-cn-hangzhou.aliyuncs.com/", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"https://oss-cn-hangzhou.aliyuncs.com.", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"https://oss-cn-hangzhou.aliyuncs.com:443", "https://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"http://oss-cn-hangzhou.aliyuncs.com:443", "http://oss-cn-hangzhou.aliyuncs.com:443", "cn-hangzhou"},
		{"http://oss-cn-hangzhou.aliyuncs.com:080", "http://oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"},
		{"oss-cn-hangzhou-internal.aliyuncs.com", "https://oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou"},
		{"vpc100-oss-cn-beijing.aliyuncs.com", "https://vpc100-oss-cn-beijing.aliyuncs.com", "cn-beijing"},
		{"cn-shanghai.oss.aliyuncs.com", "https://cn-shanghai.oss.aliyuncs.com", "cn-shanghai"},
		{"oss-us-west-1.aliyuncs.com", "https://oss-us-west-1.aliyuncs.com", "us-west-1"},
		{"oss-accelerate.aliyuncs.com", "https://oss-accelerate.aliyuncs.com", ""},
		{"oss-accelerate-overseas.aliyuncs.com", "https://oss-accelerate-overseas.aliyuncs.com", ""},
		{"oss.aliyuncs.com", "https://oss.aliyuncs.com", ""},
		{"oss-cn-hangzhou.aliyuncs.com.example.org", "https://oss-cn-hangzhou.aliyuncs.com.example.org", ""},
		{"media.example.org", "https://media.example.org", ""},
		{"xn--fiqs8s.example", "https://xn--fiqs8s.example", ""},
		{"http://localhost:9000", "http://localhost:9000", ""},
		{"http://127.0.0.1:80", "http://127.0.0.1", ""},
		{"http://[::1]:9000", "http://[::1]:9000", ""},
		{"[2001:DB8:0:0::1]", "https://[2001:db8::1]", ""},
		{"oss_test:8080", "https://oss_test:8080", ""},
	} {
		t.Run(c.in, func(t *testing.T) {
			e, err := ParseEndpoint(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if e.String() != c.text || e.Region != c.region {
				t.Errorf("got %s in region %q, want %s in %q", e, e.Region, c.text, c.region)
			}
			again, err := ParseEndpoint(e.String())
			if err != nil || again != e {
				t.Errorf("its text reads back as %+v, %v; want %+v", again, err, e)
			}
		})
	}
}

// The endpoints of OSS's own table, and their neighbours.
func TestRegionOfEndpoint(t *testing.T) {
	for host, want := range map[string]string{
		"oss-cn-hzfinance.aliyuncs.com":                         "cn-hangzhou-finance",
		"oss-cn-hzfinance-internal.aliyuncs.com":                "cn-hangzhou-finance",
		"cn-hangzhou-finance.oss.aliyuncs.com":                  "cn-hangzhou-finance",
		"oss-cn-hzjbp-a-internal.aliyuncs.com":                  "cn-hangzhou-finance",
		"oss-cn-hzjbp-b-internal.aliyuncs.com":                  "cn-hangzhou-finance",
		"oss-cn-hzjbp-internal.aliyuncs.com":                    "cn-hangzhou-finance",
		"oss-cn-shanghai-finance-1.aliyuncs.com":                "cn-shanghai-finance-1",
		"oss-cn-shanghai-finance-1-internal.aliyuncs.com":       "cn-shanghai-finance-1",
		"oss-cn-shanghai-finance-1-pub.aliyuncs.com":            "cn-shanghai-finance-1",
		"oss-cn-shanghai-finance-1-pub-internal.aliyuncs.com":   "cn-shanghai-finance-1",
		"cn-shanghai-finance.oss.aliyuncs.com":                  "cn-shanghai-finance-1",
		"oss-cn-szfinance.aliyuncs.com":                         "cn-shenzhen-finance-1",
		"oss-cn-szfinance-internal.aliyuncs.com":                "cn-shenzhen-finance-1",
		"oss-cn-shenzhen-finance-1-internal.aliyuncs.com":       "cn-shenzhen-finance-1",
		"cn-shenzhen-finance.oss.aliyuncs.com":                  "cn-shenzhen-finance-1",
		"oss-cn-beijing-finance-1-pub.aliyuncs.com":             "cn-beijing-finance-1",
		"oss-cn-beijing-finance-1-pub-internal.aliyuncs.com":    "cn-beijing-finance-1",
		"oss-cn-beijing-finance-1-internal.aliyuncs.com":        "cn-beijing-finance-1",
		"oss-cn-qdfinance.aliyuncs.com":                         "",
		"oss-cn-chengdu-finance-1.aliyuncs.com":                 "",
		"oss-cn-chengdu-finance-1-pub-internal.aliyuncs.com":    "",
		"cn-beijing-finance.oss.aliyuncs.com":                   "",
		"oss-cn-shjbp-a-internal.aliyuncs.com":                  "",
		"oss-cn-north-2-gov-1.aliyuncs.com":                     "cn-north-2-gov-1",
		"oss-cn-north-2-gov-1-internal.aliyuncs.com":            "cn-north-2-gov-1",
		"cn-north-2-gov-1.oss.aliyuncs.com":                     "cn-north-2-gov-1",
		"oss-cn-heyuan-acdr-1.aliyuncs.com":                     "cn-heyuan-acdr-1",
		"oss-cn-wuhan-lr.aliyuncs.com":                          "cn-wuhan-lr",
		"oss-cn-zhengzhou-jva.aliyuncs.com":                     "cn-zhengzhou-jva",
		"oss-rg-china-mainland.aliyuncs.com":                    "rg-china-mainland",
		"oss-na-south-1.aliyuncs.com":                           "na-south-1",
		"oss-me-east-1-internal.aliyuncs.com":                   "me-east-1",
		"eu-central-1.oss.aliyuncs.com":                         "eu-central-1",
		"oss-cn-beijing-b-internal.aliyuncs.com":                "cn-beijing",
		"vpc100-oss-cn-shanghai-a.aliyuncs.com":                 "cn-shanghai",
		"s3.oss-cn-hangzhou.aliyuncs.com":                       "cn-hangzhou",
		"s3.oss-cn-hangzhou-internal.aliyuncs.com":              "cn-hangzhou",
		"oss-cn-hangzhou.oss-accesspoint.aliyuncs.com":          "cn-hangzhou",
		"oss-cn-hangzhou-internal.oss-accesspoint.aliyuncs.com": "cn-hangzhou",
		"oss-accelerate.aliyuncs.com":                           "",
		"oss-accelerate-overseas.aliyuncs.com":                  "",
		"oss-internal.aliyuncs.com":                             "",
		"vod.cn-shanghai.aliyuncs.com":                          "",
		"10.0.0.1":                                              "",
	} {
		if got := regionOf(host); got != want {
			t.Errorf("%s: got %q, want %q", host, got, want)
		}
	}
}

func TestParseEndpointRejects(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "no host"},
		{"https://", "no host"},
		{"https:///", "no host"},
		{"ftp://oss-cn-hangzhou.aliyuncs.com", `scheme "ftp": want http or https`},
		{"://oss-cn-hangzhou.aliyuncs.com", `scheme "": want http or https`},
		{"https://id:secret@oss-cn-hangzhou.aliyuncs.com", "user information"},
		{"https://id:secret#@oss-cn-hangzhou.aliyuncs.com", "user information"},
		{"https://oss-cn-hangzhou.aliyuncs.com?key=secret", "query"},
		{"oss-cn-hangzhou.aliyuncs.com/media", "path"},
		{"oss-cn-hangzhou.aliyuncs.com//", "path"},
		{`oss-cn-hangzhou.aliyuncs.com\media`, "path"},
		{"oss-cn-hangzhou.aliyuncs.com?x=1", "query"},
		{"oss-cn-hangzhou.aliyuncs.com#secret", "fragment"},
		{" oss-cn-hangzhou.aliyuncs.com", `has ' ' in it`},
		{"oss-cn-hangzhou.aliyuncs.com ", `has ' ' in it`},
		{"oss cn.aliyuncs.com", `has ' ' in it`},
		{"oss-cn-hangzhou.aliyuncs.com\n", `has '\n' in it`},
		{"host:0", `port "0": want 1 to 65535`},
		{"host:65536", `port "65536"`},
		{"host:-1", `port "-1"`},
		{"host:+80", `port "+80"`},
		{"host:", `port ""`},
		{"host:http", `port "http"`},
		{":443", "empty part"},
		{"a..b", "empty part"},
		{".a", "empty part"},
		{"::1", "too many colons"},
		{"[::1", "too many colons"},
		{"[::1]x", "want a colon and a port"},
		{"[::1]:", `port ""`},
		{"[fe80::1%eth0]", "without a zone"},
		{"[127.0.0.1]", "want an IPv6 address"},
		{"1.2.3", "is no IPv4 address"},
		{"1.2.3.999", "is no IPv4 address"},
		{"-oss.example", "hyphen"},
		{"oss-.example", "hyphen"},
		{"中国.example", "ASCII form"},
		{strings.Repeat("a", 64) + ".example", "63"},
		{strings.Repeat("abcdefg.", 40) + "example", "253"},
	} {
		t.Run(c.in, func(t *testing.T) {
			e, err := ParseEndpoint(c.in)
			if err == nil {
				t.Fatalf("got %s, want an error about %q", e, c.want)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %q, want it to say %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error has the secret: %q", err)
			}
		})
	}
}

func TestHostOf(t *testing.T) {
	for in, want := range map[string]string{
		"oss-cn-beijing.aliyuncs.com":           "oss-cn-beijing.aliyuncs.com",
		"https://oss-cn-beijing.aliyuncs.com":   "oss-cn-beijing.aliyuncs.com",
		"media.oss-cn-beijing.aliyuncs.com":     "oss-cn-beijing.aliyuncs.com",
		"OSS-cn-beijing.aliyuncs.com:8080":      "oss-cn-beijing.aliyuncs.com:8080",
		"":                                      "",
		"look here":                             "",
		"oss-cn-beijing.aliyuncs.com\nmore":     "",
		"\u202eoss.aliyuncs.com":                "",
		"id:secret@oss-cn-beijing.aliyuncs.com": "",
		"10.0.0.1":                              "",
		"localhost":                             "",
		strings.Repeat("a.", 200) + "com":       "",
	} {
		if got := HostOf(in, "media"); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestPathStyle(t *testing.T) {
	for in, want := range map[string]bool{
		"localhost":                    true,
		"http://localhost:8080":        true,
		"http://127.0.0.1:8080":        true,
		"10.1.2.3":                     true,
		"[::1]":                        true,
		"http://[::1]:8080":            true,
		"oss-cn-hangzhou.aliyuncs.com": false,
		"localhost.example":            false,
		"oss:8080":                     false,
	} {
		e, err := ParseEndpoint(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.PathStyle(); got != want {
			t.Errorf("%s: got path style %t, want %t", in, got, want)
		}
	}
}

func FuzzParseEndpoint(f *testing.F) {
	for _, s := range []string{
		"oss-cn-hangzhou.aliyuncs.com", "http://localhost:9000", "https://[::1]:443/", "1.2.3.4:80",
		"ftp://x", "a@b", "x:y:z", "[::1", "oss--internal.aliyuncs.com", "xn--fiqs8s.example", "\x00", "..", "://",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEndpoint(s)
		if err != nil {
			if e != (Endpoint{}) {
				t.Fatalf("%q: got %+v together with %v", s, e, err)
			}
			return
		}
		again, err := ParseEndpoint(e.String())
		if err != nil || again != e {
			t.Fatalf("%q: %+v reads back as %+v, %v", s, e, again, err)
		}
		if err := (Target{Endpoint: e, Region: "cn-test", Bucket: "media", Object: "a b/ü?%"}).Validate(); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}
