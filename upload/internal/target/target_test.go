package target

import (
	"strings"
	"testing"
)

func TestCheckBucket(t *testing.T) {
	for _, ok := range []string{"abc", "a-b", "0media9", strings.Repeat("a", 63)} {
		if err := CheckBucket(ok); err != nil {
			t.Errorf("%s: %v", ok, err)
		}
	}
	for bad, want := range map[string]string{
		"":                      "0 characters",
		"ab":                    "2 characters",
		strings.Repeat("a", 64): "64 characters",
		"Media":                 `'M'`,
		"me.dia":                `'.'`,
		"me_dia":                `'_'`,
		"médià":                 `'é'`,
		"-media":                "both ends",
		"media-":                "both ends",
	} {
		if err := CheckBucket(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it to say %q", bad, err, want)
		}
	}
}

func TestCheckObject(t *testing.T) {
	for _, ok := range []string{"a", "in/talk.mp4", "影片/一.mp4", "a//b", "?x", " ", strings.Repeat("a", 1023)} {
		if err := CheckObject(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for bad, want := range map[string]string{
		"":                        "empty",
		"/a":                      `begins with '/'`,
		`\a`:                      `begins with '\\'`,
		"a\xff":                   "UTF-8",
		strings.Repeat("a", 1024): "1024 bytes",
		strings.Repeat("影", 342):  "1026 bytes",
	} {
		if err := CheckObject(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it to say %q", Clip(bad), err, want)
		}
	}
}

func TestCheckUploadID(t *testing.T) {
	for _, ok := range []string{"0004B9894A22E5B1888A1E29F823", "a b", "ID+/=", strings.Repeat("a", 1024)} {
		if err := CheckUploadID(ok); err != nil {
			t.Errorf("%q: %v", ok, err)
		}
	}
	for bad, want := range map[string]string{
		"":                        "empty",
		strings.Repeat("a", 1025): "1025 bytes",
		"a\nb":                    `"a\nb" has characters that cannot be printed`,
		"a\u2028":                 "cannot be printed",
		"\u202ea":                 "cannot be printed",
		"a\xff":                   "cannot be printed",
	} {
		if err := CheckUploadID(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want it to say %q", Clip(bad), err, want)
		}
	}
}

func TestTarget(t *testing.T) {
	hangzhou, err := ParseEndpoint("oss-cn-hangzhou.aliyuncs.com")
	if err != nil {
		t.Fatal(err)
	}
	own, err := ParseEndpoint("media.oss-cn-hangzhou.aliyuncs.com")
	if err != nil {
		t.Fatal(err)
	}
	point, err := ParseEndpoint("ap-1.oss-cn-hangzhou.oss-accesspoint.aliyuncs.com")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		target Target
		region string
		want   string // of the error
	}{
		"region of the endpoint":            {Target{Endpoint: hangzhou, Bucket: "media", Object: "a"}, "cn-hangzhou", ""},
		"region as told":                    {Target{Endpoint: hangzhou, Region: "cn-x", Bucket: "media", Object: "a"}, "cn-x", ""},
		"region as the bucket tells it":     {Target{Endpoint: hangzhou, Region: "oss-cn-x", Bucket: "media", Object: "a"}, "cn-x", ""},
		"region as finance buckets have it": {Target{Endpoint: hangzhou, Region: "oss-cn-hzfinance", Bucket: "media", Object: "a"}, "cn-hangzhou-finance", ""},
		"zone instead of a region":          {Target{Endpoint: hangzhou, Region: "cn-hangzhou-h", Bucket: "media", Object: "a"}, "", "is a zone: want its region, cn-hangzhou"},
		"access point in the endpoint":      {Target{Endpoint: point, Bucket: "ap-1", Object: "a"}, "", "want oss-cn-hangzhou.oss-accesspoint.aliyuncs.com"},
		"no endpoint":                       {Target{Bucket: "media", Object: "a"}, "", "ParseEndpoint"},
		"bad region":                        {Target{Endpoint: hangzhou, Region: "CN Hangzhou", Bucket: "media", Object: "a"}, "", "want lower-case letters"},
		"bad bucket":                        {Target{Endpoint: hangzhou, Bucket: "M", Object: "a"}, "", "bucket name"},
		"bad object":                        {Target{Endpoint: hangzhou, Bucket: "media", Object: "/a"}, "", "object name"},
		"bucket in the endpoint":            {Target{Endpoint: own, Bucket: "media", Object: "a"}, "", "want oss-cn-hangzhou.aliyuncs.com"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.target.Validate()
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("got %v, want it to say %q", err, c.want)
			case c.want == "" && c.target.SigningRegion() != c.region:
				t.Fatalf("got region %q, want %q", c.target.SigningRegion(), c.region)
			}
		})
	}
}

func TestTargetURL(t *testing.T) {
	for endpoint, want := range map[string]string{
		"oss-cn-hangzhou.aliyuncs.com": "https://media.oss-cn-hangzhou.aliyuncs.com/in/%C3%BC%20%3F.mp4",
		"http://127.0.0.1:9000":        "http://127.0.0.1:9000/media/in/%C3%BC%20%3F.mp4",
	} {
		e, err := ParseEndpoint(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		if got := (Target{Endpoint: e, Bucket: "media", Object: "in/ü ?.mp4"}).URL(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
