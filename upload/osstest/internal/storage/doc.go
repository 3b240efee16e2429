// Package storage holds what a server of osstest has stored: buckets, the versions of
// their objects, unfinished uploads and the bodies of both, in memory or in a directory
// that a later server reads. The format of that directory is documented at [Disk].
//
// The state has no lock of its own: the server's lock guards it. Only a [Blob] and a
// [Content] may be read without it; they do not change.
package storage
