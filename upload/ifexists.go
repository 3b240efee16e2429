package upload

// An IfExists says what to do with a file whose object exists already.
type IfExists uint8

// The values of File.IfExists.
const (
	// Overwrite replaces the object. In a bucket with versions that adds one.
	Overwrite IfExists = iota

	// Fail fails the file with [ErrObjectExists], and leaves the object as it is. OSS
	// decides that when the object would be made, and for a file in parts before the
	// first part as well. It does not in a bucket whose versioning is enabled or
	// suspended: there the object gets another version (OSS documentation,
	// PutObject, x-oss-forbid-overwrite).
	Fail

	// Skip succeeds without sending anything, whatever the object consists of: see
	// Result.Skipped. The source is not opened. An object that somebody else makes while
	// this file is being uploaded is not overwritten either, within the limits of Fail: the file is
	// skipped then.
	Skip

	// SkipSame skips the file if the object has its bytes, as Result.Verified confirms,
	// and overwrites the object if not. An object of another size costs one small
	// request. For one of the same size the file is read, at the speed of the disk, and its CRC64
	// compared with that of the object. A server that gives no CRC64 gets the file again.
	// A [File].Reader, which can be read only once, is refused.
	SkipSame

	// SkipSize skips the file if the object has its size, whatever its bytes, and
	// overwrites the object if not. It misses what was changed without changing the size. A
	// [File].Reader is refused.
	SkipSize

	// SkipNewer skips the file if the object has its size and was made, by the server's
	// clock, when the file had its modification time already or later; it overwrites the
	// object if not. An object that was made in the same second as the file may be
	// overwritten. It misses a file whose modification time was kept, by a copy for
	// example. A Source has no modification time and is sent; a [File].Reader is refused.
	SkipNewer
)

var ifExistsNames = [...]string{"overwrite", "fail", "skip", "skip-same", "skip-size", "skip-newer"}

// String returns "overwrite", "fail", "skip", "skip-same", "skip-size" or "skip-newer".
func (i IfExists) String() string { return name(ifExistsNames[:], int(i), "IfExists") }

// MarshalText returns what String does, or [ErrInvalidArgument] for another number.
func (i IfExists) MarshalText() ([]byte, error) {
	return marshalName(ifExistsNames[:], int(i), "IfExists")
}

// UnmarshalText reads what MarshalText writes. The error is [ErrInvalidArgument].
func (i *IfExists) UnmarshalText(text []byte) error {
	return unmarshalName(i, ifExistsNames[:], text, "IfExists")
}
