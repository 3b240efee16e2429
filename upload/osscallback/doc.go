// Package osscallback is the way back from OSS to a program's own server: it verifies
// that an upload callback was sent by OSS, and returns what OSS says about the object.
//
// A file asks for the callback when it is added:
//
//	Options: &upload.ObjectOptions{Callback: &upload.Callback{
//		URLs:   []string{"https://app.example.com/stored"},
//		VarsOf: osscallback.TokenVars(secret, 24*time.Hour),
//	}}
//
// and the server at that URL serves it:
//
//	verifier, err := osscallback.New(&osscallback.Options{Secrets: [][]byte{secret}})
//	...
//	http.Handle("/stored", verifier.Handler(func(ctx context.Context, e *osscallback.Event) (any, error) {
//		return map[string]string{"Status": "OK"}, store(ctx, e.Bucket, e.Object, e.ETag)
//	}))
//
// [Verifier.Handler] answers as OSS wants it: JSON with its length, within five seconds.
// [Verifier.Middleware] is for servers that answer by themselves, and [Verifier.Verify]
// for those whose requests come by another way than package net/http.
//
// # What a signature proves
//
// OSS signs path, query and body of each callback with a key of its own (OSS
// documentation, Callback): RSA with MD5. Header fields and the host are not signed. So
// much is proved that OSS sent this body to this path, for some customer, at some time.
// That alone is not much:
//
//   - Every customer of OSS can have it send whatever body to whatever URL. A body that
//     names a bucket of yours need not be about it.
//   - There is no time in what is signed. Whoever has seen a callback can send it again.
//   - OSS's key (callback_pub_key_v1.pem) has 512 bits, and keys of that size have been
//     factored within hours on rented machines. For this reason package crypto/rsa refuses
//     it, and this package does not use that.
//
// A token closes these gaps: a signature of your own, over bucket, object and a time
// until which it counts, which only those who have the secret can make. [TokenVars] adds
// it to the callback of a file, and a verifier with [Options.Secrets] refuses callbacks
// without one, or with that of another object. A program that lets others upload (phones,
// browsers) makes the token itself, when it hands out the right to upload the object.
// What else the body says (size, ETag) is then the word of who uploaded: ask the bucket
// (HeadObject) where that is not enough.
//
// A token is no protection from the same callback coming twice, and neither is anything
// else: OSS itself sends one again to the next of several URLs if an answer got lost, and
// an upload that is repeated has a callback again. So let the handler do the same for the
// same object and ETag as often as it is called.
//
// # Keys
//
// The URL of the key is in a header. It has to be on the one host that the OSS
// documentation names, gosspublic.alicdn.com, exactly; it is fetched over https, whatever
// it says, and redirects are not followed. Keys are kept for [Options.KeyLife]. Requests
// that come while a key is being fetched share that fetch.
//
// # Tests
//
// Package osstest signs the callbacks that it sends; its Server.CallbackKeys is an
// http.RoundTripper that has the key, for [Options.HTTPClient]. What this package checks
// stays as it is.
package osscallback
