// Package sts gets, keeps and renews the temporary credentials that uploads are
// signed with.
//
// Three parties share the work. The Security Token Service (STS) issues tokens:
// [AssumeRole] asks it, with the key of a RAM user that must never leave the
// server. An app server hands the tokens to its users: package appserver is one,
// and [HTTPProvider] reads the answers of any other, as [ParseCredentials] does for
// answers that arrived another way. A client uses the token and renews it in time:
// [Cache] does that for every kind of [Provider].
//
//	provider, err := sts.NewHTTP("https://app.example.com/sts", nil)
//	...
//	cache, err := sts.NewCache(provider, nil)
//	...
//	credentials, err := cache.Credentials(ctx)
//
// # Where credentials come from
//
// [Default] takes the first of these that is configured, and is what most programs want:
//
//	source             configured by                               needs a Cache
//	Env                ALIBABA_CLOUD_ACCESS_KEY_ID, _SECRET        with a role
//	NewOIDC            ALIBABA_CLOUD_OIDC_PROVIDER_ARN and so on,  yes
//	                   in ACK by RRSA
//	NewProfile         ~/.aliyun/config.json                       in most modes
//	NewURI             ALIBABA_CLOUD_CREDENTIALS_URI               yes
//	NewECSRole         the role that is attached to the instance   yes
//
// Beside them, [NewProcess] runs a program, [NewAssumeRole] assumes a role with the
// credentials of any other provider, also of another AssumeRole, [NewHTTP] asks an app
// server, and [Static] gives a key. [GetCallerIdentity] asks STS whose credentials they are.
// The variables are those of Alibaba Cloud's SDKs and
// command line; the comment of each source says what it reads and where the format is
// documented.
//
//	credentials := sts.Default(nil)
//	if _, err := credentials.Credentials(ctx); err != nil {
//		return err // within two seconds, with all that was looked for
//	}
//	log.Print("credentials from ", credentials.Source())
//	client, err := upload.New(&upload.Options{Credentials: credentials})
//
// No source writes a file or keeps running in the background. Files, answers and the output of
// programs are read up to a limit. [NewURI] and [NewOIDC] refuse plain HTTP beyond
// this machine and its link, unless an option allows it; the URL of an app server and
// [AssumeRoleOptions].Endpoint are used as they are.
//
// # Other providers
//
// A provider of another library becomes one of this package by a function. That of
// Alibaba Cloud's credentials-go does not say when a token expires:
//
//	func FromCredentialsGo(from credentials.Credential) sts.Provider {
//		return sts.ProviderFunc(func(context.Context) (sts.Credentials, error) {
//			c, err := from.GetCredential()
//			if err != nil {
//				return sts.Credentials{}, err
//			}
//			text := func(p *string) string {
//				if p == nil {
//					return ""
//				}
//				return *p
//			}
//			return sts.Credentials{AccessKeyID: text(c.AccessKeyId), AccessKeySecret: text(c.AccessKeySecret), SecurityToken: text(c.SecurityToken)}, nil
//		})
//	}
//
// And one of the OSS Go SDK v2:
//
//	func FromOSS(from osscredentials.CredentialsProvider) sts.Provider {
//		return sts.ProviderFunc(func(ctx context.Context) (sts.Credentials, error) {
//			c, err := from.GetCredentials(ctx)
//			if err != nil {
//				return sts.Credentials{}, err
//			}
//			creds := sts.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
//			if c.Expires != nil {
//				creds.Expiration = *c.Expires
//			}
//			return creds, nil
//		})
//	}
//
// Both, and the way back, are compiled in examples/adapters.
//
// # Renewing
//
// A [Cache] renews a token before it expires, one renewal at a time however many
// goroutines ask, and hands out the old token meanwhile. It never hands out an
// expired one. A token that a server refused before its time is taken out of the
// cache with [Cache.Invalidate]. An app server should do the same on its side:
// STS limits the rate of AssumeRole, and its documentation asks to reuse a token
// until it is about to expire.
//
// # Secrets
//
// [Credentials] hide their secrets from package fmt, slog and encoding/json, and
// no error of this package and those below it has a secret in its text. Two
// things are out of reach, because fmt calls no methods there: credentials in an
// unexported field, even by pointer, of a struct that is itself printed, which
// needs a Format method of its own, as [Cache] has; and the verbs %p and %w, a
// misuse that go vet finds.
//
// # Errors
//
// A refusal by STS is an [openapi.Error], one by an app server an
// [AppServerError]; both have the code and the request ID, and errors.As finds
// them below whatever wraps them. A [Cache] that has nothing good to hand out
// returns a [RenewError], which says when it will try again.
//
// # Clocks
//
// A machine whose clock is behind would use tokens that have expired, and one whose
// clock is ahead would not use tokens that are valid. So [AssumeRole] and [HTTPProvider]
// compare their own clock with the Date of the answer: [Credentials.Deadline] is the
// end of a token by this machine's clock, and what a [Cache] goes by. It warns of a
// clock that is more than a minute off. STS refuses a machine whose clock is more than
// 15 minutes off (code InvalidTimeStamp.Expired); the error says by how much.
//
// # Concurrency
//
// All types are safe for use by many goroutines. A [Cache] starts one for the time of a
// renewal, which [Cache.Close] ends and waits for. A provider has one for each request
// under way, which outlives the call only if the HTTP client ignores its context.
package sts
