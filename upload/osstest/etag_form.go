package osstest

import "strings"

// An ETagForm is how a server writes ETags, except in lists of objects.
type ETagForm int

const (
	// ETagsUpper are quoted and in upper case, as OSS writes them. Clients may send
	// them in either case, with quotation marks or without.
	ETagsUpper ETagForm = iota

	// ETagsLower are in lower case. CompleteMultipartUpload wants them so, as
	// servers do that only store the text.
	ETagsLower

	// ETagsWeak begin with W/, as some gateways make them.
	ETagsWeak

	// ETagsOfPartsEmpty are empty for parts, in UploadPart and ListParts, and
	// CompleteMultipartUpload takes any. Objects have those of OSS.
	ETagsOfPartsEmpty
)

// etag returns an ETag as the server writes it.
func (f ETagForm) etag(etag string) string {
	switch f {
	case ETagsLower:
		return quoted(strings.ToLower(etag))
	case ETagsWeak:
		return "W/" + quoted(etag)
	}
	return quoted(etag)
}

// part is like etag, for an ETag of a part.
func (f ETagForm) part(etag string) string {
	if f == ETagsOfPartsEmpty {
		return quoted("")
	}
	return f.etag(etag)
}

// samePart reports whether CompleteMultipartUpload takes a text for the ETag of a
// part.
func (f ETagForm) samePart(text, etag string) bool {
	switch f {
	case ETagsOfPartsEmpty:
		return true
	case ETagsLower:
		return bare(text) == strings.ToLower(etag)
	}
	return unquoted(text) == etag
}
