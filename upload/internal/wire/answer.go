package wire

import (
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	// maxAnswer is more than OSS ever sends: a page of 1,000 parts has a quarter of
	// a megabyte, the body of a callback at most one (OSS documentation, Callback).
	maxAnswer = 4 << 20

	// maxErrorAnswer is enough for the XML of an error, which repeats the canonical
	// request, and bounds what a gateway may say instead.
	maxErrorAnswer = 64 << 10

	// maxDelay bounds the pause that a server may ask for.
	maxDelay = 5 * time.Minute
)

// An answer is what came back, whole. The SDK reads errors only from XML, and loses
// the status of the others; so we keep our own.
type answer struct {
	status int // 0: nothing came
	header http.Header
	size   int64 // by Content-Length; -1 if unknown
	body   []byte
	err    error     // why body is not whole
	came   time.Time // when the headers had come
}

// readAnswer reads res to its end and closes its body, so that its connection can
// serve the next request whatever the SDK does with the response.
func readAnswer(res *http.Response, count func(n int)) answer {
	defer res.Body.Close()
	a := answer{status: res.StatusCode, header: res.Header, size: res.ContentLength, came: time.Now()}
	if res.Body == http.NoBody || res.ContentLength == 0 {
		return a
	}
	limit := maxAnswer
	if a.status >= 300 {
		limit = maxErrorAnswer
	}
	r := &countingReader{r: io.LimitReader(res.Body, int64(limit)+1), count: count}
	a.body, a.err = io.ReadAll(r)
	if a.err == nil && len(a.body) > limit {
		a.body, a.err = a.body[:limit], fmt.Errorf("answer is longer than %d bytes", limit)
	}
	return a
}

type countingReader struct {
	r     io.Reader
	count func(n int)
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.count(n)
	return n, err
}

// An xmlError is the body of an error answer (OSS documentation, Error responses).
type xmlError struct {
	XMLName    xml.Name `xml:"Error"`
	Code       string
	Message    string
	RequestID  string `xml:"RequestId"`
	EC         string
	ServerTime string
}

// misdated says whether the error blames the time of the request. With signature V4,
// a clock that is off by days may be told by the day in the credential's scope
// (OSS documentation, EC 0002-00000212), without a word of skew.
func (x xmlError) misdated() bool {
	return x.Code == "RequestTimeTooSkewed" || x.Code == "InvalidArgument" && x.EC == "0002-00000212"
}

// serviceError reads the error that the answer holds. Answers to HEAD have no body,
// and bring it in a header. What others than OSS answer is told as an error.
func (a *answer) serviceError() (xmlError, error) {
	var x xmlError
	text := a.body
	if len(text) == 0 {
		text, _ = base64.StdEncoding.DecodeString(a.header.Get(headerErr))
	}
	err := xml.Unmarshal(text, &x)
	if err != nil {
		x = xmlError{}
		switch {
		case a.err != nil:
			err = fmt.Errorf("read answer: %w", a.err)
		case len(text) == 0:
			err = nil
		default:
			err = fmt.Errorf("answer is not of OSS: %d bytes of %s", len(text), a.contentType())
		}
	}
	if x.Code == "" && a.status == statusCallbackFailed {
		x.Code = "CallbackFailed"
	}
	if x.RequestID == "" {
		x.RequestID = a.header.Get(headerRequestID)
	}
	if x.EC == "" {
		x.EC = a.header.Get(headerEC)
	}
	return x, err
}

func (a *answer) contentType() string {
	if t := a.header.Get(headerContentType); t != "" {
		return t
	}
	return "unknown type"
}

// decode reads the XML of a successful answer into v. The root element's name is
// checked, so that a page of a gateway is not taken for a result.
func (a *answer) decode(v any) error {
	if a.err != nil {
		return fmt.Errorf("read answer: %w", a.err)
	}
	if len(a.body) == 0 {
		return errors.New("answer is empty")
	}
	if err := xml.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("read answer of %d bytes of %s: %w", len(a.body), a.contentType(), err)
	}
	return nil
}

// crc64 returns the CRC64 that the answer tells.
func (a *answer) crc64() (uint64, bool) {
	n, err := strconv.ParseUint(a.header.Get(headerCRC64), 10, 64)
	return n, err == nil
}

// served returns when the server answered, by its own clock; the zero time if it
// does not say.
func (a *answer) served() time.Time {
	t, err := http.ParseTime(a.header.Get(headerDate))
	if err != nil {
		return time.Time{}
	}
	return t
}

// delay returns how long the server asks to wait: OSS says it in milliseconds, and
// gateways before it in seconds.
func (a *answer) delay() time.Duration {
	for _, f := range [...]struct {
		name string
		unit time.Duration
	}{{headerDelay, time.Millisecond}, {headerRetryAfter, time.Second}} {
		n, err := strconv.ParseInt(a.header.Get(f.name), 10, 64)
		if err != nil || n <= 0 {
			continue
		}
		if n > int64(maxDelay/f.unit) {
			return maxDelay
		}
		return time.Duration(n) * f.unit
	}
	return 0
}

// redirect returns where a 3xx answer points to, for people.
func (a *answer) redirect() error {
	if a.status < 300 || a.status >= 400 {
		return nil
	}
	location, err := url.Parse(a.header.Get(headerLocation))
	if err != nil || location.Host == "" {
		return errors.New("redirects are not followed")
	}
	return fmt.Errorf("redirects are not followed: it points to %s; is the endpoint right?", location.Host)
}
