package osstest_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// put stores an object. It stands for the client that is being tested.
func put(endpoint, path, body string) (*http.Response, error) {
	r, err := http.NewRequest(http.MethodPut, endpoint+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	mac := hmac.New(sha1.New, []byte(osstest.DefaultKey.AccessKeySecret))
	io.WriteString(mac, "PUT\n\n\n"+date+"\n"+path)
	r.Header.Set("Date", date)
	r.Header.Set("Authorization", "OSS "+osstest.DefaultKey.AccessKeyID+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return client.Do(r)
}

func Example() {
	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
	defer s.Close()

	s.Inject(osstest.Fail(osstest.OpPutObject, 503, "ServiceUnavailable"))
	for range 2 {
		resp, err := put(s.URL, "/media/talk.mp4", "the bytes of a talk")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
		fmt.Println(resp.Status)
	}

	o, ok := s.Object("media", "talk.mp4")
	fmt.Println(ok, o.Size, o.ETag)
	fmt.Println(s.Count(osstest.OpPutObject), "calls")

	// Output:
	// 503 Service Unavailable
	// 200 OK
	// true 19 E71D04E26C370F34BE892C1EFFFEA8C6
	// 2 calls
}
