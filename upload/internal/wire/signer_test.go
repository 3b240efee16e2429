package wire

import (
	"testing"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// What the SDK cannot make a URL of, it would fall over.
func FuzzSignerForEndpoint(f *testing.F) {
	for _, s := range []string{
		"oss-cn-hangzhou.aliyuncs.com", "http://localhost:9000", "https://[::1]:443/", "1.2.3.4:80",
		"oss--internal.aliyuncs.com", "xn--fiqs8s.example", "oss_test:8080",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := target.ParseEndpoint(s)
		if err != nil {
			return
		}
		o, err := NewClient(nil).Object(target.Target{Endpoint: e, Region: "cn-test", Bucket: "media", Object: "a b/ü?%"})
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if _, err := o.signer(testKey); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
	})
}

func TestSignersAreShared(t *testing.T) {
	c := NewClient(nil)
	signerOf := func(endpoint, region, object string, s Snapshot) *signer {
		t.Helper()
		e, err := target.ParseEndpoint(endpoint)
		if err != nil {
			t.Fatal(err)
		}
		o, err := c.Object(target.Target{Endpoint: e, Region: region, Bucket: "media", Object: object})
		if err != nil {
			t.Fatal(err)
		}
		made, err := o.signer(s)
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := o.signer(s); again != made {
			t.Error("another request about the object has another signer")
		}
		return made
	}
	const endpoint, region = "oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"
	for name, c := range map[string]struct {
		endpoint, region string
		key              Snapshot
		same             bool
	}{
		"another object":    {endpoint, region, testKey, true},
		"other credentials": {endpoint, region, testToken, false},
		"another endpoint":  {"http://" + endpoint, region, testKey, false},
		"another region":    {endpoint, "cn-beijing", testKey, false},
	} {
		last := signerOf(endpoint, region, "a", testKey)
		if same := signerOf(c.endpoint, c.region, "b", c.key) == last; same != c.same {
			t.Errorf("%s has the same signer: %t, want %t", name, same, c.same)
		}
	}
}
