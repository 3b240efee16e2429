package upload

// An errorKind says how the error of a file is kept on the shelf.
type errorKind uint64

const (
	noError     errorKind = iota
	packedError           // packed as a whole
	fileError             // about the file as it is: packed but for its cause
	otherError            // as it is
)

// err writes the error of a file, and returns what of it has to be kept as it is.
func (p *packer) err(e *entry) (kept errorKind) {
	err := e.err
	switch {
	case err == nil:
		p.number(uint64(noError))
		return noError
	case err.FileID != e.id || err.Path != e.path || err.Bucket != e.bucket || err.Object != e.object || err.UploadID != e.uploadID:
		p.number(uint64(otherError))
		return otherError
	}
	cause := packer{texts: p.texts}
	kept = packedError
	if err.Err != nil && !mayBeCalled(err.Err) || !cause.cause(e, err, err.Err) {
		kept = fileError
	}
	p.number(uint64(kept))
	p.common(err.Op)
	p.common(err.Code)
	p.id(err.RequestID)
	p.ints(int64(err.Part), int64(err.Status))
	if kept == packedError {
		p.b = append(p.b, cause.b...)
	}
	return kept
}

// err returns the error of a file, without what had to be kept as it is.
func (p *unpacker) err(e *entry) *Error {
	kind := errorKind(p.number())
	if kind == noError || kind == otherError {
		return nil
	}
	err := &Error{FileID: e.id, Path: e.path, Bucket: e.bucket, Object: e.object, UploadID: e.uploadID}
	err.Op, err.Code, err.RequestID = p.common(), p.common(), p.id()
	err.Part, err.Status = int(p.int()), int(p.int())
	if kind == packedError {
		err.Err = p.cause(e, err)
	}
	return err
}
