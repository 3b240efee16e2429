// Package openapi makes calls of Alibaba Cloud's RPC style: the one that the
// Security Token Service (STS) and ApsaraVideo VOD speak.
//
// A call is a list of parameters. The caller adds the common ones (action,
// version, access key ID, time stamp, a number used once), signs the sorted list
// with HMAC-SHA1, and sends it in a query or a form. The service answers in JSON.
//
// # Calling
//
// A [Client] is bound to one endpoint and one version of one API. [Client.Do]
// makes one call, once: retrying is left to the caller, who knows what a second call
// would cost. It is safe for use by many goroutines.
//
// # Signing
//
// There are two signatures, and the services accept both. [StringToSign] and [Sign] are
// the signature version 1.0 of the VOD and STS documentation ("Request signatures"), for
// servers as much as for clients: a server takes the parameters from query and form
// together, leaves out Signature, and compares.
//
// [ACS3Request] is the newer one, ACS3-HMAC-SHA256, which the current SDKs use (SDK
// documentation, "Request syntax and signature method V3"): action, version, time stamp,
// nonce and security token are headers, and the signature covers them, the query and the
// body. A client signs that way with [Options.Signature]; a server reads a request with
// [ReadACS3].
//
// Calls that need no key, such as AssumeRoleWithOIDC, are made by a client with the
// KeyFunc [Unsigned].
//
// # Errors
//
// An answer that is not a success is an [*Error] with the service's code and
// request ID. A request that got no answer gives the transport's error, without
// the URL, which would hold the signature. No error has a secret in its text.
package openapi
