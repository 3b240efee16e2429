// Package source has sources of files that are not on this machine. [NewHTTP] returns one
// that is read from a web server or another object store, by ranges:
//
//	src, err := source.NewHTTP(ctx, "https://origin.example.com/talk.mp4", nil)
//	...
//	_, err = client.Upload(ctx, upload.File{
//		Path: src.Name(), Source: src,
//		Endpoint: "oss-cn-hangzhou.aliyuncs.com", Bucket: "media", Object: "in/talk.mp4",
//	})
//
// Each attempt to send a part is one GET, whose bytes go to OSS as they come; nothing is
// stored on this machine. An upload that was interrupted is resumed by any machine that
// has its checkpoint, and no part that OSS has is read again if the server has given a
// strong ETag; after a Last-Modified, one of them is.
//
// # Identity
//
// What a server has under a URL may change between two parts. The source has the version
// that [NewHTTP] found, and refuses all others: each request names its ETag, or the time
// of its last modification where there is no ETag, and each answer is compared with them,
// with the size, and with the range that was asked for, for there are servers that ignore
// conditions and ranges. Another version is [upload.ErrFileChanged].
//
// That proves that all parts are of one version, and the CRC64 that OSS reports proves that
// it has what was read. Nothing proves that the origin sent what it has stored.
//
// # Addresses
//
// A redirect is followed, and later requests go to where it led. What
// [HTTPOptions].Authorize adds and the user and password of the URL are sent to the URL's own
// scheme, host and port only. A redirect from https to http is refused. Redirects may lead
// to any host that this machine can reach: where URLs come from strangers, give a
// Transport that refuses what must not be reached.
//
// Signed URLs expire. After 401 or 403, HTTPOptions.Renew is asked for a new one, once for
// all parts in flight. A checkpoint has neither the query of a URL, nor its user and
// password: no signature is stored, and a new one does not begin the upload again. No
// error has them in its text either.
package source
