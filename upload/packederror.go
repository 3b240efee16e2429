package upload

import (
	"time"

	"github.com/vodupload/vodupload/upload/internal/transfer"
)

// An errorKind says how the error of a file is kept on the shelf.
type errorKind uint64

const (
	noError     errorKind = iota
	answerError           // an answer of the server: packed as a whole
	fileError             // about the file as it is: packed but for its cause
	otherError            // as it is
)

func kindOf(e *entry) errorKind {
	err := e.err
	if err == nil {
		return noError
	}
	if err.FileID != e.id || err.Path != e.path || err.Bucket != e.bucket || err.Object != e.object || err.UploadID != e.uploadID {
		return otherError
	}
	a, ok := err.Err.(*transfer.Error)
	if !ok || *a != *answerOf(err, a) {
		return fileError
	}
	return answerError
}

// answerOf returns the cause of err without what a packed one does not have. What is in
// err already, it has from there.
func answerOf(err *Error, a *transfer.Error) *transfer.Error {
	return &transfer.Error{
		Op: err.Op, Bucket: err.Bucket, Object: err.Object, UploadID: err.UploadID, Part: err.Part, Status: err.Status, RequestID: err.RequestID,
		Class: a.Class, Code: a.Code, Message: a.Message, EC: a.EC, Endpoint: a.Endpoint, Delay: a.Delay, Generation: a.Generation,
	}
}

func (p *packer) err(e *entry) {
	kind := kindOf(e)
	p.number(uint64(kind))
	if kind == noError || kind == otherError {
		return
	}
	err := e.err
	p.common(err.Op)
	p.common(err.Code)
	p.id(err.RequestID)
	p.ints(int64(err.Part), int64(err.Status))
	if a, ok := err.Err.(*transfer.Error); ok && kind == answerError {
		p.common(a.Code)
		p.common(a.Message)
		p.common(a.EC)
		p.common(a.Endpoint)
		p.ints(int64(a.Class), int64(a.Delay), int64(a.Generation))
	}
}

// err returns the error of a file, without what rareInfo has of it.
func (p *unpacker) err(e *entry) *Error {
	kind := errorKind(p.number())
	if kind == noError || kind == otherError {
		return nil
	}
	err := &Error{FileID: e.id, Path: e.path, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID}
	err.Op, err.Code, err.RequestID = p.common(), p.common(), p.id()
	err.Part, err.Status = int(p.int()), int(p.int())
	if kind == answerError {
		var a transfer.Error
		a.Code, a.Message, a.EC, a.Endpoint = p.common(), p.common(), p.common(), p.common()
		a.Class, a.Delay, a.Generation = transfer.Class(p.int()), time.Duration(p.int()), uint64(p.int())
		err.Err = answerOf(err, &a)
	}
	return err
}
