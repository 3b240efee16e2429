package osstest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestRequestsHaveEachCall(t *testing.T) {
	at := time.Now().Add(3 * time.Minute)
	f := newFaultTest(t, &Options{Now: func() time.Time { return at }})
	f.do("PUT", f.part(7), "12345", "X-Test", "yes")
	f.do("GET", "/media/nothing", "")
	f.do("HEAD", "/media/nothing", "")
	requests := f.Requests()
	if len(requests) != 3 {
		t.Fatalf("the log has %v, want 3 calls", requests)
	}

	got := requests[0]
	want := Request{
		Seq: got.Seq, Op: OpUploadPart, Method: "PUT", Bucket: "media", Key: "object",
		UploadID: f.uploadID, PartNumber: 7, AccessKeyID: DefaultKey.AccessKeyID,
		Status: 200, BodyBytes: 5, Start: at,
	}
	same := Request{
		Seq: got.Seq, Op: got.Op, Method: got.Method, Bucket: got.Bucket, Key: got.Key,
		UploadID: got.UploadID, PartNumber: got.PartNumber, AccessKeyID: got.AccessKeyID,
		Status: got.Status, BodyBytes: got.BodyBytes, Start: got.Start,
	}
	if fmt.Sprintf("%+v", same) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", same, want)
	}
	if got.Header.Get("X-Test") != "yes" || got.Query.Get("partNumber") != "7" || len(got.RequestID) != 24 ||
		got.RemoteAddr == "" || got.Duration <= 0 || got.Duration > time.Minute {
		t.Errorf("got %+v", got)
	}
	for _, missing := range requests[1:] {
		if missing.Status != 404 || missing.Code != "NoSuchKey" {
			t.Errorf("got %v, want 404 NoSuchKey", missing)
		}
	}
	if requests[1].Seq != got.Seq+1 || requests[2].Seq != got.Seq+2 {
		t.Errorf("Seq is not a sequence: %v", requests)
	}
}

func TestRequestPrintsInOneLine(t *testing.T) {
	for want, r := range map[string]Request{
		"#3 UploadPart media/in/talk.mp4 part 7: 503 ServiceUnavailable by Fail(UploadPart, 503, ServiceUnavailable).BeforeWork()": {
			Seq: 3, Op: OpUploadPart, Bucket: "media", Key: "in/talk.mp4", PartNumber: 7, Status: 503, Code: "ServiceUnavailable",
			Fault: Fail(OpUploadPart, 503, "ServiceUnavailable"),
		},
		"#4 PutObject media/k: no answer": {Seq: 4, Op: OpPutObject, Bucket: "media", Key: "k"},
		"#5 PATCH /: 405":                 {Seq: 5, Method: "PATCH", Status: 405},
	} {
		if got := fmt.Sprint(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestLogHasNoSecrets(t *testing.T) {
	const token, signature = "the-token-itself", "c2lnbmF0dXJl"
	f := newFaultTest(t, nil)
	var matched []Request
	f.Inject(SetHeader(AnyOp, "A", "b").Match(func(r Request) bool {
		matched = append(matched, r)
		return false
	}))
	for name, r := range map[string]struct{ query, header, value string }{
		"header, V1":     {"", "Authorization", "OSS osstest:" + signature},
		"header, V4":     {"", "Authorization", "OSS4-HMAC-SHA256 Credential=osstest/20261121/cn-hangzhou/oss/aliyun_v4_request,Signature=" + signature},
		"header, bare":   {"", "Authorization", signature},
		"token":          {"", "X-Oss-Security-Token", token},
		"URL, V1":        {"OSSAccessKeyId=osstest&Expires=1&Signature=" + signature + "&security-token=" + token, "", ""},
		"URL, V4":        {"x-oss-credential=osstest%2F20261121&x-oss-signature=" + signature + "&x-oss-security-token=" + token, "", ""},
		"odd capitals":   {"SIGNATURE=" + signature + "&Security-Token=" + token, "", ""},
		"several values": {"Signature=a&Signature=" + signature, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			matched = nil
			f.ResetRequests()
			req, _ := http.NewRequest("GET", f.URL+"/media/object?"+r.query, nil)
			if r.header != "" {
				req.Header.Set(r.header, r.value)
			}
			answer, err := f.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			text := fmt.Sprintf("%+v %+v", f.Requests(), matched)
			// A Request prints in one line, so its fields are asked as well.
			for _, logged := range append(f.Requests(), matched...) {
				text += fmt.Sprint(logged.Header, logged.Query)
			}
			if strings.Contains(text, signature) || strings.Contains(text, token) {
				t.Errorf("the log shows a secret: %s", text)
			}
			if !strings.Contains(text, redaction) {
				t.Errorf("nothing was redacted: %s", text)
			}
		})
	}
}

func TestLogKeepsTheNewest(t *testing.T) {
	f := newFaultTest(t, nil)
	f.requests.mu.Lock()
	f.requests.keep = 3
	f.requests.mu.Unlock()
	for i := range 5 {
		f.do("PUT", f.part(i+1), "x")
	}
	var parts []int
	for _, r := range f.Requests() {
		parts = append(parts, r.PartNumber)
	}
	if got := fmt.Sprint(parts); got != "[3 4 5]" {
		t.Errorf("the log has the parts %s, want [3 4 5]", got)
	}
	if got := f.Count(OpUploadPart); got != 5 {
		t.Errorf("Count is %d, want 5", got)
	}
	f.ResetRequests()
	f.do("GET", "/media/object", "")
	if got := f.Requests(); len(got) != 1 || f.Count() != 1 || f.MaxInFlight() != 1 {
		t.Errorf("after ResetRequests and one call: %v, Count %d, MaxInFlight %d", got, f.Count(), f.MaxInFlight())
	}
}

func TestRequestsByOperation(t *testing.T) {
	f := newFaultTest(t, nil)
	f.do("GET", "/media/object", "")
	f.do("HEAD", "/media/object", "")
	f.do("GET", "/media/object", "")
	for _, test := range []struct {
		ops  []Op
		want int
	}{
		{nil, 3},
		{[]Op{OpGetObject}, 2},
		{[]Op{OpGetObject, OpHeadObject}, 3},
		{[]Op{OpPutObject}, 0},
	} {
		if got, count := len(f.Requests(test.ops...)), f.Count(test.ops...); got != test.want || count != test.want {
			t.Errorf("%v: %d requests and a count of %d, want %d", test.ops, got, count, test.want)
		}
	}
}

// TestMaxInFlightIsExact is what tests of a client's budget rely on: a client
// that sends its next call when it has an answer is never seen with more calls
// than it has. Each worker has connections of its own, so that only the log can
// be wrong.
func TestMaxInFlightIsExact(t *testing.T) {
	const workers, calls = 4, 30
	f := newFaultTest(t, nil)
	f.good("PUT", "/media/big", strings.Repeat("x", 100_000))
	f.ResetRequests()
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			client := *f
			transport := &http.Transport{DisableKeepAlives: true}
			client.client = &http.Client{Transport: transport}
			for i := range calls {
				switch i % 3 {
				case 0:
					client.doContext(t.Context(), "GET", "/media/big", nil)
				case 1:
					client.doContext(t.Context(), "PUT", f.part(2), strings.NewReader("x"))
				case 2:
					client.doContext(t.Context(), "GET", "/media", nil)
				}
			}
		})
	}
	group.Wait()
	if got := f.MaxInFlight(); got > workers {
		t.Errorf("MaxInFlight is %d with %d workers", got, workers)
	}
	if got := f.MaxInFlight(OpGetObject, OpUploadPart, OpListObjects); got != f.MaxInFlight() {
		t.Errorf("MaxInFlight of all three operations is %d, of all %d", got, f.MaxInFlight())
	}
	if f.InFlight() != 0 {
		t.Errorf("%d calls in flight, want none", f.InFlight())
	}
}

