// Package appserver is the app server of the upload SDKs: an HTTP service that
// hands out temporary credentials, so that no phone, browser or other client ever
// holds the key of the account.
//
// It takes the config.json of the documented demo servers and answers in a form
// that the Android, iOS and web clients of all generations read, as does
// sts.HTTPProvider. [Handler] is an [http.Handler] to be served by itself or mounted in
// a larger server; examples/tokenserver is a program around it.
//
//	config, err := appserver.LoadConfig("config.json")
//	...
//	handler, err := appserver.New(config, &appserver.Options{Authenticate: whoAsks})
//	...
//	defer handler.Close()
//	http.Handle("/sts", http.StripPrefix("/sts", handler))
//
// # Who gets a token
//
// [Options.Authenticate] maps a request to an [Identity], which can narrow the
// token to the objects below one prefix. Without it, a request is served only if it
// comes from this machine, names it by a loopback name, and has no header of a proxy. A
// proxy or a tunnel on this machine that uses the server's loopback address and adds no
// header cannot be distinguished from a client: everybody behind it gets tokens. Behind
// one, set Authenticate; without it, [New] logs a warning.
//
// [Bearer] and [LoadClients] are an Authenticate for a file of clients. Handlers beside
// this one authenticate with [Handler.Identify], or admit their requests by [Handler.Gate],
// which has all the rules of this page. All count against one limit, by
// identity for accepted requests and by address for refused ones, and log the refused
// ones; see [Options.Rate] and [Options.Proxies].
//
// Requests that a page of another site makes a browser send are refused: those whose
// Sec-Fetch-Site says so, unless [Options.Origins] has the page's origin, and those under
// a host name that is not known; see [Options.Hosts].
//
// # Policies
//
// The policy of a token has placeholders. $OBJECT_PREFIX has to begin an object's name in
// one bucket, as in acs:oss:*:*:$BUCKET_NAME/$OBJECT_PREFIX*. With a prefix, Allow
// statements keep only such resources. A policy in which another client's objects could
// match is refused at the start.
//
// # One token for many requests
//
// Tokens are kept: for one identity and policy there is one call of AssumeRole
// until shortly before the token expires, and one at a time, however many clients
// ask. The STS documentation demands it, since calls are limited. So all clients
// with the same identity and policy share a token; give each user an identity where
// that matters.
//
// # Answers
//
// A success is a JSON object with the fields of all generations:
//
//	StatusCode, status                          200, a number
//	AccessKeyId, AccessKeySecret, SecurityToken the credentials
//	Security                                    SecurityToken again
//	Expiration                                  UTC, as 2006-01-02T15:04:05Z
//	SecurityTokenInfo                           the four of them once more, nested
//
// A failure has StatusCode and status other than 200, ErrorCode, ErrorMessage and
// RequestId, and the fields of the credentials empty. Its HTTP status is 200 if it
// is about the token itself, as with the documented servers, because Android's
// HttpURLConnection does not show the body of an error; see
// [Options.HTTPStatus]. Code and request ID are those of STS. What STS says
// beyond, and what to do about it, is in the log only.
//
// # Secrets
//
// Neither the log nor an error nor a failure's answer has a secret in it.
package appserver
