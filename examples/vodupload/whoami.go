package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vodupload/vodupload/examples/vodupload/internal/config"
	"github.com/vodupload/vodupload/examples/vodupload/internal/output"
	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/openapi"
)

const whoamiHelp = `Says which credentials are used, where they come from and until when they are valid, whose they
are (by GetCallerIdentity of STS, which needs no right), and with a bucket what they may do
there. No secret is shown. To find out about the bucket, an upload of ` + probeName + ` is begun
and aborted at once; no object is made.

STS is asked at VODUPLOAD_STS_ENDPOINT or ALIBABA_CLOUD_STS_ENDPOINT, or else at sts.aliyuncs.com.
What it does not answer is said, and is no failure; without a bucket, that it does not know the
key is one.`

func newWhoami(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "whoami [oss://BUCKET/PREFIX/]",
		Short: "Says which credentials are used, and what they may do",
		Long:  whoamiHelp,
		Args:  atMostOne("whoami: wanted no more than one bucket, like oss://BUCKET/PREFIX/"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.whoami(cmd.Context(), nil)
			}
			d, err := parseDestination(args[0])
			if err != nil {
				return err
			}
			return a.whoami(cmd.Context(), &d)
		},
	}
}

// whoami shows the credentials, and their rights below d if that is given.
func (a *app) whoami(ctx context.Context, d *destination) error {
	c, err := a.configuration()
	if err != nil {
		return err
	}
	var place config.Place
	if d != nil {
		if place, err = c.Place(d.bucket); err != nil {
			return err
		}
	}
	all := a.findings(ctx)
	creds, ok := all.credentials(ctx, a, c)
	if ok {
		all.identity(ctx, c.STSEndpoint, creds, d == nil)
	}
	if ok && d != nil {
		(&diagnosis{findings: all, to: *d, config: c, place: place, creds: creds}).rights(ctx)
	}
	return all.end(ctx)
}

// soon is how long before their end credentials are worth a note.
const soon = 10 * time.Minute

// credentials shows which there are. ok is false if there are none.
func (all *findings) credentials(ctx context.Context, a *app, c *config.Config) (creds sts.Credentials, ok bool) {
	creds, err := c.Credentials.Credentials(ctx)
	if err != nil {
		f := finding{grade: bad, about: "credentials", text: output.Text(err), err: temporaryError{err}}
		switch {
		case errors.Is(err, sts.ErrNotConfigured):
			f.todo = "set OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET, or run aliyun configure"
			f.err = deniedError{err}
		case hopeless(err):
			f.err = deniedError{err}
		}
		all.add(f)
		return creds, false
	}
	origin := c.Source.Origin
	if from, ok := c.Credentials.(interface{ Source() string }); ok && from.Source() != "" {
		origin = from.Source()
	}
	all.add(finding{grade: good, about: "credentials", text: config.Shorten(creds.AccessKeyID) + ", " + c.Source.Value + ", from " + origin})
	all.add(validity(creds, a.now()))
	return creds, creds.Expiration.IsZero() || creds.Deadline().After(a.now())
}

// identity says whose credentials they are. That STS does not know them is a failure where
// nothing else is asked: a bucket may be on a server that has keys of its own.
func (all *findings) identity(ctx context.Context, endpoint string, creds sts.Credentials, alone bool) {
	who, err := sts.GetCallerIdentity(ctx, sts.Static(creds), &sts.IdentityOptions{Endpoint: endpoint, Timeout: limitOfRequest})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		f := unidentified(err)
		if f.grade == bad && !alone {
			f.grade, f.err = note, nil
		}
		all.add(f)
		return
	}
	all.addWith(finding{grade: good, about: "identity", text: identityText(who)}, &output.Identity{
		Type: who.Type, AccountID: who.AccountID, UserID: who.UserID, RoleID: who.RoleID, ARN: who.ARN, PrincipalID: who.PrincipalID, RequestID: who.RequestID,
	})
}

// identityText names whoever has the credentials.
func identityText(who sts.Identity) string {
	switch who.Type {
	case "Account":
		return who.ARN + ", account " + who.AccountID + " itself: its key may do everything, one of a RAM user is safer"
	case "AssumedRoleUser":
		return fmt.Sprintf("%s, role %s of account %s", who.ARN, who.RoleID, who.AccountID)
	}
	return fmt.Sprintf("%s, user %s of account %s", who.ARN, who.UserID, who.AccountID)
}

// codesOfKeys begin the codes of STS for a key or token that no service will take.
var codesOfKeys = []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSecurityToken"}

// unidentified says why it is not known whose credentials they are.
func unidentified(err error) finding {
	f := finding{grade: note, about: "identity", text: "not known: " + output.Text(err)}
	var refused *openapi.Error
	if !errors.As(err, &refused) {
		f.todo = "STS is asked at VODUPLOAD_STS_ENDPOINT, if that is set"
		return f
	}
	if slices.ContainsFunc(codesOfKeys, func(code string) bool { return strings.HasPrefix(refused.Code, code) }) || refused.ClockOff() {
		f.grade, f.err = bad, deniedError{err}
	}
	return f
}

// validity says until when credentials are valid.
func validity(c sts.Credentials, now time.Time) finding {
	f := finding{grade: good, about: "valid"}
	switch left := c.Deadline().Sub(now); {
	case !c.Temporary():
		f.text = "until somebody disables it: it is a key, and no token"
	case c.Expiration.IsZero():
		f.text = "it is a token that does not say when it ends"
	case left <= 0:
		f.grade, f.text = bad, "the token expired "+ago(now, c.Deadline())
		f.todo = "get a new one where it comes from"
		f.err = deniedError{sts.ErrExpired}
	case left < soon:
		f.grade, f.text = note, "for "+output.Duration(left)+" only"
	default:
		f.text = "for " + output.Duration(left) + ", until " + c.Expiration.Local().Format("15:04:05 on 2 January")
	}
	return f
}
