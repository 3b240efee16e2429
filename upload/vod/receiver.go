package vod

import (
	"crypto/md5"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/upload/internal/webhook"
)

// What a notification is refused for. [Receiver.Handler] answers with the HTTP status
// behind each.
var (
	// ErrUnsigned is returned for a request that VOD has not signed: it is no POST, one of
	// the headers X-VOD-TIMESTAMP and X-VOD-SIGNATURE is missing, there twice or
	// unreadable, or the signature is not that of callback URL and AuthKey. The status is
	// 403.
	ErrUnsigned = errors.New("vod: the notification is not signed by VOD")

	// ErrStale is returned for a notification that was signed longer ago than
	// [ReceiverOptions.MaxAge], or lies as far ahead. The status is 403.
	ErrStale = errors.New("vod: the notification is too old")

	// ErrEvent is returned for what is no event, or larger than [ReceiverOptions.MaxBody].
	// The status is 400 or 413.
	ErrEvent = errors.New("vod: the event cannot be read")
)

// ReceiverOptions are the optional settings of a [Receiver].
type ReceiverOptions struct {
	// OldAuthKey is accepted beside the AuthKey, while that is being changed in VOD's
	// console. The default is none.
	OldAuthKey Secret

	// MaxAge is how long ago a notification may have been signed, and how far ahead VOD's
	// clock may be. Within it, whoever has seen a notification can send it again. The
	// default is 5 minutes.
	MaxAge time.Duration

	// MaxBody bounds a notification, in bytes. The default is 256 KiB.
	MaxBody int64

	// Logger gets the requests that [Receiver.Handler] and [Receiver.Middleware] refuse,
	// one a second at most, without secrets. The default is silent.
	Logger *slog.Logger

	// Now is the clock. It must be safe for concurrent use. The default is [time.Now].
	Now func() time.Time
}

// Format writes the options without the key, whatever the verb: for one that does not fit,
// package fmt would print it itself.
func (o ReceiverOptions) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "vod.ReceiverOptions(MaxAge %v, MaxBody %d)", o.MaxAge, o.MaxBody)
}

// A Receiver receives the event notifications that VOD sends by HTTP, and verifies that
// it is VOD who sends them (VOD documentation, HTTP callbacks). It is safe for use by many
// goroutines.
//
// VOD signs the callback's URL and the time, and not the body. So a signature proves who
// has sent a notification and when, as long as nobody has come between: let the callback's
// URL be one of https. And it proves nothing of what somebody sends who has seen one, for
// MaxAge. What much depends on should be asked of VOD (GetVideoInfo), and a notification
// that comes twice should do the same as one: VOD itself sends one up to three times,
// until it is answered with status 200.
type Receiver struct {
	url   string
	keys  *[]Secret // a pointer, which package fmt does not follow
	opts  ReceiverOptions
	quiet webhook.Sampler
}

// NewReceiver returns a receiver for notifications to callbackURL, exactly as it is
// configured in VOD's console, which are signed with authKey, the one that is set there
// for callback authentication.
func NewReceiver(callbackURL string, authKey Secret, opts *ReceiverOptions) (*Receiver, error) {
	var o ReceiverOptions
	if opts != nil {
		o = *opts
	}
	switch {
	case callbackURL == "":
		return nil, fmt.Errorf("%w: callbackURL is empty", ErrParameter)
	case authKey == "":
		return nil, fmt.Errorf("%w: authKey is empty: set one in VOD's console, without it anybody can send notifications", ErrParameter)
	case authKey == hidden || o.OldAuthKey == hidden:
		return nil, fmt.Errorf("%w: authKey is %q, which is what a Secret is printed as", ErrParameter, hidden)
	case o.MaxAge < 0 || o.MaxBody < 0:
		return nil, fmt.Errorf("%w: a limit in the options is negative: MaxAge %v, MaxBody %d", ErrParameter, o.MaxAge, o.MaxBody)
	}
	keys := []Secret{authKey}
	if o.OldAuthKey != "" {
		keys = append(keys, o.OldAuthKey)
	}
	o.OldAuthKey = ""
	if o.MaxAge == 0 {
		o.MaxAge = 5 * time.Minute
	}
	if o.MaxBody == 0 {
		o.MaxBody = 256 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Receiver{url: callbackURL, keys: &keys, opts: o}, nil
}

// Format writes nothing of the receiver: its URL may have a password.
func (v *Receiver) Format(f fmt.State, _ rune) { fmt.Fprint(f, "vod.Receiver") }

// Verify returns the event of a notification, if VOD has signed it within MaxAge. The body
// of r can be read again afterwards. The errors are [ErrUnsigned], [ErrStale] and
// [ErrEvent], with what is wrong.
func (v *Receiver) Verify(r *http.Request) (*Event, error) {
	if err := v.checkSignature(r); err != nil {
		return nil, err
	}
	body, err := webhook.Body(r, v.opts.MaxBody)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return ParseEvent(body)
}

func (v *Receiver) checkSignature(r *http.Request) error {
	if r.Method != http.MethodPost {
		return fmt.Errorf("%w: it is a %q, want POST", ErrUnsigned, r.Method)
	}
	stamp, err := webhook.Header(r.Header, "X-VOD-TIMESTAMP")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	signature, err := webhook.Header(r.Header, "X-VOD-SIGNATURE")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsigned, err)
	}
	got, err := hex.DecodeString(signature)
	if err != nil || len(got) != md5.Size {
		return fmt.Errorf("%w: X-VOD-SIGNATURE has %d characters that are no MD5 in hexadecimal", ErrUnsigned, len(signature))
	}
	signed, err := strconv.ParseUint(stamp, 10, 63)
	if err != nil || len(stamp) != 10 {
		return fmt.Errorf("%w: X-VOD-TIMESTAMP has %d characters that are no time, want 10 digits", ErrUnsigned, len(stamp))
	}
	valid := 0
	for _, key := range *v.keys {
		want := md5.Sum([]byte(v.url + "|" + stamp + "|" + string(key)))
		valid |= subtle.ConstantTimeCompare(got, want[:])
	}
	if valid == 0 {
		return fmt.Errorf("%w: the signature is not that of the callback URL (as it is configured) and the AuthKey", ErrUnsigned)
	}
	if age := v.opts.Now().Sub(time.Unix(int64(signed), 0)); age.Abs() > v.opts.MaxAge {
		return fmt.Errorf("%w: it was signed %v ago, want at most %v before or after now", ErrStale, age.Round(time.Second), v.opts.MaxAge)
	}
	return nil
}
