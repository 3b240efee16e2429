package conformance

import (
	"encoding/base64"
	"fmt"
	"hash/crc64"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

func TestObjects(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		ok(t, e.put(object, "0123456789"))

		content, err := e.get(object, "")
		ok(t, err)
		equal(t, "content", content, "0123456789")
		content, err = e.getRange(object, 2, 5)
		ok(t, err)
		equal(t, "range", content, "2345")

		h, err := e.head(object)
		ok(t, err)
		for name, want := range map[string]string{
			"Content-Length":               "10",
			"Content-Type":                 "video/mp4",
			"Cache-Control":                "no-cache",
			"ETag":                         `"781E5E245D69B566979B86E28D23F2C7"`,
			"Content-MD5":                  "eB5eJF1ptWaXm4bijSPyxw==",
			"X-Oss-Hash-Crc64ecma":         fmt.Sprint(crc64.Checksum([]byte("0123456789"), crc64.MakeTable(crc64.ECMA))),
			"X-Oss-Meta-Title":             "A talk",
			"X-Oss-Object-Type":            "Normal",
			"X-Oss-Server-Side-Encryption": "AES256",
			"X-Oss-Storage-Class":          "IA",
			"X-Oss-Tagging-Count":          "2",
		} {
			equal(t, name, h.Get(name), want)
		}

		ok(t, e.remove(object, ""))
		_, err = e.get(object, "")
		e.wantFailure(t, err, failure{404, "NoSuchKey", "0026-00000001"})
		_, err = e.head(object)
		e.wantFailure(t, err, failure{404, "NoSuchKey", "0026-00000001"})
	})
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		for _, key := range []string{object, "in/b.mp4", "in/deep/c.mp4", "out/d.mp4"} {
			ok(t, e.put(key, "x"))
		}
		keys, prefixes, err := e.list("in/", "/")
		ok(t, err)
		slices.Sort(keys)
		equal(t, "keys", fmt.Sprintf("%q", keys), fmt.Sprintf("%q", []string{"in/b.mp4", object}))
		equal(t, "prefixes", fmt.Sprintf("%q", prefixes), `["in/deep/"]`)

		ok(t, e.removeAll(object, "in/b.mp4"))
		keys, _, err = e.list("", "")
		ok(t, err)
		equal(t, "keys that are left", fmt.Sprintf("%q", keys), `["in/deep/c.mp4" "out/d.mp4"]`)
	})
}

func TestACL(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		ok(t, e.put(object, "x"))
		acl, err := e.acl(object)
		ok(t, err)
		equal(t, "ACL at first", acl, "default")
		ok(t, e.setACL(object, "public-read"))
		acl, err = e.acl(object)
		ok(t, err)
		equal(t, "ACL", acl, "public-read")
		e.wantFailure(t, e.setACL(object, "nonsense"), failure{400, "InvalidArgument", ""})
	})
}

func TestVersions(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		ok(t, e.enableVersioning())
		ok(t, e.put(object, "first"))
		ok(t, e.put(object, "second"))
		ok(t, e.remove(object, ""))

		_, err := e.get(object, "")
		e.wantFailure(t, err, failure{404, "NoSuchKey", "0026-00000001"})
		list, err := e.versions()
		ok(t, err)
		if len(list) != 3 || !strings.HasPrefix(list[0], "marker ") {
			t.Fatalf("versions are %q, want a marker and two versions", list)
		}
		oldest, _ := strings.CutPrefix(list[2], "version ")
		content, err := e.get(object, oldest)
		ok(t, err)
		equal(t, "oldest version", content, "first")

		marker, _ := strings.CutPrefix(list[0], "marker ")
		ok(t, e.remove(object, marker))
		content, err = e.get(object, "")
		ok(t, err)
		equal(t, "content without the marker", content, "second")
	})
}

func TestCallback(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		posted := make(chan string, 1)
		app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			posted <- string(body)
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"accepted":"yes"}`)
		}))
		defer app.Close()
		callback := base64.StdEncoding.EncodeToString([]byte(
			`{"callbackUrl":"` + app.URL + `","callbackBody":"bucket=${bucket}&size=${size}"}`))
		answer, err := e.putWithCallback(object, "0123456789", callback)
		ok(t, err)
		equal(t, "answer", answer, `{"accepted":"yes"}`)
		equal(t, "posted", <-posted, "bucket=media&size=10")

		app.Close()
		_, err = e.putWithCallback("in/refused.mp4", "x", callback)
		e.wantFailure(t, err, failure{203, "CallbackFailed", "0007-00000203"})
		content, err := e.get("in/refused.mp4", "")
		ok(t, err)
		equal(t, "what was stored all the same", content, "x")
	})
}

// A token's policy is an answer that the SDKs must be able to tell from others.
func TestPolicyOfToken(t *testing.T) {
	each(t, func(t *testing.T, e env) {
		k := osstest.Key{
			AccessKeyID: "STS.limited", AccessKeySecret: "s", SecurityToken: "limited",
			Policy: `{"Version":"1","Statement":[{"Effect":"Allow","Action":["oss:PutObject","oss:PutObjectTagging"],"Resource":["acs:oss:*:*:media/in/*"]}]}`,
		}
		e.server.AddKey(k)
		limited := e.with(k)
		denied := failure{403, "AccessDenied", "0003-00000301"}

		ok(t, limited.put("in/a.mp4", "x"))
		e.wantFailure(t, limited.put("out/a.mp4", "x"), denied)
		_, err := limited.get("in/a.mp4", "")
		e.wantFailure(t, err, denied)
		_, err = limited.head("in/a.mp4")
		e.wantFailure(t, err, denied)
		e.wantFailure(t, limited.removeAll("in/a.mp4"), denied)

		id, err := limited.initiate("in/b.mp4")
		ok(t, err)
		_, err = limited.part("in/b.mp4", id, 1, "x")
		ok(t, err)
		_, err = limited.parts("in/b.mp4", id)
		e.wantFailure(t, err, denied)
		e.wantFailure(t, limited.abort("in/b.mp4", id), denied)

		get, err := limited.signedURL(http.MethodGet, "in/a.mp4", time.Hour)
		ok(t, err)
		_, body := e.do(t, http.MethodGet, get, "")
		detail := element(body, "AccessDeniedDetail")
		equal(t, "kind of denial", element(detail, "NoPermissionType"), "ImplicitDeny")
		equal(t, "what was denied", element(detail, "AuthAction"), "oss:GetObject")
	})
}
