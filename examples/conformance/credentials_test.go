package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

func TestSignedURLs(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		put, err := e.signedURL(http.MethodPut, object, time.Hour)
		ok(t, err)
		status, body := e.do(t, http.MethodPut, put, "by URL")
		equal(t, "status of PUT", status, 200)
		if status != 200 {
			t.Log(body)
		}

		get, err := e.signedURL(http.MethodGet, object, time.Hour)
		ok(t, err)
		status, body = e.do(t, http.MethodGet, get, "")
		equal(t, "status of GET", status, 200)
		equal(t, "content", body, "by URL")

		status, body = e.do(t, http.MethodDelete, get, "")
		equal(t, "status of a DELETE with the URL of a GET", status, 403)
		equal(t, "its code", element(body, "Code"), "SignatureDoesNotMatch")
		status, body = e.do(t, http.MethodGet, strings.Replace(get, "/in", "/out", 1), "")
		equal(t, "status of another object's URL", status, 403)
		equal(t, "its code", element(body, "Code"), "SignatureDoesNotMatch")
	})
}

func TestSignedURLExpires(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		get, err := e.signedURL(http.MethodGet, object, time.Minute)
		ok(t, err)
		u, err := url.Parse(get)
		ok(t, err)
		q := u.Query()
		ec := "0002-00000069"
		if e.way.v4 {
			ec = "0002-00000236"
			q.Set("x-oss-date", "20200102T030405Z")
			q.Set("x-oss-credential", strings.Replace(q.Get("x-oss-credential"),
				"/"+time.Now().UTC().Format("20060102")+"/", "/20200102/", 1))
		} else {
			q.Set("Expires", "1577934245")
		}
		u.RawQuery = q.Encode()
		status, body := e.do(t, http.MethodGet, u.String(), "")
		equal(t, "status", status, 403)
		equal(t, "code", element(body, "Code"), "AccessDenied")
		equal(t, "message", element(body, "Message"), "Request has expired.")
		equal(t, "EC", element(body, "EC"), ec)
	})
}

func TestWrongCredentials(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		mismatch := "0002-00000040"
		if e.way.v4 {
			mismatch = "0002-00000201"
		}
		k := e.way.key
		k.AccessKeySecret = "wrong"
		e.wantFailure(t, e.with(k).put(object, "x"), failure{403, "SignatureDoesNotMatch", mismatch})
		_, err := e.with(k).head(object)
		e.wantFailure(t, err, failure{403, "SignatureDoesNotMatch", mismatch})

		k = e.way.key
		k.AccessKeyID = "unknown"
		e.wantFailure(t, e.with(k).put(object, "x"), failure{403, "InvalidAccessKeyId", "0002-00000902"})

		k = tempKey
		k.SecurityToken = ""
		e.wantFailure(t, e.with(k).put(object, "x"), failure{403, "InvalidAccessKeyId", "0002-00000902"})
		k.SecurityToken = "wrong"
		e.wantFailure(t, e.with(k).put(object, "x"), failure{403, "InvalidSecurityToken", "0002-00000006"})

		e.server.ExpireKey(tempKey.AccessKeyID)
		_, err = e.with(tempKey).head(object)
		e.wantFailure(t, err, failure{403, "SecurityTokenExpired", "0002-00000007"})
		e.server.RevokeKey(tempKey.AccessKeyID)
		e.wantFailure(t, e.with(tempKey).put(object, "x"), failure{403, "InvalidAccessKeyId", "0002-00000902"})
		e.server.AddKey(tempKey)
		ok(t, e.with(tempKey).put(object, "x"))
	})
}

func TestSkewedClock(t *testing.T) {
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			e := newEnv(t, w, osstest.Options{
				Keys: []osstest.Key{longKey, tempKey},
				Now:  func() time.Time { return time.Now().Add(time.Hour) },
			})
			e.sdk = newV1(t, e)
			e.wantFailure(t, e.put(object, "x"), failure{403, "RequestTimeTooSkewed", "0002-00000504"})

			// The SDK of version 2 sets its clock by the answer, and tries again.
			e.sdk = newV2(t, e)
			ok(t, e.put(object, "x"))
		})
	}
}

func TestAnonymous(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		ok(t, e.put("in/a.mp4", "hello"))
		address := e.server.URL + "/media/in/a.mp4"
		status, body := e.do(t, http.MethodGet, address, "")
		equal(t, "status of a private object", status, 403)
		equal(t, "its EC", element(body, "EC"), "0003-00000001")

		ok(t, e.setACL("in/a.mp4", "public-read"))
		status, body = e.do(t, http.MethodGet, address, "")
		equal(t, "status of a public object", status, 200)
		equal(t, "its content", body, "hello")
		status, _ = e.do(t, http.MethodPut, address, "x")
		equal(t, "status of writing it", status, 403)
	})
}

// do sends a request as a program without any SDK would.
func (e env) do(t *testing.T, method, address, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	ok(t, err)
	answer, err := e.wire.client().Do(r)
	ok(t, err)
	content, err := readAll(answer.Body, nil)
	ok(t, err)
	return answer.StatusCode, content
}

// element returns the text of an element of an error's XML.
func element(body, name string) string {
	_, rest, _ := strings.Cut(body, "<"+name+">")
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return text
}
