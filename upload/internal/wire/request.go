package wire

import (
	"fmt"
	"time"

	"github.com/vodupload/vodupload/upload/internal/target"
)

// A request is one call to OSS, before it is signed.
type request struct {
	op       string
	method   string
	params   map[string]any        // of the query; nil values have no "="
	opts     *target.ObjectOptions // may be nil
	body     *Body                 // nil: none
	uploadID string
	part     int
}

// validate returns an error if r must not be sent.
func (r *request) validate() error {
	switch r.op {
	case opPut, opInitiate:
		if err := r.opts.Validate(); err != nil {
			return err
		}
	case opUploadPart, opComplete, opAbort, opListParts:
		// Without the ID, these would be the calls that write, delete or get the object.
		if err := target.CheckUploadID(r.uploadID); err != nil {
			return err
		}
	}
	if r.op == opUploadPart && (r.part < 1 || r.part > maxPartNumber) {
		return fmt.Errorf("part number %d: want 1 to %d", r.part, maxPartNumber)
	}
	if r.body != nil && r.body.Size < 0 {
		return fmt.Errorf("body of %d bytes", r.body.Size)
	}
	return nil
}

// A reply is an answer of success, with what is known of the body that it answers.
type reply struct {
	answer
	crc    uint64        // of what was read of the request's body
	read   int64         // how much that was
	source time.Duration // how long reading it from its source took
}

// verify compares the CRC64 of the request's body with the one in the answer.
// It is false if the answer has none.
func (r *reply) verify() (bool, error) {
	crc, ok := r.crc64()
	if ok && crc != r.crc {
		return false, fmt.Errorf("CRC64 of the bytes as sent is %d, and as the server got them %d", r.crc, crc)
	}
	return ok, nil
}
