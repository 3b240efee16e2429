package upload

import (
	"context"
	"slices"
	"time"
)

// MultiObserver returns an observer that calls each of these in order: one for metrics and
// one for a page, for example. The context that one returns is what the next one gets, and
// all get the last one later. Nil ones are left out, and so are those without functions.
func MultiObserver(observers ...*Observer) *Observer {
	all := slices.DeleteFunc(slices.Clone(observers), func(o *Observer) bool { return o.orNone() == nil })
	switch len(all) {
	case 0:
		return &Observer{}
	case 1:
		return all[0]
	}
	return &Observer{
		FileStart: func(ctx context.Context, f FileInfo) context.Context {
			for _, o := range all {
				if o.FileStart != nil {
					ctx = given(o.FileStart(ctx, f), ctx)
				}
			}
			return ctx
		},
		FileEnd: func(ctx context.Context, f FileInfo) {
			for _, o := range all {
				if o.FileEnd != nil {
					o.FileEnd(ctx, f)
				}
			}
		},
		Resumed: func(ctx context.Context, f FileInfo, parts []int) {
			for _, o := range all {
				if o.Resumed != nil {
					o.Resumed(ctx, f, parts)
				}
			}
		},
		RequestStart: func(ctx context.Context, r Request) context.Context {
			for _, o := range all {
				if o.RequestStart != nil {
					ctx = given(o.RequestStart(ctx, r), ctx)
				}
			}
			return ctx
		},
		RequestEnd: func(ctx context.Context, r Request, out Outcome) {
			for _, o := range all {
				if o.RequestEnd != nil {
					o.RequestEnd(ctx, r, out)
				}
			}
		},
		Flush: func(ctx context.Context, id FileID, took time.Duration, err error) {
			for _, o := range all {
				if o.Flush != nil {
					o.Flush(ctx, id, took, err)
				}
			}
		},
		Wait: func(id FileID, w Waiting, lasted time.Duration) {
			for _, o := range all {
				if o.Wait != nil {
					o.Wait(id, w, lasted)
				}
			}
		},
	}
}
