package upload

import (
	"cmp"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/descriptors"
	"github.com/vodupload/vodupload/upload/internal/filelist"
	"github.com/vodupload/vodupload/upload/internal/slots"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// Options are the settings of a [Client]. The zero value of each field means its
// default.
type Options struct {
	// Credentials supplies what requests are signed with, and is asked again when a
	// token has expired. The default is none: Init gives the first credentials, and
	// ResumeWithToken the next.
	Credentials sts.Provider

	// Authorizer gives files that were added without a destination their destination
	// and credentials, from a media service: see package vod. The default is none: call
	// SetDestination or SetUploadAuthAndAddress.
	Authorizer Authorizer

	// Checkpoints keeps what is needed to resume after the process has ended. The client
	// does not close a store that it was given. A panic of one is [ErrCheckpoint], like an
	// error of it. The default is the store in CheckpointDir.
	Checkpoints checkpoint.Store

	// CheckpointDir is a directory that keeps the checkpoints, instead of Checkpoints, in
	// one file for each upload under way; it is made if it is not there. Processes may
	// share it. In a container, what is not on a volume ends with the container: give a
	// directory on a volume, or a store that machines share as Checkpoints. The default is
	// a directory in the user's cache directory (see [checkpoint.MakeDefaultDir]).
	CheckpointDir string

	// CheckpointsOptional uploads a file without a checkpoint if none can be kept: no
	// disk space, no permission. Such an upload does not survive the end of the
	// process. The claims of a store that is [checkpoint.Shared] are not optional: a file
	// that gets none fails, and one whose claim is lost is [ErrClaimLost]. The default is
	// to fail the file before any of it is sent.
	CheckpointsOptional bool

	// ClaimWait is how long a file waits for the claim on its checkpoint that another
	// client or process has, before it fails with [ErrInUse]. FileInfo.Waiting and a warning
	// in the log say who has it and until when, where the store knows that. 0 waits where
	// claims are leases, for one that nobody renews: its holder has died, and the file
	// resumes within a second of its end; if it is renewed, the file fails then. A negative
	// value waits for nothing. The default is 0.
	ClaimWait time.Duration

	// ForgetEnded removes a file of AddFile from the list when it has ended, in whatever
	// way, and the callbacks about it have returned: a program that runs for months needs
	// no DeleteFile. From then on its FileID is [ErrFileNotExist] to every call, Stats does
	// not count it, and the same source and destination can be added again. To try a
	// failed one again, call ResumeFile in OnFailed, or AddFile later: its checkpoint stays,
	// so that it resumes. Wait, Upload, and a WaitFile that began before the file left the
	// list, return what they do without ForgetEnded. The default is that files stay until
	// DeleteFile or ClearFiles. One that has ended takes at most 400 bytes then, however it
	// ended, where path and object have 130 characters together. What you gave it comes on top
	// of that (the value of a Source or a Tag, properties that no other file has, an error of
	// yours), and what only few files have: a video, credentials set by SetToken, an error
	// of a kind that is in no other file.
	ForgetEnded bool

	// PartSize is the size of each part but the last, in bytes: from 100 KiB to
	// 5 GiB. It grows for files of more than 10,000 such parts. A file that fits
	// into one part is sent by a single request and has no checkpoint. The default
	// is 1 MiB.
	PartSize int64

	// Parallel is how many requests are in flight at the same time, over all files:
	// from 1 to 1,000, or Auto. SetParallel changes it later. The default is 5.
	//
	// With Auto the client begins with 5 and measures which number sends the most bytes per
	// second, up to 64: on Linux by what the kernel's TCP reports of the connections, elsewhere
	// by what they take. It finds it within some round trips, or half a second where that is
	// longer. Auto helps if the server is far away, and most of all if packets get lost on the
	// way; while the server throttles, it goes down to 1. A Reader may then need the memory of
	// 65 parts.
	Parallel int

	// RetryCount is how often a request, or a read of a source, is repeated after a
	// failure that may be temporary; a negative number means never. When the network
	// fails or the server throttles, the count of a part starts again from zero if some
	// bytes of the file got through since its last failure. Where nothing at all gets
	// through, OutageWait counts. The default is 3.
	RetryCount int

	// RetryInterval is the pause before the first retry. It doubles with each retry, up
	// to 30 s, plus or minus a quarter. The server may ask for more. The default is 2 s.
	RetryInterval time.Duration

	// StallTimeout ends a request that has made no progress for that long; it is
	// retried. If the server got the whole request and did not answer, the next attempt
	// waits twice as long for the answer, and at most eight times StallTimeout. The
	// default is 30 s.
	StallTimeout time.Duration

	// OutageWait is how long an endpoint may be away. It is away when it has answered
	// before, and now nothing gets through to it but network errors, 502, 503 and 504.
	// Then its files wait, without a slot and without spending retries, no more of the list
	// are started, and one request at a time is made to see whether it is back: after
	// RetryInterval, then a twentieth of the outage apart, up to 15 s. OnWaiting and
	// OnRetry report the outage, OnRetryResume its end. If it lasts longer than OutageWait,
	// the files that wait fail; a request that is under way then has StallTimeout to get
	// through. Time in which none could ask, for want of a token, does not count. An
	// endpoint that never answered is retried by RetryCount and RetryInterval alone, and so
	// is a request that has been lost for as long as OutageWait while others were answered.
	// A negative OutageWait means that for all. The default is 10 minutes.
	OutageWait time.Duration

	// BandwidthLimit is how many bytes are sent per second, over all files: at least
	// MinBandwidthLimit. SetBandwidthLimit and FollowTimetable change it later. The
	// default is no limit.
	BandwidthLimit int64

	// TokenWait is how long files wait for the first token, for a new one when the old
	// one has expired, and for a destination. The default is 10 minutes.
	TokenWait time.Duration

	// CleanupTimeout bounds the clean-up at the server after a file was canceled, and
	// how long Close waits for clean-ups and callbacks. The default is 30 s.
	CleanupTimeout time.Duration

	// Region is the region of the buckets, like "cn-hangzhou" (or "oss-cn-hangzhou"),
	// for the signature V4. The default is the region in the endpoint's name; if that
	// has none, requests are signed with V1.
	Region string

	// CustomDomains are the domains of yours that are mapped to buckets (by a CNAME),
	// like "media.example.com". An endpoint of such a name is used as it is, while the
	// bucket's name is put before OSS's own endpoints. Region has to be set as well,
	// since these names have none. Accounts that began to use OSS after 20 March 2025
	// cannot upload through its public endpoints in mainland China, which answer
	// PublicEndpointForbidden: they need such a domain, or an internal endpoint (OSS
	// documentation, Access OSS through a custom domain name). The default is none.
	CustomDomains []string

	// RequireCRC fails a file with [ErrNoCRC] if an answer to its bytes lacks the CRC64
	// of what the server has stored. OSS sends it; gateways and compatible servers may
	// not. The default is false: such a file succeeds with Result.Verified false, and
	// each client logs one warning.
	RequireCRC bool

	// HTTPClient sends the requests. It is not changed; its CheckRedirect is ignored, as
	// redirects are never followed. The default is a client that keeps as many
	// connections as there are requests in flight, with the proxy of the environment.
	HTTPClient *http.Client

	// Logger gets what an operator wants to know, but no line for each part. No line
	// has a secret in it. A panic of its handler is not recovered. The default is silent.
	Logger *slog.Logger

	// Callbacks report what happens. The default is none.
	Callbacks Callbacks

	// Observer sees files, requests and waits as they begin and end, for metrics, traces
	// and pages. The default is none.
	Observer *Observer
}

// The defaults of [Options].
const (
	DefaultPartSize       = 1 << 20
	DefaultParallel       = 5
	DefaultRetryCount     = 3
	DefaultRetryInterval  = 2 * time.Second
	DefaultStallTimeout   = 30 * time.Second
	DefaultOutageWait     = 10 * time.Minute
	DefaultTokenWait      = 10 * time.Minute
	DefaultCleanupTimeout = 30 * time.Second

	maxParallel = 1000
)

// Auto, as Options.Parallel, makes the client measure how many requests in flight are
// best: see there.
const Auto = math.MinInt // not the result of a mistake in arithmetic

// withDefaults returns a complete copy of o, or an error that names the field that
// is wrong, what it is and what it may be.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	setDefault(&c.PartSize, DefaultPartSize)
	setDefault(&c.Parallel, DefaultParallel)
	if c.Parallel == Auto {
		c.Parallel = slots.AutoMost
	}
	setDefault(&c.RetryCount, DefaultRetryCount)
	setDefault(&c.RetryInterval, DefaultRetryInterval)
	setDefault(&c.StallTimeout, DefaultStallTimeout)
	setDefault(&c.OutageWait, DefaultOutageWait)
	setDefault(&c.TokenWait, DefaultTokenWait)
	setDefault(&c.CleanupTimeout, DefaultCleanupTimeout)
	c.RetryCount = max(c.RetryCount, 0)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Logger = slog.New(lineHandler{c.Logger.Handler()})
	c.Observer = c.Observer.orNone().guarded(c.Logger)
	var domains error
	c.CustomDomains, domains = customDomains(c.CustomDomains, c.Region)
	for _, check := range []error{
		domains,
		c.checkCheckpoints(),
		inRange("Options.PartSize", c.PartSize, transfer.MinPartSize, transfer.MaxPartSize, " bytes"),
		inRange("Options.Parallel", c.Parallel, 1, maxParallel, ""),
		positive("RetryInterval", c.RetryInterval),
		positive("StallTimeout", c.StallTimeout),
		positive("OutageWait", cmp.Or(max(c.OutageWait, 0), DefaultOutageWait)),
		positive("TokenWait", c.TokenWait),
		positive("CleanupTimeout", c.CleanupTimeout),
		checkBandwidth("Options.BandwidthLimit", c.BandwidthLimit),
		invalid("Options.Region", target.CheckRegion(c.Region)),
	} {
		if check != nil {
			return Options{}, check
		}
	}
	return c, nil
}

