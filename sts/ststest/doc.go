// Package ststest is a Security Token Service (STS) in this process, for tests
// and for trying things out, in the manner of [net/http/httptest].
//
// It knows three actions, AssumeRole, AssumeRoleWithOIDC and GetCallerIdentity, and takes
// them seriously: either signature, HMAC-SHA1 among the parameters and ACS3-HMAC-SHA256 in a header, is
// checked over all that it covers, wherever a client puts its parameters;
// time stamp, nonce, duration, session name and policy obey the rules of the STS
// documentation, and are refused with its codes, statuses and messages. The keys
// that it issues can be used for a further AssumeRole, as on the real service.
//
//	server := ststest.NewServer(nil)
//	defer server.Close()
//	provider, err := sts.NewAssumeRole(sts.Static(server.DefaultUser()), ststest.DefaultRole,
//		&sts.AssumeRoleOptions{Endpoint: server.URL})
//
// # Tokens at an OSS server
//
// [Server.Lookup] returns what a token may do, so that an OSS server for tests can
// accept it. With package osstest:
//
//	LookupKey: func(id, token string) (osstest.Key, bool) {
//		c, ok := server.Lookup(id, token)
//		return osstest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
//			SecurityToken: c.SecurityToken, Expires: c.Expires, Policy: c.Policy}, ok
//	},
//
// # Other sources of credentials
//
// [NewMetadata] is the metadata service of an ECS instance, in normal mode, hardened, or
// an old one that knows no tokens; [NewCredentialsURI] is a credentials URI;
// [Server.OIDCToken] makes the tokens that a pod in ACK has, and [ProcessOutput] the
// output of a program that provides credentials. Their credentials are issued by a
// [Server], whose Lookup knows them.
//
// # Faults
//
// Metadata and CredentialsURI have SetFault, FailNext and SetDelay: see [Fault]. A clock
// that is off is [Options].Now.
//
// [Server.FailNext] scripts refusals, [Server.Hold] keeps calls waiting,
// [Server.ExpireAll] ends the life of all tokens. [Server.Stats] counts calls, and
// how many were in flight at once.
//
// What the documentation leaves open (the codes for a missing parameter, for
// one) follows the pattern of what it shows.
package ststest
