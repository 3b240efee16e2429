package target

// A FieldError says which field of a destination or of an object's options is wrong.
// The field has the name that users know it by; whose field it is, the caller adds.
type FieldError struct {
	Field string // "Endpoint", "Metadata"
	Err   error  // what was got and what was wanted
}

// Error returns the field and what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap returns what is wrong with the field.
func (e *FieldError) Unwrap() error { return e.Err }

// firstOf returns the first of checks that found something.
func firstOf(checks ...FieldError) error {
	for _, c := range checks {
		if c.Err != nil {
			return &FieldError{c.Field, c.Err}
		}
	}
	return nil
}
