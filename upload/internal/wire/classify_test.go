package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
)

func TestClassify(t *testing.T) {
	reset := &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
	for name, c := range map[string]struct {
		o    outcome
		want Class
	}{
		// Codes of OSS.
		"NoSuchUpload":                              {outcome{status: 404, code: "NoSuchUpload"}, Restart},
		"NoSuchBucket":                              {outcome{status: 404, code: "NoSuchBucket"}, Permanent},
		"NoSuchKey":                                 {outcome{status: 404, code: "NoSuchKey"}, Permanent},
		"AccessDenied":                              {outcome{status: 403, code: "AccessDenied"}, Permanent},
		"AccessDenied of a token":                   {outcome{status: 403, code: "AccessDenied", token: true}, Permanent},
		"SignatureDoesNotMatch":                     {outcome{status: 403, code: "SignatureDoesNotMatch", token: true}, Permanent},
		"SecurityTokenExpired":                      {outcome{status: 403, code: "SecurityTokenExpired", token: true}, Token},
		"InvalidSecurityToken":                      {outcome{status: 403, code: "InvalidSecurityToken", token: true}, Token},
		"InvalidAccessKeyId of a token":             {outcome{status: 403, code: "InvalidAccessKeyId", token: true}, Token},
		"InvalidAccessKeyId of a user":              {outcome{status: 403, code: "InvalidAccessKeyId"}, Permanent},
		"AccessKeyIdAndSecurityTokenNotMatch":       {outcome{status: 403, code: "AccessKeyIdAndSecurityTokenNotMatch", token: true}, Token},
		"RequestTimeTooSkewed, corrected":           {outcome{status: 403, code: "RequestTimeTooSkewed", corrected: true}, Skew},
		"RequestTimeTooSkewed, nothing to correct":  {outcome{status: 403, code: "RequestTimeTooSkewed"}, Permanent},
		"InvalidArgument, corrected":                {outcome{status: 400, code: "InvalidArgument", corrected: true}, Skew},
		"ServiceUnavailable":                        {outcome{status: 503, code: "ServiceUnavailable"}, Throttle},
		"UploadTrafficRateLimitExceeded":            {outcome{status: 503, code: "UploadTrafficRateLimitExceeded"}, Throttle},
		"TotalQpsLimitExceeded":                     {outcome{status: 503, code: "TotalQpsLimitExceeded"}, Throttle},
		"QpsLimitExceeded":                          {outcome{status: 503, code: "QpsLimitExceeded"}, Throttle},
		"MetaOperationQpsLimitExceeded":             {outcome{status: 503, code: "MetaOperationQpsLimitExceeded"}, Throttle},
		"ActiveRequestLimitExceeded":                {outcome{status: 503, code: "ActiveRequestLimitExceeded"}, Throttle},
		"InternalError":                             {outcome{status: 500, code: "InternalError"}, Retry},
		"RequestTimeout":                            {outcome{status: 400, code: "RequestTimeout"}, Retry},
		"IncompleteBody":                            {outcome{status: 400, code: "IncompleteBody"}, Retry},
		"BadRequest":                                {outcome{status: 400, code: "BadRequest"}, Retry},
		"InvalidArgument":                           {outcome{status: 400, code: "InvalidArgument"}, Permanent},
		"InvalidPart":                               {outcome{status: 400, code: "InvalidPart"}, Permanent},
		"EntityTooSmall":                            {outcome{status: 400, code: "EntityTooSmall"}, Permanent},
		"FileAlreadyExists":                         {outcome{status: 409, code: "FileAlreadyExists"}, Permanent},
		"MissingContentLength":                      {outcome{status: 411, code: "MissingContentLength"}, Permanent},
		"CallbackFailed":                            {outcome{status: 203, code: "CallbackFailed"}, Permanent},
		"203 that a gateway made":                   {outcome{status: 203}, Retry},
		"an answer wins over the end of the caller": {outcome{status: 404, code: "NoSuchUpload", ended: true}, Restart},
		"an answer wins over the source":            {outcome{status: 503, source: true}, Retry},

		// Statuses without a code.
		"200 that cannot be trusted": {outcome{status: 200}, Retry},
		"204 that cannot be trusted": {outcome{status: 204}, Retry},
		"301":                        {outcome{status: 301}, Permanent},
		"307":                        {outcome{status: 307}, Permanent},
		"400":                        {outcome{status: 400}, Permanent},
		"401":                        {outcome{status: 401}, Permanent},
		"403":                        {outcome{status: 403}, Permanent},
		"404":                        {outcome{status: 404}, Permanent},
		"407":                        {outcome{status: 407}, Permanent},
		"408":                        {outcome{status: 408}, Retry},
		"429":                        {outcome{status: 429}, Retry},
		"429 with a pause":           {outcome{status: 429, throttled: true}, Throttle},
		"500":                        {outcome{status: 500}, Retry},
		"501":                        {outcome{status: 501}, Permanent},
		"502":                        {outcome{status: 502}, Retry},
		"503":                        {outcome{status: 503}, Retry},
		"503 with a pause":           {outcome{status: 503, throttled: true}, Throttle},
		"504":                        {outcome{status: 504}, Retry},
		"505":                        {outcome{status: 505}, Permanent},
		"599":                        {outcome{status: 599}, Retry},

		// No answer.
		"context ended":                      {outcome{ended: true, err: context.Canceled}, Canceled},
		"context ended on a kept connection": {outcome{ended: true, reused: true, err: context.Canceled}, Canceled},
		"source failed":                      {outcome{source: true, err: io.ErrUnexpectedEOF}, Permanent},
		"request that cannot be made":        {outcome{refused: true, err: errors.New("x")}, Permanent},
		"no descriptor left":                 {outcome{err: &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EMFILE)}}, Starved},
		"connection refused":                 {outcome{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, Retry},
		"reset on a new connection":          {outcome{err: reset}, Retry},
		"reset on a kept connection":         {outcome{reused: true, err: reset}, Stale},
		"EOF on a new connection":            {outcome{err: io.EOF}, Retry},
		"EOF on a kept connection":           {outcome{reused: true, err: io.EOF}, Stale},
		"broken pipe on a kept connection":   {outcome{reused: true, err: syscall.EPIPE}, Stale},
		"reset after a part of the answer":   {outcome{reused: true, answered: true, err: reset}, Retry},
		"stall on a kept connection":         {outcome{reused: true, err: &stallError{}}, Retry},
		"stream that was reset":              {outcome{reused: true, err: errors.New("stream error: stream ID 5; ENHANCE_YOUR_CALM; received from peer")}, Retry},
		"dial timeout":                       {outcome{err: &net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}}, Retry},
		"no such host":                       {outcome{err: &net.DNSError{IsNotFound: true}}, Retry},
		"unknown authority":                  {outcome{err: x509.UnknownAuthorityError{}}, Permanent},
		"certificate of another host":        {outcome{err: x509.HostnameError{Certificate: &x509.Certificate{}}}, Permanent},
		"certificate that has expired":       {outcome{err: x509.CertificateInvalidError{Reason: x509.Expired}}, Permanent},
		"certificate, wrapped by tls":        {outcome{err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}, Permanent},
		"http behind https":                  {outcome{err: http.ErrSchemeMismatch}, Permanent},
		"no TLS behind https":                {outcome{err: tls.RecordHeaderError{}}, Permanent},
		"proxy wants a login":                {outcome{err: &proxyError{status: 407}}, Permanent},
		"proxy is down":                      {outcome{err: &proxyError{status: 502}}, Retry},
		"anything else":                      {outcome{err: errors.New("malformed HTTP response")}, Retry},
	} {
		t.Run(name, func(t *testing.T) {
			if got := classify(c.o); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestClassText(t *testing.T) {
	for c, want := range map[Class]string{Permanent: "Permanent", Throttle: "Throttle", Canceled: "Canceled", Starved: "Starved", 9: "Class(9)", -1: "Class(-1)"} {
		if c.String() != want {
			t.Errorf("got %s, want %s", c, want)
		}
	}
}
