package osscallback

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestVerify(t *testing.T) {
	const body = "bucket=media&object=k&size=3"
	for what, uri := range map[string]string{
		"a path": "/stored", "a query": "/stored?a=%31&b", "an empty query": "/stored?", "escapes": "/st%6Fred/%E4%B8%AD+x?%20", "the root": "/",
		"a question mark in the query": "/a?c?d",
	} {
		t.Run(what, func(t *testing.T) {
			r := newCallback(uri, body)
			e, err := newVerifier(t, Options{}).Verify(r)
			if err != nil {
				t.Fatal(err)
			}
			if e.Bucket != "media" || e.Object != "k" || e.Size != 3 {
				t.Errorf("got %+v", e)
			}
			if again, err := io.ReadAll(r.Body); string(again) != body || err != nil {
				t.Errorf("the body reads %q, %v afterwards; want it once more", again, err)
			}
		})
	}
	t.Run("behind StripPrefix", func(t *testing.T) {
		var err error
		http.StripPrefix("/hooks", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, err = newVerifier(t, Options{}).Verify(r)
		})).ServeHTTP(nil, newCallback("/hooks/stored?a=1", body))
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("behind a proxy that changes the path", func(t *testing.T) {
		r := newCallback("/api/stored?a=1", body)
		r.RequestURI = "/stored?a=1"
		if _, err := newVerifier(t, Options{}).Verify(r); !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), "Options.RequestURI") {
			t.Errorf("error is %v, want ErrSignature that names the option", err)
		}
		r = newCallback("/api/stored?a=1", body)
		r.RequestURI = "/stored?a=1"
		v := newVerifier(t, Options{RequestURI: func(r *http.Request) string { return "/api" + r.RequestURI }})
		if _, err := v.Verify(r); err != nil {
			t.Error(err)
		}
	})
	t.Run("in the absolute form, and not from net/http", func(t *testing.T) {
		for _, uri := range []string{"http://app.example.com/stored?a=1", ""} {
			r := newCallback("/stored?a=1", body)
			r.RequestURI = uri
			if _, err := newVerifier(t, Options{}).Verify(r); err != nil {
				t.Errorf("%q: %v", uri, err)
			}
		}
	})
}

