package wire

import "strconv"

// Class says what is to be done about an error.
//
// After Retry, Throttle, Stale and Canceled, OSS may have done all the same what it was
// asked for. Sending a part again does no harm; Complete may have succeeded.
type Class int

// The classes of errors.
const (
	Permanent Class = iota // will not go away by itself
	Retry                  // try again after a pause
	Throttle               // try again after the pause that the server asks for
	Stale                  // a kept-alive connection ended before any byte of an answer: try again at once
	Skew                   // the clock was off; it has been corrected: try again at once
	Token                  // the credentials are no longer accepted
	Restart                // the upload ID is gone
	Canceled               // the context ended
	Starved                // the process has no descriptor left for a connection: try again when others are closed
)

// String returns the name of the class.
func (c Class) String() string {
	names := [...]string{"Permanent", "Retry", "Throttle", "Stale", "Skew", "Token", "Restart", "Canceled", "Starved"}
	if c < 0 || int(c) >= len(names) {
		return "Class(" + strconv.Itoa(int(c)) + ")"
	}
	return names[c]
}
