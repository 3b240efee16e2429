package upload_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vodupload/vodupload/upload"
)

// Each hook of each observer is called, in order, with the context of the one before.
func TestMultiObserver(t *testing.T) {
	type key struct{}
	var called []string
	note := func(name, hook string, ctx context.Context) {
		before, _ := ctx.Value(key{}).(string)
		called = append(called, strings.TrimSpace(hook+" "+name+" "+before))
	}
	named := func(name string) *upload.Observer {
		mark := func(ctx context.Context) context.Context {
			before, _ := ctx.Value(key{}).(string)
			return context.WithValue(ctx, key{}, before+name)
		}
		return &upload.Observer{
			FileStart: func(ctx context.Context, _ upload.FileInfo) context.Context {
				note(name, "FileStart", ctx)
				return mark(ctx)
			},
			FileEnd: func(ctx context.Context, _ upload.FileInfo) { note(name, "FileEnd", ctx) },
			Resumed: func(ctx context.Context, _ upload.FileInfo, _ []int) { note(name, "Resumed", ctx) },
			RequestStart: func(ctx context.Context, _ upload.Request) context.Context {
				note(name, "RequestStart", ctx)
				return mark(ctx)
			},
			RequestEnd: func(ctx context.Context, _ upload.Request, _ upload.Outcome) { note(name, "RequestEnd", ctx) },
			Flush:      func(ctx context.Context, _ upload.FileID, _ time.Duration, _ error) { note(name, "Flush", ctx) },
			Wait:       func(upload.FileID, upload.Waiting, time.Duration) { note(name, "Wait", context.Background()) },
		}
	}
	m := upload.MultiObserver(named("a"), nil, &upload.Observer{}, named("b"))
	v := reflect.ValueOf(*m)
	for i := range v.NumField() {
		if v.Field(i).IsNil() {
			t.Errorf("%s is not passed on", v.Type().Field(i).Name)
		}
	}
	ctx := m.FileStart(t.Context(), upload.FileInfo{})
	m.Resumed(ctx, upload.FileInfo{}, nil)
	request := m.RequestStart(ctx, upload.Request{})
	m.RequestEnd(request, upload.Request{}, upload.Outcome{})
	m.Flush(ctx, 1, 0, nil)
	m.Wait(1, upload.Waiting{}, 0)
	m.FileEnd(ctx, upload.FileInfo{})
	want := []string{
		"FileStart a", "FileStart b a", "Resumed a ab", "Resumed b ab", "RequestStart a ab", "RequestStart b aba",
		"RequestEnd a abab", "RequestEnd b abab", "Flush a ab", "Flush b ab", "Wait a", "Wait b", "FileEnd a ab", "FileEnd b ab",
	}
	if !slices.Equal(called, want) {
		t.Errorf("called:\n%s\nwant:\n%s", strings.Join(called, "\n"), strings.Join(want, "\n"))
	}
}

func TestObserverSeesFlushes(t *testing.T) {
	b := newTestbed(t)
	var flushes []error
	b.opts.Observer = &upload.Observer{
		FileStart: func(ctx context.Context, f upload.FileInfo) context.Context {
			return context.WithValue(ctx, observedKey("file"), f.ID)
		},
		Flush: func(ctx context.Context, id upload.FileID, took time.Duration, err error) {
			if ctx.Value(observedKey("file")) != id || took <= 0 {
				t.Errorf("flush of file %d with the context of %v, took %v", id, ctx.Value(observedKey("file")), took)
			}
			flushes = append(flushes, err)
		},
	}
	c := b.client()
	b.add(c, b.bytesOf("parts", 250*kib))
	b.do(errors.Join(c.Start(b.ctx), c.Wait(b.ctx), c.Close()))
	if len(flushes) == 0 || errors.Join(flushes...) != nil {
		t.Errorf("flushes: %v", flushes)
	}
}

// What a caller of Upload has in its context is there for all that is done for its file.
func TestUploadPassesValuesOfItsContext(t *testing.T) {
	b := newTestbed(t)
	type key struct{}
	seen := make(map[string]any)
	b.opts.Parallel = 1
	b.opts.Observer = &upload.Observer{
		FileStart: func(ctx context.Context, _ upload.FileInfo) context.Context {
			seen["FileStart"] = ctx.Value(key{})
			return ctx
		},
		RequestStart: func(ctx context.Context, r upload.Request) context.Context {
			seen[r.Op] = ctx.Value(key{})
			return ctx
		},
	}
	c := b.client()
	if _, err := c.Upload(context.WithValue(b.ctx, key{}, "mine"), b.bytesOf("parts", 250*kib)); err != nil {
		t.Fatal(err)
	}
	b.do(c.Close())
	for _, of := range []string{"FileStart", "InitiateMultipartUpload", "UploadPart", "CompleteMultipartUpload"} {
		if seen[of] != "mine" {
			t.Errorf("%s had %v", of, seen[of])
		}
	}
}
