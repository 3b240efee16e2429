package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vodupload/vodupload/upload/osstest"
)

// defaultFailure is what a request gets that fails by -fail without a code.
const defaultFailure = "InternalError"

// failing is one -fail: a share of the requests, and what they get.
type failing struct {
	share float64 // of 1
	code  string
	op    osstest.Op // AnyOp: all
}

// operations are those that -fail can name: what an upload is made of.
var operations = []osstest.Op{
	osstest.OpPutObject, osstest.OpInitiateMultipartUpload, osstest.OpUploadPart, osstest.OpListParts,
	osstest.OpCompleteMultipartUpload, osstest.OpAbortMultipartUpload, osstest.OpListMultipartUploads,
	osstest.OpHeadObject, osstest.OpGetObject, osstest.OpDeleteObject, osstest.OpListObjects,
}

// parseFailing reads SHARE[,CODE[,OPERATION]], such as 5%,ServiceUnavailable,UploadPart.
func parseFailing(text string) (failing, error) {
	share, rest, _ := strings.Cut(text, ",")
	code, op, _ := strings.Cut(rest, ",")
	f := failing{code: code, op: osstest.Op(op)}
	if f.code == "" {
		f.code = defaultFailure
	}
	percent, err := strconv.ParseFloat(strings.TrimSuffix(share, "%"), 64)
	if err != nil || !strings.HasSuffix(share, "%") || !(percent > 0 && percent <= 100) {
		return failing{}, fmt.Errorf("got share %q, want one such as 5%%: above 0%%, at most 100%%", share)
	}
	f.share = percent / 100
	if f.op != osstest.AnyOp && !slices.Contains(operations, f.op) {
		return failing{}, fmt.Errorf("got operation %q, want one of %v", op, operations)
	}
	return f, nil
}

// faults are what -fail and -latency ask for.
func faults(fails []failing, latency time.Duration) []*osstest.Fault {
	var all []*osstest.Fault
	for _, f := range fails {
		all = append(all, osstest.Fail(f.op, 0, f.code).Probability(f.share))
	}
	if latency > 0 {
		all = append(all, osstest.Delay(osstest.AnyOp, latency).Always())
	}
	return all
}
