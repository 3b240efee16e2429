package transfer

import "github.com/vodupload/vodupload/upload/internal/wire"

// Throttled reports whether err is the server's answer that too much is asked of it.
func Throttled(err error) bool {
	we, ok := answer(err)
	return ok && we.Class == wire.Throttle
}
