// Package osstest is an OSS server in this process, for tests: what
// [net/http/httptest] is to HTTP, it is to Alibaba Cloud OSS. It speaks the real
// protocol, over a real connection, to any client: the SDKs, a browser, a
// backend of one's own. It is as strict as the service is by its documentation and
// recorded answers, so that what passes here has a chance there; and it can be
// made to fail in all the ways that networks, tokens and servers do.
//
// # Starting
//
// [NewServer] listens on a port of the loopback interface, and [New] makes an
// [http.Handler] to be mounted elsewhere:
//
//	s := osstest.NewServer(&osstest.Options{Buckets: []string{"media"}})
//	defer s.Close()
//	client, err := oss.New(s.URL, osstest.DefaultKey.AccessKeyID, osstest.DefaultKey.AccessKeySecret)
//
// Under an IP address a bucket is addressed in path style, as the SDKs do by
// themselves. Under the names of OSS's own endpoints, under localhost and under
// Options.Hosts it is part of the host name; where OSS's endpoints refuse path
// style, so does the server.
//
// Package uploadtest has the options of a client of package upload for such a server.
//
// What is stored can be looked at without HTTP: [Server.Object],
// [Server.Objects], [Server.Uploads]. It is kept in memory, or in Options.Dir,
// where the next server finds it again: objects, versions, and unfinished
// uploads with their parts. That also holds after the process was killed.
//
// # Credentials
//
// Each request must be signed with one of Options.Keys, in the header or in the
// URL, by version 1 or 4 of OSS's signatures; with Options.RefuseV1, as new accounts
// have it, by version 4 only. Without keys, [DefaultKey] is accepted. A [Key] may
// have a security token, a time at which it expires, and a RAM policy;
// [Server.AddKey], [Server.ExpireKey] and [Server.RevokeKey] change them while the
// server runs, and Options.LookupKey connects a server of STS. Objects that are
// public-read can be read by everybody.
//
// # Faults
//
// [Server.Inject] makes chosen calls go wrong: an error, a connection that
// breaks before, within or after the body, an answer that is lost although the
// work was done, a call that hangs until it is released, a wrong ETag, a clock
// that is off. See [Fault]. [Server.AssertFired] fails a test with a fault that never
// hit a call.
//
// # Requests
//
// [Server.Requests] and [Server.Count] return what was called, with which
// answers; [Server.WaitRequests] waits for it. No secrets are kept,
// and no more than Options.KeepRequests calls and about 256 MiB.
//
// # What it checks
//
// The answers' XML, headers, error codes and EC numbers are those of OSS.
//   - Signatures, the clock's skew, expiry, and policies.
//   - Names of buckets and objects, part numbers, parts of 100 KB to 5 GB, at
//     most 10,000 of them, their order and their ETags at Complete; metadata,
//     tags, storage classes, ACLs, encryption, traffic limits.
//   - Content-MD5, and bodies that end too soon: nothing is left of them.
//   - x-oss-forbid-overwrite, conditions, and ranges, also in OSS's own way of
//     answering a bad range with the whole object.
//
// ETags and CRC-64s of parts and objects are computed as OSS does. A bandwidth
// limit slows a body down. A callback is a real POST, and its answer becomes
// the answer of the call; one that fails is 203 CallbackFailed, with the object
// stored. Callbacks are signed as OSS does, with a key of 512 bits; where a server that
// verifies them looks for it, [Server.CallbackKeys] has it. x-oss-notification is kept in [Object].Header.
//
// # Limits
//
// The server knows the operations that are constants of type [Op], and answers
// 501 NotImplemented to others: there is no append, no copy of whole objects, no
// lifecycle, no image processing, no form upload. All buckets have one owner.
// Archived objects need no restoring. What is stored
// is not encrypted, and not synced to disk.
package osstest
