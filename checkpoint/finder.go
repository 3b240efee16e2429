package checkpoint

import (
	"context"
)

// A Finder is a [Store] that says for less than a claim costs that it knows nothing
// of an upload. A file that fits into one part has no checkpoint, unless an earlier
// run with smaller parts left one: without a Finder, each such file costs a claim.
type Finder interface {
	Store

	// Has reports whether Open would find something, if only a claim or what it
	// would set aside. It claims nothing and disturbs no holder. After an error, Open
	// says more.
	Has(ctx context.Context, key Key) (bool, error)
}