func (o *Options) checkCheckpoints() error {
	if o.Checkpoints != nil && o.CheckpointDir != "" {
		return fmt.Errorf("%w: Options.CheckpointDir: got %q together with Options.Checkpoints, want one of them", ErrInvalidArgument, o.CheckpointDir)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func inRange[T int | int64](field string, got, low, high T, unit string) error {
	if got < low || got > high {
		return fmt.Errorf("%w: %s: got %d, want %d to %d%s", ErrInvalidArgument, field, got, low, high, unit)
	}
	return nil
}

func positive(field string, got time.Duration) error {
	if got < time.Millisecond { // a number without a unit is nanoseconds
		return fmt.Errorf("%w: Options.%s: got %v, want at least 1ms", ErrInvalidArgument, field, got)
	}
	return nil
}

// customDomains returns the names of the domains.
func customDomains(given []string, region string) ([]string, error) {
	if len(given) > 0 && region == "" {
		return nil, fmt.Errorf("%w: Options.CustomDomains needs Options.Region: names of custom domains have no region", ErrInvalidArgument)
	}
	var names []string
	for _, s := range given {
		name, err := target.CustomDomain(s)
		if err != nil {
			return nil, fmt.Errorf("%w: Options.CustomDomains: %w", ErrInvalidArgument, err)
		}
		names = append(names, name)
	}
	return names, nil
}

func (o *Options) locator() target.Locator {
	return target.Locator{Region: o.Region, CustomDomains: o.CustomDomains}
}

// checkBandwidth returns an error for a limit that is none and not possible.
func checkBandwidth(field string, got int64) error {
	if got < 0 || 0 < got && got < MinBandwidthLimit {
		return fmt.Errorf("%w: %s: got %d bytes per second, want 0 for no limit, or %d or more", ErrInvalidArgument, field, got, MinBandwidthLimit)
	}
	return nil
}

// limits are those of a list with that many requests in flight.
func (o *Options) limits(parallel int) filelist.Limits {
	return filelist.Limits{Parallel: parallel, Started: o.maxStarted(parallel), ForgetEnded: o.ForgetEnded, ShelveEnded: true}
}

// maxStarted bounds the files that were started and have not ended, and so what a list
// of any length costs. It is more than the number of slots, so that files that wait for
// a token or for a retry do not keep others from being sent. Each may have its source
// and its checkpoint open; with an Authorizer, also its claim on the source.
func (o *Options) maxStarted(parallel int) int {
	perFile := 2
	if o.Authorizer != nil {
		perFile = 3
	}
	return descriptors.Started(descriptors.Limit(), perFile, parallel, max(256, 2*parallel))
}
