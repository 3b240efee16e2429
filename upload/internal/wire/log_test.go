package wire

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
)

func TestLog(t *testing.T) {
	var agent, authorization string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		agent, authorization = r.UserAgent(), r.Header.Get("Authorization")
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		accept(w, r)
	})
	var b bytes.Buffer
	log := slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := newObject(t, url, &Options{Logger: log})
	if _, err := o.UploadPart(t.Context(), testToken, "UPLOAD", 3, bodyOf("x"), nil); err != nil {
		t.Fatal(err)
	}
	_, err := o.Head(t.Context(), testToken)
	wantError(t, err, Retry)
	text := b.String()
	for _, want := range []string{"op=UploadPart", "part=3", "status=200", "request_id=6556E3AED11E553933CCDEDF", "generation=7", "op=Head", "status=503", "err="} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the log:\n%s", want, text)
		}
	}
	signature := authorization[strings.LastIndexByte(authorization, ':')+1:]
	for _, secret := range []string{"sts-token", "sts-secret", "Authorization", signature} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in the log:\n%s", secret, text)
		}
	}
	if !strings.HasPrefix(agent, "vodupload/") || !strings.Contains(agent, "aliyun-sdk-go/v3") {
		t.Errorf("got user agent %q", agent)
	}
}
