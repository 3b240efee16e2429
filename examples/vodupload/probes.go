package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/fskind"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
)

// checkFolder looks at the folder of the checkpoints.
func checkFolder(given string) finding {
	const about = "checkpoints"
	dir, err := checkpointFolder(given)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, "doctor-*"); err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
	}
	if err != nil {
		return finding{grade: bad, about: about, text: output.Text(err), todo: "give --checkpoint-dir with a folder that can be written to", err: usageError{err}}
	}
	_, fallback, _ := checkpoint.MakeDefaultDir()
	switch kind := fskind.Network(dir); {
	case kind != "":
		return finding{grade: note, about: about, text: dir + " is on " + kind, todo: "locks may not hold between machines there: give --checkpoint-dir on a local disk"}
	case given == "" && fallback:
		return finding{grade: note, about: about, text: dir + " may be emptied when the machine starts", todo: "give --checkpoint-dir, or make the user's cache folder writable"}
	}
	return finding{grade: good, about: about, text: dir}
}

// limitOfRequest bounds a request of doctor.
const limitOfRequest = 10 * time.Second

// reach makes a request without credentials: name, connection, TLS and clock. It returns
// false if there is no answer.
func (d *diagnosis) reach(ctx context.Context) bool {
	u, err := addressOf(d.place, d.to.bucket)
	if err != nil {
		d.add(finding{grade: bad, about: "endpoint", text: output.Text(err), err: usageError{err}})
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, limitOfRequest)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		d.add(finding{grade: bad, about: "endpoint", text: output.Text(err), err: usageError{err}})
		return false
	}
	proxy, _ := http.ProxyFromEnvironment(req)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	began := time.Now()
	resp, err := client.Do(req)
	took := time.Since(began)
	if err != nil {
		d.add(unreachable(u.Hostname(), proxy, err))
		return false
	}
	_ = resp.Body.Close()
	text := fmt.Sprintf("%s answers within %v", u.Host, took.Round(time.Millisecond))
	if proxy != nil {
		text += ", through the proxy " + proxy.Host
	}
	d.add(finding{grade: good, about: "network", text: text})
	d.add(tlsFinding(u, resp.TLS, d.app.now()))
	d.add(clockFinding(resp.Header.Get("Date"), d.app.now()))
	return true
}

// addressOf returns where requests for a bucket go.
func addressOf(place config.Place, bucket string) (*url.URL, error) {
	text := place.Endpoint
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return nil, fmt.Errorf("endpoint %q: wanted a host like oss-cn-hangzhou.aliyuncs.com", place.Endpoint)
	}
	u.Path = "/"
	if bucket != "" && len(place.CustomDomains) == 0 && net.ParseIP(u.Hostname()) == nil {
		u.Host = bucket + "." + u.Host
	}
	return u, nil
}

// unreachable says why there is no answer.
func unreachable(host string, proxy *url.URL, err error) finding {
	f := finding{grade: bad, about: "network", text: withoutURL(err).Error(), err: temporaryError{err}}
	var lookup *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case proxy != nil:
		f.todo = "check the proxy " + proxy.Host + " that the environment names"
	case errors.As(err, &lookup) && lookup.IsNotFound:
		f.about, f.text, f.todo = "name", "there is no "+host, "check the endpoint, and the bucket's name before it"
	case errors.As(err, &lookup):
		f.about, f.todo = "name", "check the name servers of this machine"
	case errors.As(err, &certificate):
		f.about, f.todo = "TLS", "check the endpoint and this machine's clock; the authority of a proxy of your own has to be in the system's store"
	case errors.Is(err, context.DeadlineExceeded):
		f.text, f.todo = fmt.Sprintf("no answer from %s within %v", host, limitOfRequest), "check firewalls and the endpoint"
	default:
		f.todo = "check the endpoint, firewalls and whether a proxy is needed (HTTPS_PROXY)"
	}
	return f
}

// soonExpired is how long before its end a certificate is worth a note.
const soonExpired = 14 * 24 * time.Hour

func tlsFinding(u *url.URL, state *tls.ConnectionState, now time.Time) finding {
	const about = "TLS"
	if state == nil {
		return finding{grade: note, about: about, text: "requests are not encrypted", todo: "leave out http:// in the endpoint, unless it is on this machine or in a network of your own"}
	}
	f := finding{grade: good, about: about, text: tls.VersionName(state.Version)}
	if len(state.PeerCertificates) == 0 {
		return f
	}
	if left := state.PeerCertificates[0].NotAfter.Sub(now); left < soonExpired {
		f.grade, f.text, f.todo = note, f.text+", and the certificate of "+u.Hostname()+" ends in "+output.Duration(left), "have it renewed"
	}
	return f
}

// The differences of clocks that matter: OSS refuses requests that are more than 15
// minutes off (OSS documentation, RequestTimeTooSkewed).
const (
	clockNote = time.Minute
	clockBad  = 15 * time.Minute
)

func clockFinding(date string, now time.Time) finding {
	const about = "clock"
	there, err := http.ParseTime(date)
	if err != nil {
		return finding{grade: note, about: about, text: "the server does not say what time it is"}
	}
	off := now.Sub(there)
	way := "ahead of"
	if off < 0 {
		off, way = -off, "behind"
	}
	f := finding{grade: good, about: about, text: fmt.Sprintf("%s %s the server's", output.Duration(off), way)}
	switch {
	case off <= time.Second: // what the server says is rounded down
		f.text = "within a second of the server's"
	case off > clockBad:
		f.grade, f.todo = bad, "set the clock of this machine"
	case off > clockNote:
		f.grade, f.todo = note, "set the clock of this machine: OSS refuses requests that are more than 15 minutes off"
	}
	return f
}

// region compares the bucket's region with the endpoint's.
func (p *bucketProbe) region(ctx context.Context, place config.Place, bucket string) finding {
	got, err := p.client.GetBucketInfo(bucket, oss.WithContext(ctx))
	if err != nil {
		f := rightLocation.finding(err)
		f.about = "region"
		return f
	}
	return regionFinding(strings.TrimPrefix(got.BucketInfo.Location, "oss-"), place)
}

func regionFinding(location string, place config.Place) finding {
	const about = "region"
	endpoint := regionOf(place.Endpoint)
	switch {
	case location == "":
		return finding{grade: note, about: about, text: "the bucket does not say where it is"}
	case endpoint != "" && endpoint != location:
		return finding{
			grade: bad, about: about, text: fmt.Sprintf("the bucket is in %s, the endpoint in %s", location, endpoint),
			todo: "use the endpoint oss-" + location + ".aliyuncs.com", err: usageError{errors.New("region")},
		}
	case place.Region != "" && place.Region != location:
		return finding{
			grade: bad, about: about, text: fmt.Sprintf("the bucket is in %s, and requests are signed for %s", location, place.Region),
			todo: "give --region " + location, err: usageError{errors.New("region")},
		}
	}
	return finding{grade: good, about: about, text: location}
}
