package upload

import (
	"context"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// StatOptions say which object [Client.Stat] asks for.
type StatOptions struct {
	// Endpoint, Bucket and Object are as in [File]. They are required.
	Endpoint string
	Bucket   string
	Object   string

	// Credentials signs the request. The default is the client's.
	Credentials sts.Provider

	// RequestPayer makes the requester pay, as in [ObjectOptions].
	RequestPayer bool
}

// An ObjectInfo is what the server says of an object.
type ObjectInfo struct {
	Size         int64  // bytes
	ETag         string // without quotation marks
	CRC64        uint64 `json:",string"` // CRC-64/ECMA of its bytes; see [NewCRC64]
	HasCRC64     bool   // the server gave CRC64
	Type         string // Normal, Multipart or Appendable
	VersionID    string // of a bucket with versions
	LastModified time.Time
}

// Stat asks for an object without reading it (HeadObject), and retries as an upload does.
// It needs the right oss:GetObject. The error is an [*Error]; it is [ErrObjectNotExist] if
// the bucket has no such object, which OSS says only to those who have the right
// oss:ListObjects as well.
func (c *Client) Stat(ctx context.Context, o StatOptions) (ObjectInfo, error) {
	t, err := c.opts.locator().Target(o.Endpoint, o.Bucket, o.Object)
	if err != nil {
		return ObjectInfo{}, invalid("StatOptions", err)
	}
	t.RequestPayer = o.RequestPayer
	job, release := c.statJob(t, "stat", o.Credentials)
	defer release()
	info, err := whileOpen(ctx, c, func(ctx context.Context) (transfer.ObjectInfo, error) { return c.service.Stat(ctx, job) })
	if err != nil {
		f := FileInfo{Endpoint: o.Endpoint, Bucket: t.Bucket, Object: t.Object}
		return ObjectInfo{}, newError(&f, target.OneLine(err))
	}
	return ObjectInfo{
		Size: info.Size, ETag: info.ETag, CRC64: info.CRC64, HasCRC64: info.HasCRC64,
		Type: info.Type, VersionID: info.VersionID, LastModified: info.LastModified,
	}, nil
}

// statJob returns a job that asks the server about t. The caller must call release.
func (c *Client) statJob(t target.Target, name string, credentials sts.Provider) (job *transfer.StatJob, release func()) {
	c.warnWithoutRegion(t)
	gate, release := c.gateOfNone(credentials)
	job = &transfer.StatJob{Target: t, Gate: gate, Slots: &fileSlots{c: c}}
	job.Emit = func(e transfer.Event) {
		c.logCleanup(e, func() []any { return []any{name, t.Bucket, "object", t.Object} })
	}
	return job, release
}

// Format writes the fields without the credentials, whatever the verb.
func (o StatOptions) Format(s fmt.State, _ rune) {
	o.Credentials = nil
	type fields StatOptions
	fmt.Fprintf(s, "%+v", fields(o))
}