// What somebody may try who cannot sign as OSS does.
func TestVerifyRefuses(t *testing.T) {
	const uri, body = "/stored?user=1", "bucket=media&object=k&size=3"
	setBody := func(r *http.Request, body string) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	}
	for what, tt := range map[string]struct {
		change func(*http.Request)
		want   error
	}{
		"no Authorization":               {func(r *http.Request) { r.Header.Del("Authorization") }, ErrUnsigned},
		"an empty Authorization":         {func(r *http.Request) { r.Header.Set("Authorization", "") }, ErrUnsigned},
		"two Authorizations":             {func(r *http.Request) { r.Header.Add("Authorization", "x") }, ErrUnsigned},
		"Authorization that is a scheme": {func(r *http.Request) { r.Header.Set("Authorization", "Bearer abc") }, ErrUnsigned},
		"Authorization without padding": {func(r *http.Request) {
			r.Header.Set("Authorization", strings.TrimRight(r.Header.Get("Authorization"), "="))
		}, ErrUnsigned},
		"Authorization with bits left over": {func(r *http.Request) {
			text := []byte(r.Header.Get("Authorization")) // of 128 bytes: the last character has two bits that say nothing
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
			last := len(text) - 2
			text[last] = alphabet[strings.IndexByte(alphabet, text[last])+1]
			r.Header.Set("Authorization", string(text))
		}, ErrUnsigned},
		"Authorization of a megabyte": {func(r *http.Request) { r.Header.Set("Authorization", strings.Repeat("A", 1<<20)) }, ErrUnsigned},
		"no key's URL":                {func(r *http.Request) { r.Header.Del("X-Oss-Pub-Key-Url") }, ErrUnsigned},
		"two keys' URLs":              {func(r *http.Request) { r.Header.Add("X-Oss-Pub-Key-Url", inBase64(theKeyURL)) }, ErrUnsigned},
		"a key's URL not in base64":   {func(r *http.Request) { r.Header.Set("X-Oss-Pub-Key-Url", theKeyURL) }, ErrUnsigned},
		"another host's key": {func(r *http.Request) {
			r.Header.Set("X-Oss-Pub-Key-Url", inBase64("https://evil.example/"+documentedKey))
		}, ErrUnsigned},
		"a key's URL with a user": {func(r *http.Request) {
			r.Header.Set("X-Oss-Pub-Key-Url", inBase64("https://gosspublic.alicdn.com@evil.example/"+documentedKey))
		}, ErrUnsigned},
		"GET":                         {func(r *http.Request) { r.Method = http.MethodGet }, ErrUnsigned},
		"an altered body":             {func(r *http.Request) { setBody(r, strings.Replace(body, "size=3", "size=4", 1)) }, ErrSignature},
		"a body with more":            {func(r *http.Request) { setBody(r, body+"&x:paid=1") }, ErrSignature},
		"no body":                     {func(r *http.Request) { setBody(r, "") }, ErrSignature},
		"a nil body":                  {func(r *http.Request) { r.Body, r.ContentLength = nil, 0 }, ErrSignature},
		"an altered path":             {func(r *http.Request) { r.RequestURI = "/Stored?user=1" }, ErrSignature},
		"an altered query":            {func(r *http.Request) { r.RequestURI = "/stored?user=2" }, ErrSignature},
		"a query that means the same": {func(r *http.Request) { r.RequestURI = "/stored?user=%31" }, ErrSignature},
		"no query":                    {func(r *http.Request) { r.RequestURI = "/stored" }, ErrSignature},
		"the query in the path":       {func(r *http.Request) { r.RequestURI = "/stored%3Fuser=1" }, ErrSignature},
		"the body in the path": {func(r *http.Request) {
			*r = *newCallback("/stored", "a\nb")
			r.RequestURI = "/stored%0Aa"
			setBody(r, "b")
		}, ErrSignature},
		"a signature of nothing": {func(r *http.Request) {
			r.Header.Set("Authorization", base64.StdEncoding.EncodeToString(make([]byte, 128)))
		}, ErrSignature},
		"another's signature":     {func(r *http.Request) { r.Header.Set("Authorization", sign(md5.Sum([]byte("x")))) }, ErrSignature},
		"a body beyond the limit": {func(r *http.Request) { setBody(r, strings.Repeat("a", 64<<10+1)) }, ErrTooLarge},
		"a body beyond the limit, of unknown length": {func(r *http.Request) {
			setBody(r, strings.Repeat("a", 64<<10+1))
			r.ContentLength = -1
		}, ErrTooLarge},
		"a body that breaks off": {func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(strings.NewReader("bucket"), failing{}))
		}, ErrBody},
	} {
		t.Run(what, func(t *testing.T) {
			r := newCallback(uri, body)
			tt.change(r)
			e, err := newVerifier(t, Options{}).Verify(r)
			if e != nil || !errors.Is(err, tt.want) || strings.ContainsAny(err.Error(), "\r\n") {
				t.Errorf("got %v, %v; want %v, in one line", e, err, tt.want)
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// A signed body is the same whatever the header Content-Type says, which is not signed.
func TestContentTypeDoesNotDecide(t *testing.T) {
	body := `{"object":"x&bucket=other&object=y&size=1"}`
	r := newCallback("/", body)
	for _, contentType := range []string{"application/x-www-form-urlencoded", "application/json", "text/plain", ""} {
		r.Header.Set("Content-Type", contentType)
		e, err := newVerifier(t, Options{}).Verify(r)
		if err != nil || e.Bucket != "" || e.Object != "x&bucket=other&object=y&size=1" {
			t.Errorf("%q: got %+v, %v", contentType, e, err)
		}
	}
}

func TestKeyThatCannotBeHad(t *testing.T) {
	v := newVerifier(t, Options{HTTPClient: &http.Client{Transport: keyServer(func(*http.Request) (*http.Response, error) {
		return answer(http.StatusNotFound, nil), nil
	})}})
	if _, err := v.Verify(newCallback("/", "a=1")); !errors.Is(err, ErrKey) {
		t.Errorf("error is %v, want ErrKey", err)
	}
}

func TestTokens(t *testing.T) {
	secret, old := bytes.Repeat([]byte("s"), 16), bytes.Repeat([]byte("o"), 32)
	later := time.Now().Add(time.Minute)
	good := Token(secret, "media", "k", later)
	signed := func(bucket, object, token string) *http.Request {
		return newCallback("/stored", fmt.Sprintf("bucket=%s&object=%s&x:token=%s&x:who=me", bucket, object, token))
	}
	v := newVerifier(t, Options{Secrets: [][]byte{secret, old}})
	for what, r := range map[string]*http.Request{
		"of this object": signed("media", "k", good), "with the old secret": signed("media", "k", Token(old, "media", "k", later)),
		"by TokenVars": signed("media", "k", TokenVars(secret, time.Hour)("media", "k")[TokenVar]),
	} {
		for range 2 { // OSS itself may send a callback again
			e, err := v.Verify(r)
			if err != nil {
				t.Errorf("%s: %v", what, err)
			} else if _, there := e.Fields[TokenVar]; there || e.Fields["x:who"] != "me" {
				t.Errorf("%s: got the fields %v, want them without the token", what, e.Fields)
			}
		}
	}
	for what, r := range map[string]*http.Request{
		"of another object":     signed("media", "l", good),
		"of another bucket":     signed("medi", "ak", good),
		"moved across the line": signed("mediak", "", good),
		"expired":               signed("media", "k", Token(secret, "media", "k", time.Now().Add(-2*time.Second))),
		"of another secret":     signed("media", "k", Token(bytes.Repeat([]byte("x"), 16), "media", "k", later)),
		"of a short secret":     signed("media", "k", Token([]byte("short"), "media", "k", later)),
		"missing":               newCallback("/stored", "bucket=media&object=k"),
		"empty":                 signed("media", "k", ""),
		"no base64":             signed("media", "k", "???"),
		"cut off":               signed("media", "k", good[:20]),
		"with more at its end":  signed("media", "k", good+"AAAA"),
		"of no object":          newCallback("/stored", "x:token="+good),
		"there twice":           newCallback("/stored", "bucket=media&object=k&x:token="+good+"&x:token="+good),
	} {
		_, err := v.Verify(r)
		if want := ErrToken; what == "there twice" && !errors.Is(err, ErrBody) || what != "there twice" && !errors.Is(err, want) {
			t.Errorf("%s: error is %v, want ErrToken", what, err)
		}
		if err != nil && strings.Contains(err.Error(), good) {
			t.Errorf("%s: the error shows the token: %v", what, err)
		}
	}
	for i := range base64.RawURLEncoding.DecodedLen(len(good)) {
		b, _ := base64.RawURLEncoding.DecodeString(good)
		b[i] ^= 1
		if _, err := v.Verify(signed("media", "k", base64.RawURLEncoding.EncodeToString(b))); !errors.Is(err, ErrToken) {
			t.Errorf("with a bit of byte %d flipped: error is %v, want ErrToken", i, err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"Secrets[1]": {Secrets: [][]byte{bytes.Repeat([]byte("s"), 16), []byte("hunter2")}},
		"MaxBody":    {MaxBody: -1}, "KeyTimeout": {KeyTimeout: -1}, "KeyLife": {KeyLife: -1},
	} {
		if _, err := New(&o); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error is %v, want one that names %s", err, want)
		}
	}
}

func TestPrintedWithoutSecrets(t *testing.T) {
	o := Options{Secrets: [][]byte{[]byte("verysecretvalue!")}}
	v := newVerifier(t, o)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, value := range []any{o, &o, v} {
			text := fmt.Sprintf(verb, value)
			for _, secret := range []string{"verysecret", fmt.Sprintf("%x", "verysecret"), "118 101 114", "0x76, 0x65"} {
				if strings.Contains(text, secret) {
					t.Errorf("%s of a %T: %s", verb, value, text)
				}
			}
		}
	}
}
