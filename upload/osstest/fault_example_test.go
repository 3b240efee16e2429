package osstest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// client uses each connection once: where it has used one before, net/http
// repeats a GET by itself when the connection breaks.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// get is a client that knows nothing of OSS.
func get(url string) string {
	answer, err := client.Get(url)
	if err != nil {
		return "no answer"
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	if err != nil {
		return answer.Status + ", but " + err.Error()
	}
	return answer.Status
}

func ExampleServer_Inject() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(
		osstest.Fail(osstest.OpGetObject, 503, "ServiceUnavailable"),
		osstest.Reset(osstest.OpGetObject),
		osstest.Truncate(osstest.OpGetObject),
	)
	for range 4 {
		fmt.Println(get(s.URL + "/media/talk.mp4"))
	}

	// Output:
	// 503 Service Unavailable
	// no answer
	// 403 Forbidden, but unexpected EOF
	// 403 Forbidden
}

func ExampleFault_Nth() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(osstest.HTML(osstest.OpGetObject, 502).Key("talk.mp4").Nth(2).Times(2))
	for range 4 {
		fmt.Println(get(s.URL + "/media/talk.mp4"))
	}

	// Output:
	// 403 Forbidden
	// 502 Bad Gateway
	// 502 Bad Gateway
	// 403 Forbidden
}

func ExampleFault_Match() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(osstest.Fail(osstest.AnyOp, 0, "AccessDenied").Match(func(r osstest.Request) bool {
		return r.AccessKeyID == "" && r.Header.Get("Range") != ""
	}))

	fmt.Println(s.Unfired())
	// Output:
	// [Fail(AnyOp, 0, AccessDenied).BeforeWork().Match(…)]
}

// A test that wants to catch a call in the act makes it hang, and waits for it.
func ExampleHang() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	hang := osstest.Hang(osstest.OpGetObject)
	s.Inject(hang)
	answer := make(chan string)
	go func() { answer <- get(s.URL + "/media/talk.mp4") }()

	<-hang.Fired()
	fmt.Println("in flight:", s.InFlight(osstest.OpGetObject))
	hang.Release()
	fmt.Println(<-answer)

	// Output:
	// in flight: 1
	// 403 Forbidden
}

func ExampleThrottle() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(osstest.Throttle(osstest.OpGetObject, 2*time.Second))
	answer, err := client.Get(s.URL + "/media/talk.mp4")
	if err != nil {
		fmt.Println(err)
		return
	}
	answer.Body.Close()
	fmt.Println(answer.Status, answer.Header.Get("x-oss-qos-delay-time"))

	// Output:
	// 503 Service Unavailable 2000
}

func ExampleServer_Requests() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(osstest.LoseAnswer(osstest.OpGetObject).Key("b.mp4"))
	get(s.URL + "/media/a.mp4")
	get(s.URL + "/media/b.mp4")

	for _, r := range s.Requests(osstest.OpGetObject) {
		fmt.Println(r)
	}
	fmt.Println(s.Count(osstest.OpUploadPart), "parts, at most", s.MaxInFlight(), "call at a time")

	// Output:
	// #1 GetObject media/a.mp4: 403 AccessDenied
	// #2 GetObject media/b.mp4: no answer by Reset(GetObject).AfterWork().Key("b.mp4")
	// 0 parts, at most 1 call at a time
}

func ExampleServer_WaitRequests() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	for range 3 {
		go get(s.URL + "/media/talk.mp4")
	}
	if err := s.WaitRequests(context.Background(), 3, osstest.OpGetObject); err != nil {
		fmt.Println(err)
	}
	fmt.Println(s.Count(osstest.OpGetObject), "calls have come")

	// Output:
	// 3 calls have come
}
