package upload

import (
	"context"
	"errors"
	"fmt"

	"github.com/vodupload/vodupload/sts"
)

// hidden is printed in place of a value that may hold a secret.
type hidden string

// hide returns the name of v's type; nil for nil.
func hide(v any) any {
	if v == nil {
		return nil
	}
	return hidden(fmt.Sprintf("%T", v))
}

// Credentials makes hidden an [sts.Provider], so that it can be printed in its place.
func (hidden) Credentials(context.Context) (sts.Credentials, error) {
	return sts.Credentials{}, errors.ErrUnsupported
}
