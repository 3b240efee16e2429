package sts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/vodupload/vodupload/sts/openapi"
)

// A roleCall is a call of STS that issues a token of a role.
type roleCall struct {
	client   *openapi.Client
	action   string
	duration time.Duration // that was asked for
}

// issue makes the call. An error says what to do about it where the cause is known.
func (c roleCall) issue(ctx context.Context, params map[string]string) (Credentials, error) {
	var out struct {
		RequestID   string `json:"RequestId"`
		Credentials json.RawMessage
	}
	begin := now()
	date, err := c.client.DoDated(ctx, c.action, params, &out)
	if err != nil {
		return Credentials{}, fmt.Errorf("%w%s", err, hint(err))
	}
	creds, err := credentialsIn(out.Credentials, begin)
	if err == nil && creds.Expiration.IsZero() {
		err = errors.New("the Expiration is missing")
	}
	if err != nil {
		return Credentials{}, fmt.Errorf("%w: %w (request ID %s)", ErrAnswer, err, scrub(out.RequestID))
	}
	// The token was made after the call began, and lives for no longer than was asked
	// for: whatever the clocks say, it has expired by then.
	ahead := clockAhead(date, begin, now())
	return creds.endingAt(earlier(creds.Expiration.Add(-ahead), begin.Add(c.duration))), nil
}
