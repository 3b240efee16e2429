package osstest

import (
	"io"
	"strconv"
	"time"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

const trafficLimitName = "x-oss-traffic-limit"

// checkTrafficLimit refuses a bandwidth limit that OSS would not take, in bits
// per second, from the header or the query.
func checkTrafficLimit(req *request) *osserr.Error {
	header, query := req.Header.Get(trafficLimitName), req.query.Get(trafficLimitName)
	value := header
	switch {
	case header == "" && query == "":
		return nil
	case header != "" && query != "":
		return osserr.InvalidArgument("", "x-oss-traffic-limit is in the header and in the query.", trafficLimitName, header)
	case header == "":
		value = query
	}
	if n, err := strconv.ParseInt(value, 10, 64); err != nil || n < minTrafficRate || n > maxTrafficRate {
		return osserr.TrafficLimit(value)
	}
	return nil
}

// limitTraffic returns r no faster than the bandwidth limit of a request that
// was checked.
func limitTraffic(req *request, r io.Reader) io.Reader {
	value := req.Header.Get(trafficLimitName) + req.query.Get(trafficLimitName)
	bits, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return r // no limit
	}
	return &limitedReader{r: r, req: req, rate: bits / 8, start: time.Now()}
}

type limitedReader struct {
	r     io.Reader
	req   *request
	rate  float64 // bytes per second
	start time.Time
	n     int64
}

func (r *limitedReader) Read(p []byte) (int, error) {
	// A tenth of a second's worth at a time keeps the flow even.
	p = p[:min(len(p), int(r.rate/10)+1)]
	n, err := r.r.Read(p)
	r.n += int64(n)
	wait := time.Until(r.start.Add(time.Duration(float64(r.n) / r.rate * float64(time.Second))))
	if wait <= 0 {
		return n, err
	}
	r.req.delayed += wait
	select {
	case <-time.After(wait):
		return n, err
	case <-r.req.Context().Done():
		return n, r.req.Context().Err()
	}
}
