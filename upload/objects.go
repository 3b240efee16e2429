package upload

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/upload/internal/target"
	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// ListOptions say which objects [Client.Objects] lists.
type ListOptions struct {
	// Endpoint and Bucket are as in [File]. They are required.
	Endpoint string
	Bucket   string

	// Prefix limits the list to objects whose names begin with it. The default is all.
	Prefix string

	// Credentials signs the requests. The default is the client's.
	Credentials sts.Provider

	// RequestPayer makes the requester pay, as in [ObjectOptions]. The default is false.
	RequestPayer bool
}

// A ListedObject is an object as the list of its bucket has it. [Client.Stat] gives its
// CRC64, too.
type ListedObject struct {
	Object       string
	Size         int64  // bytes
	ETag         string // without quotation marks
	Type         string // Normal, Multipart, Appendable or Symlink
	LastModified time.Time
}

// Objects lists the objects of a bucket in the order of their names' bytes, and retries as an
// upload does. There is one request for each 1,000 of them, made when the loop gets there;
// an object that is made or deleted meanwhile may be listed or not. It needs the right
// oss:ListObjects. An error is the last value, and an [*Error] where the server refused.
func (c *Client) Objects(ctx context.Context, o ListOptions) iter.Seq2[ListedObject, error] {
	return func(yield func(ListedObject, error) bool) {
		t, err := c.opts.locator().Prefix(o.Endpoint, o.Bucket, o.Prefix)
		if err != nil {
			yield(ListedObject{}, invalid("ListOptions", err))
			return
		}
		t.RequestPayer = o.RequestPayer
		job, release := c.statJob(t, "list", o.Credentials)
		defer release()
		page := transfer.ObjectsPage{More: true}
		for after := ""; page.More; {
			page, err = whileOpen(ctx, c, func(ctx context.Context) (transfer.ObjectsPage, error) { return c.service.Objects(ctx, job, after) })
			if err != nil {
				yield(ListedObject{}, newError(&FileInfo{Endpoint: o.Endpoint, Bucket: t.Bucket, Object: t.Object}, target.OneLine(err)))
				return
			}
			for _, l := range page.Objects {
				after = l.Object
				if !yield(ListedObject(l), nil) {
					return
				}
			}
		}
	}
}

// Format writes the fields without the credentials, whatever the verb.
func (o ListOptions) Format(s fmt.State, _ rune) {
	o.Credentials = nil
	type fields ListOptions
	fmt.Fprintf(s, "%+v", fields(o))
}
