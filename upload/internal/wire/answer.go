package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// maxErrorAnswer is enough for the XML of an error, which repeats the canonical
	// request, and bounds what a gateway may say instead.
	maxErrorAnswer = 64 << 10

	// maxDelay bounds the pause that a server may ask for.
	maxDelay = 5 * time.Minute
)

// An answer is what came back, whole. The SDK reads errors only from XML, and loses
// the status of the others; so we keep our own.
type answer struct {
	status     int // 0: nothing came
	header     http.Header
	size       int64 // by Content-Length; -1 if unknown
	body       []byte
	err        error     // why body is not whole
	receivedAt time.Time // when the headers had come
	by         *Snapshot // what the request was signed with; may be nil
}

// readAnswer reads res to its end and closes its body, so that its connection can
// serve the next request whatever the SDK does with the response.
func readAnswer(res *http.Response, count func(n int)) answer {
	a := answer{status: res.StatusCode, header: res.Header, size: max(res.ContentLength, -1), receivedAt: time.Now()}
	if res.Body == nil || res.Body == http.NoBody {
		return a
	}
	defer res.Body.Close()
	if a.status == http.StatusSwitchingProtocols {
		// Nobody asked for another protocol. The body is the connection, which the
		// end of the request's context no longer closes: reading it could take forever.
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

// maxEmpty is how many reads in a row may give nothing, as in package bufio.
const maxEmpty = 100

type countingReader struct {
	r     io.Reader
	count func(n int)
	empty int // reads that gave nothing, in a row
}

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.count(n)
	switch {
	case n != 0:
		r.empty = 0
	case err == nil:
		if r.empty++; r.empty > maxEmpty {
			return 0, io.ErrNoProgress
		}
	}
	return n, err
}

// serviceError reads the error that the answer holds. Answers to HEAD have no body,
// and bring it in a header. Where the text is not XML as a whole, the code is that of
// the header X-Oss-Ec, or the one that the text or its JSON has all the same: an expired token
// must not look like a broken gateway. What others than OSS answer is an error.
func (a *answer) serviceError() (xmlError, error) {
	var x xmlError
	text := a.body
	if len(text) == 0 {
		text = fromHeader(a.header.Get(headerErr))
	}
	text = plain(text)
	err := unmarshal(text, &x)
	if err != nil {
		x = scanError(string(text))
	}
	x.Code, x.Endpoint = strings.TrimSpace(x.Code), strings.TrimSpace(x.Endpoint)
	if code := codes[a.header.Get(headerEC)]; code != "" && (err != nil || x.Code == "") {
		x.Code = code
	}
	switch {
	case err == nil, x.Code != "":
		err = nil
	case a.err != nil && len(text) > 0: // what came says more than how it ended
		err = fmt.Errorf("read answer, which ends after %s: %w", a.described(), a.err)
	case a.err != nil:
		err = fmt.Errorf("read answer: %w", a.err)
	case len(text) == 0:
		err = nil
	default:
		err = fmt.Errorf("answer is not of OSS: %s", a.described())
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

// fromHeader decodes the XML that a header holds. What could be decoded of one that is
// cut short may be enough.
func fromHeader(value string) []byte {
	value = strings.TrimRight(value, "=")
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(value, "-_") {
		encoding = base64.RawURLEncoding
	}
	text, _ := encoding.DecodeString(value)
	return text
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
	if err := unmarshal(plain(a.body), v); err != nil {
		return fmt.Errorf("read answer of %s: %w", a.described(), err)
	}
	return nil
}

// crc64 returns the CRC64 in the answer.
func (a *answer) crc64() (uint64, bool) {
	n, err := strconv.ParseUint(a.header.Get(headerCRC64), 10, 64)
	return n, err == nil
}

// etag returns the ETag of the answer's header, which may be an empty one. It is false
// if there is no such header.
func (a *answer) etag() (string, bool) {
	v := a.header[headerETag]
	if len(v) == 0 {
		return "", false
	}
	return bareETag(v[0]), true
}

// serverTime returns when the server answered, by its own clock; the zero time if it
// does not say.
func (a *answer) serverTime() time.Time {
	t, err := http.ParseTime(a.header.Get(headerDate))
	if err != nil {
		return time.Time{}
	}
	return t
}

// delay returns how long the server asks to wait, at most maxDelay: OSS says it in
// milliseconds, and gateways before it in seconds or by a date (RFC 9110, section
// 10.2.3).
func (a *answer) delay() time.Duration {
	if d := delayOf(a.header.Get(headerDelay), time.Millisecond); d > 0 {
		return d
	}
	after := a.header.Get(headerRetryAfter)
	if d := delayOf(after, time.Second); d > 0 {
		return d
	}
	until, err := http.ParseTime(after)
	if err != nil {
		return 0
	}
	now := a.serverTime() // the clock by which the server said it
	if now.IsZero() {
		now = a.receivedAt
	}
	return min(max(until.Sub(now), 0), maxDelay)
}

// delayOf returns a number of units, at most maxDelay; 0 if value is none, or none
// above 0.
func delayOf(value string, unit time.Duration) time.Duration {
	n, err := strconv.ParseUint(value, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return maxDelay
	case err != nil:
		return 0
	}
	if n > uint64(maxDelay/unit) {
		return maxDelay
	}
	return time.Duration(n) * unit
}

// redirect returns where a 3xx answer points to, for people.
func (a *answer) redirect() error {
	switch a.status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	location, err := url.Parse(a.header.Get(headerLocation))
	if err != nil || location.Host == "" {
		return errors.New("redirects are not followed")
	}
	return fmt.Errorf("redirects are not followed: it points to %s; is the endpoint right?", location.Host)
}

// described says what an answer is that is not what OSS would say: how much of what
// kind, and what it says.
func (a *answer) described() string {
	text := fmt.Sprintf("%d bytes of %s", len(a.body), a.contentType())
	if quoted := a.excerpt(); quoted != "" {
		text += ": " + quoted
	}
	return text
}

// excerpt returns the beginning of the body in quotation marks, for people: without
// the tags of a page, and without the request's secrets, which some gateways repeat.
func (a *answer) excerpt() string {
	text := string(plain(a.body))
	if a.by != nil {
		text = a.by.redact(text) // before it is cut: half a secret is not found
	}
	return quoted(untagged(text))
}
