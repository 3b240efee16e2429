package credentials

import (
	"errors"
	"fmt"
	"time"
)

// Errors of waiting for credentials. Package upload exports them.
var (
	ErrTokenExpired  = errors.New("upload: token expired")
	ErrNoCredentials = errors.New("upload: no credentials")

	// ErrNotRenewable is the answer of a provider that will never give others.
	ErrNotRenewable = errors.New("upload: the authorization cannot be renewed")
)

// errSameToken refuses credentials that the server has refused.
var errSameToken = errors.New("these are the credentials that the server refused")

// MaxRefusals is how many new tokens in a row may be refused before those who need one
// fail: the tokens are not merely old, they are wrong.
const MaxRefusals = 10

// TooManyRefusals returns the error of MaxRefusals.
func TooManyRefusals(n int, last error) error {
	return fmt.Errorf("%w: the server refused %d tokens in a row, the last with: %w", ErrTokenExpired, n, last)
}

// missingLocked returns what those who wait for credentials fail with.
func (g *Gate) missingLocked() error {
	if g.have {
		return ErrTokenExpired
	}
	return ErrNoCredentials
}

// An answered error is what those who wait fail with because of a provider's answer. That may
// be of a user's type, whose methods call the client: the text is not made under a lock.
type answered struct {
	format string
	errs   []error
}

func (a *answered) Error() string {
	errs := make([]any, len(a.errs))
	for i, err := range a.errs {
		errs[i] = err
	}
	return fmt.Sprintf(a.format, errs...)
}

func (a *answered) Unwrap() []error { return a.errs }

// neverLocked says that nothing will come, because of the provider's answer.
func (g *Gate) neverLocked(answer error) error {
	if g.refused && g.cause != nil {
		return &answered{"%v: %v; the old one: %v", []error{g.missingLocked(), answer, g.cause}}
	}
	return &answered{"%v: %v", []error{g.missingLocked(), answer}}
}

// noneWithinLocked says what did not come.
func (g *Gate) noneWithinLocked(d time.Duration) error {
	err := fmt.Errorf("%w were given within %v", g.missingLocked(), d)
	if g.have {
		err = fmt.Errorf("%w: no new token was given within %v; the old one: %w", ErrTokenExpired, d, g.cause)
	}
	switch {
	case g.answer != nil:
		return &answered{"%v; the provider's last answer: %v", []error{err, g.answer}}
	case g.Provided() && g.refusals > 1:
		return fmt.Errorf("%w; the server refused the last %d that the provider gave", err, g.refusals)
	case g.Provided():
		return fmt.Errorf("%w; the provider has not answered", err)
	case !g.have:
		return fmt.Errorf("%w: call Init, SetToken or ResumeWithToken, or set Options.Credentials", err)
	}
	return err
}
