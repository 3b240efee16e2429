package wire

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/sts"
)

// TestRequestThatIsEchoed: some gateways answer with what they got, and some transports
// put it into an error or a panic. Nothing of it that signs a request is passed on.
func TestRequestThatIsEchoed(t *testing.T) {
	key := Snapshot{Credentials: sts.Credentials{AccessKeyID: "STS.key-id", AccessKeySecret: "secret/of+30=characters", SecurityToken: "token/of+some=length"}}
	echoes := map[string]roundTripFunc{
		"in a page": func(r *http.Request) (*http.Response, error) { return says400(headerText(r)), nil },
		"in the error's text": func(r *http.Request) (*http.Response, error) {
			return says400(errorText("Message", headerText(r))), nil
		},
		"in its request ID": func(r *http.Request) (*http.Response, error) {
			return says400(errorText("RequestId", headerText(r))), nil
		},
		"in its EC": func(r *http.Request) (*http.Response, error) { return says400(errorText("EC", headerText(r))), nil },
		"in a 200": func(r *http.Request) (*http.Response, error) {
			res := says400(headerText(r))
			res.StatusCode = 200
			return res, nil
		},
		"in an error":          func(r *http.Request) (*http.Response, error) { return nil, errors.New(headerText(r)) },
		"in a panic":           func(r *http.Request) (*http.Response, error) { panic(headerText(r)) },
		"as the panic's value": func(r *http.Request) (*http.Response, error) { panic(r) },
		"in a header": func(r *http.Request) (*http.Response, error) {
			res := says400("")
			res.Header.Set("x-oss-request-id", headerText(r))
			res.Header.Set("x-oss-ec", headerText(r))
			return res, nil
		},
	}
	for name, echo := range echoes {
		for _, url := range []string{"https://oss-cn-hangzhou.aliyuncs.com", "https://oss.example"} { // V4, V1
			secrets := []string{key.AccessKeySecret, key.SecurityToken}
			o := newObject(t, url, &Options{HTTPClient: &http.Client{Transport: roundTripFunc(func(r *http.Request) (*http.Response, error) {
				all(r.Body)
				_, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
				if signature == "" {
					_, signature, _ = strings.Cut(r.Header.Get("Authorization"), ":")
				}
				secrets = append(secrets, signature)
				return echo(r)
			})}})
			_, part := o.UploadPart(t.Context(), key, "U", 1, bodyOf("x"), nil)
			_, initiate := o.Initiate(t.Context(), key, nil)
			if len(secrets) != 4 || len(secrets[2]) < 28 {
				t.Fatalf("got signatures %q", secrets[2:])
			}
			for _, err := range []error{part, initiate} {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%s: error = %v, want an *Error", name, err)
				}
				for _, secret := range secrets {
					if text := fmt.Sprintf("%v %+v %#v", err, *e, e.Err); strings.Contains(text, secret) {
						t.Errorf("%s, at %s: %q is in %s", name, url, secret, text)
					}
				}
			}
		}
	}
}

// headerText has what signs a request at its beginning: texts are cut.
func headerText(r *http.Request) string {
	return fmt.Sprint(r.Header["Authorization"], r.Header["X-Oss-Security-Token"])
}

func errorText(element, text string) string {
	return "<Error><Code>Odd</Code><" + element + ">" + text + "</" + element + "></Error>"
}

func says400(text string) *http.Response {
	return &http.Response{StatusCode: 400, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
}
