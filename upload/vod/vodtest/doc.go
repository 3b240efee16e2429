// Package vodtest is the OpenAPI of ApsaraVideo VOD in this process, for tests and
// for trying things out, in the manner of [net/http/httptest].
//
// It knows CreateUploadVideo, RefreshUploadVideo, CreateUploadImage and
// CreateUploadAttachedMedia. The signature is checked over query and form together;
// parameters obey the limits of the VOD documentation, and are refused with its codes.
// Like the real service it takes calls without a time stamp, which the clients for
// mobile make.
//
// # With an STS and an OSS server
//
// The server knows nothing of where keys come from and where bytes go: functions in
// its options do. With packages ststest and osstest the whole chain is in one process:
//
//	keys := ststest.NewServer(nil)
//	objects := osstest.NewServer(&osstest.Options{Region: "cn-shanghai"})
//	server := vodtest.NewServer(&vodtest.Options{
//		Endpoint:     objects.URL,
//		CreateBucket: objects.CreateBucket,
//		AddKey:       func(k vodtest.Key) { objects.AddKey(osstest.Key(k)) },
//		LookupKey: func(id, token string) (vodtest.Key, bool) {
//			c, ok := keys.Lookup(id, token)
//			return vodtest.Key{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret,
//				SecurityToken: c.SecurityToken, Expires: c.Expires}, ok
//		},
//	})
//
// Each UploadAuth is a key with a policy for exactly the object of its UploadAddress.
//
// # Notifications
//
// With Options.CallbackURL the server sends events as VOD does, signed with
// Options.AuthKey: what a test gives to [Server.Notify], and the end of each upload where
// OSS's server reports that to [Server.Stored].
//
// # Faults
//
// [Server.Inject] scripts refusals, lost answers, delays, and whatever a test wants to
// happen before or after a call is carried out. [Server.Media] returns what was made,
// [Server.Calls] how often it was asked, [Server.Delete] deletes a video.
//
// What the documentation leaves open (the policy of an UploadAuth, the names of
// objects) follows the pattern of what it shows.
package vodtest
