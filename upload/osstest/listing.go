package osstest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/vodupload/vodupload/upload/osstest/internal/osserr"
)

// A textEncoding is how names are written in XML: as they are, or, with
// encoding-type=url, percent-encoded.
type textEncoding struct{ name string }

func encodingOf(req *request) (textEncoding, *osserr.Error) {
	switch v := req.query.Get("encoding-type"); v {
	case "", "url":
		return textEncoding{v}, nil
	default:
		return textEncoding{}, osserr.InvalidArgument("", "Invalid Encoding Method specified in Request.", "encoding-type", v)
	}
}

func (e textEncoding) text(s string) string {
	if e.name == "url" {
		return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	}
	return s
}

// limitOf reads a parameter that bounds a list's length.
func limitOf(req *request, name string, def int) (int, *osserr.Error) {
	return numberOf(req, name, def, 1, 1000)
}

// numberOf reads a parameter that is a number between two others.
func numberOf(req *request, name string, def, lowest, highest int) (int, *osserr.Error) {
	v := req.query.Get(name)
	if v == "" {
		return def, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < lowest || n > highest {
		return 0, osserr.InvalidArgument("", fmt.Sprintf("Argument %s must be an integer between %d and %d.", name, lowest, highest), name, v)
	}
	return n, nil
}

// A listing is what the parameters of a list have in common.
type listing struct {
	textEncoding
	prefix, delimiter string
	limit             int
}

// listingOf reads the parameters that lists have in common; the limit is in the
// parameter maxName.
func listingOf(req *request, maxName string, def int) (listing, *osserr.Error) {
	e, aerr := encodingOf(req)
	if aerr != nil {
		return listing{}, aerr
	}
	limit, aerr := limitOf(req, maxName, def)
	if aerr != nil {
		return listing{}, aerr
	}
	return listing{e, req.query.Get("prefix"), req.query.Get("delimiter"), limit}, nil
}

// An entry of a list that is about to be cut into pages.
type entry[T any] struct {
	key  string
	item T
}

// A page is a part of a list.
type page[T any] struct {
	items     []T
	prefixes  []string // the groups that a delimiter makes, in their order
	last      string   // the key or group that the page ends with
	lastItem  *T       // nil if the page ends with a group, or is empty
	truncated bool
}

// cut returns the page of the sorted entries that begins after the marker.
// Whether an entry comes after it is for the caller to say; a group does when
// its name does.
func cut[T any](l listing, entries []entry[T], marker string, after func(entry[T]) bool) (p page[T]) {
	for _, e := range entries {
		group := l.group(e.key)
		switch {
		case !strings.HasPrefix(e.key, l.prefix),
			group == "" && !after(e),
			group != "" && (group <= marker || group == p.last):
			continue
		case len(p.items)+len(p.prefixes) == l.limit:
			p.truncated = true
			return p
		case group != "":
			p.prefixes = append(p.prefixes, group)
			p.last, p.lastItem = group, nil
		default:
			p.items = append(p.items, e.item)
			p.last, p.lastItem = e.key, &e.item
		}
	}
	return p
}

// group returns the beginning of a key up to the first delimiter after the
// prefix, or "" if there is none.
func (l listing) group(key string) string {
	rest, ok := strings.CutPrefix(key, l.prefix)
	if !ok || l.delimiter == "" {
		return ""
	}
	before, _, ok := strings.Cut(rest, l.delimiter)
	if !ok {
		return ""
	}
	return l.prefix + before + l.delimiter
}

// A prefixResult is a group in a result.
type prefixResult struct{ Prefix string }

func (e textEncoding) prefixes(groups []string) []prefixResult {
	var results []prefixResult
	for _, g := range groups {
		results = append(results, prefixResult{e.text(g)})
	}
	return results
}

// An ownerResult is the owner of all there is.
type ownerResult struct{ ID, DisplayName string }

var owner = ownerResult{accountID, accountID}

// accountID is the account that owns all buckets, for policies that name one.
const accountID = "1000000000000000"