// TestACallIsAnsweredBeforeItsLastByte holds an operation up that has sent all
// of its answer: its client must not be found to have a call in flight.
func TestACallIsAnsweredBeforeItsLastByte(t *testing.T) {
	f := newFaultTest(t, nil)
	// More than net/http buffers: the last byte goes out with the Write.
	body := bytes.Repeat([]byte("x"), 100_000)
	read := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, _ := f.route(r)
		w, _, x := f.intercept(w, r, req)
		defer x.finish()
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
		<-read
	}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL + "/media/object")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if n, err := io.Copy(io.Discard, answer.Body); n != int64(len(body)) || err != nil {
		t.Fatalf("got %d bytes, %v; want %d", n, err, len(body))
	}
	if n := f.InFlight(); n != 0 {
		t.Errorf("%d calls in flight while the client has its answer", n)
	}
	if r := f.Requests()[0]; r.Status != 200 {
		t.Errorf("the log has %v, want 200", r)
	}
	close(read)
}

func TestInFlight(t *testing.T) {
	f := newFaultTest(t, nil)
	hang := Hang(OpUploadPart).BeforeWork().Always()
	f.Inject(hang)
	var answers []<-chan reply
	for i := range 3 {
		answers = append(answers, f.inBackground(t.Context(), "PUT", f.part(i+1), strings.NewReader("x")))
	}
	limit, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	if err := f.WaitRequests(limit, 3, OpUploadPart); err != nil {
		t.Fatal(err)
	}
	f.do("GET", "/media/object", "")
	for _, test := range []struct {
		ops       []Op
		now, most int
	}{
		{nil, 3, 4},
		{[]Op{OpUploadPart}, 3, 3},
		{[]Op{OpGetObject}, 0, 1},
		{[]Op{OpUploadPart, OpGetObject}, 3, 4},
		{[]Op{OpPutObject}, 0, 0},
	} {
		if now, most := f.InFlight(test.ops...), f.MaxInFlight(test.ops...); now != test.now || most != test.most {
			t.Errorf("%v: %d in flight and at most %d, want %d and %d", test.ops, now, most, test.now, test.most)
		}
	}
	if r := f.Requests(OpUploadPart)[0]; r.Status != 0 || r.Duration <= 0 {
		t.Errorf("a call in flight is %+v", r)
	}
	hang.Release()
	for _, answer := range answers {
		if r := <-answer; r.status != 200 {
			t.Errorf("got %d, %v after Release", r.status, r.err)
		}
	}
	if err := f.WaitIdle(limit); err != nil {
		t.Error(err)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	f := newFaultTest(t, nil)
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(gone)
	err := f.WaitRequests(ctx, 2, OpUploadPart)
	want := "osstest: waiting for 2 calls of [UploadPart], there are 0: gone"
	if !errors.Is(err, gone) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLogIsSmallAfterLargeRequests(t *testing.T) {
	s, err := New(&Options{Buckets: []string{"media"}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := heap()
	const calls = 100
	for i := range calls {
		large := strings.Repeat("x", 900<<10)
		w := httptest.NewRecorder()
		r := httptest.NewRequest("PUT", "/media/"+large, strings.NewReader("abc"))
		switch i % 5 {
		case 1:
			r = httptest.NewRequest("PUT", "/media/k", strings.NewReader("abc"))
			r.Header.Set("X-Oss-Meta-A", large)
			r.Header.Set("Date", "now")
		case 2:
			r = httptest.NewRequest("PUT", "/media/k?uploadId="+large+"&partNumber=1", strings.NewReader("abc"))
			r.Header.Set("Authorization", "OSS "+large+":x")
		case 3:
			for n := range 900 {
				r.Header.Set(fmt.Sprint("X-", n), large[:1000])
			}
		case 4:
			r.Header["A"] = make([]string, 16<<10)
		}
		s.ServeHTTP(w, r)
		if w.Code/100 != 4 {
			t.Fatalf("call %d: got %d; want a refusal", i, w.Code)
		}
	}
	if got := (heap() - before) >> 10; got > 32*calls {
		t.Errorf("the log takes %d KiB for %d calls; want at most 32 KiB for each", got, calls)
	}
	requests := s.Requests()
	if len(requests) != calls {
		t.Errorf("the log has %d calls; want %d", len(requests), calls)
	}
	if got := requests[1]; got.Header.Get("Date") != "now" || !strings.HasSuffix(got.Header.Get("X-Oss-Meta-A"), "x... (921600 bytes)") {
		t.Errorf("got a header of %d bytes, with Date %q", size(got.Header), got.Header.Get("Date"))
	}
}

// The values of a query are parts of its text, which may be much longer.
func TestLogKeepsNoQueryText(t *testing.T) {
	const calls = 1000
	before := heap()
	l := &requestLog{}
	for range calls {
		r := httptest.NewRequest("GET", "/media/k?prefix=abc"+strings.Repeat("&", 9000), nil)
		l.open(&request{Request: r, query: r.URL.Query()})
	}
	if got := (heap() - before) >> 10; got > 4*calls {
		t.Errorf("the log takes %d KiB for %d calls; want at most 4 KiB for each", got, calls)
	}
	if got := l.entries[0].call.Query.Get("prefix"); got != "abc" {
		t.Errorf("the log has the prefix %q, want abc", got)
	}
}

func TestLogKeepsSoManyBytes(t *testing.T) {
	const keep, calls = 200 << 10, 100
	l := &requestLog{keepBytes: keep}
	entries := map[string]*logEntry{}
	for i := range calls {
		r := httptest.NewRequest("GET", "/media/k?n="+strings.Repeat("x", 100*i), nil)
		l.open(&request{Request: r, op: OpGetObject, bucket: "media", key: fmt.Sprint(i), query: r.URL.Query()})
	}
	bytes, newest := 0, l.entries[len(l.entries)-1]
	for _, e := range l.entries {
		bytes += e.bytes
		entries[e.call.Key] = e
	}
	if l.bytes != bytes || bytes > keep || bytes < keep-2*newest.bytes {
		t.Errorf("the log has %d bytes and counts %d; want both the same, and nearly %d", bytes, l.bytes, keep)
	}
	for i := range calls {
		if kept := entries[fmt.Sprint(i)] != nil; kept != (i >= calls-len(l.entries)) {
			t.Errorf("call %d of %d: kept %v, want the newest %d", i, calls, kept, len(l.entries))
		}
	}
	if got := l.count(nil); got != calls {
		t.Errorf("counted %d calls, want %d", got, calls)
	}
	l.reset()
	if l.bytes != 0 || len(l.kept(nil)) != 0 {
		t.Errorf("after reset: %d bytes, %d calls", l.bytes, len(l.kept(nil)))
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestHeaderThatStopsIsCutOff(t *testing.T) {
	s, _ := newTestServer(t, &Options{BodyTimeout: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "PUT /media/k HTTP/1.1\r\nHost: x\r\n")
	if _, err := io.ReadAll(conn); err != nil { // until the server hangs up
		t.Error(err)
	}
}
