package transfer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/vodupload/vodupload/checkpoint"
)

// A fence keeps requests from going out once the claim that they are made under is lost:
// it belongs to another holder then, on another machine perhaps, who may have completed
// the upload, and somebody may have put a newer object in its place. A nil fence, for what
// claims nothing, lets everything through.
type fence struct {
	claim checkpoint.Claim

	// unasked decides about an error of the store that does not say that the claim is lost.
	unasked func(error) error

	mu  sync.Mutex
	err error // why the claim is lost
}

func newFence(claim checkpoint.Claim) *fence {
	return &fence{claim: claim, unasked: Unkept}
}

// canBeLost reports whether the claim has to be asked for. That of a store on this machine
// ends with this process.
func (f *fence) canBeLost() bool {
	g, ok := f.claim.(*guardedUpload)
	return ok && (g.shared || g.isHeld())
}

// ask asks the store whether the claim still holds. It is called right before a request
// that makes an upload or an object, or that aborts an upload; what is lost after it is
// one request.
func (f *fence) ask(ctx context.Context) error {
	if f == nil {
		return nil
	}
	return f.asked(ctx, f.claim.Flush)
}

// askToInitiate is ask before a request that makes an upload, whose ID is not known until
// it is answered.
func (f *fence) askToInitiate(ctx context.Context) error {
	if f != nil {
		if m, ok := f.claim.(checkpoint.Marker); ok {
			return f.asked(ctx, m.MarkUnbegun)
		}
	}
	return f.ask(ctx)
}

func (f *fence) asked(ctx context.Context, call func(context.Context) error) error {
	if err := f.look(); err != nil || !f.canBeLost() {
		return err
	}
	err := call(ctx)
	if lost := f.note(err); lost != nil {
		return lost
	}
	if lost := f.look(); lost != nil {
		return lost
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return f.unasked(err)
}

// holds returns an error if the claim is lost. It is called before a request that is
// harmless then, but of no use: only a claim that would not say so by itself is asked for.
func (f *fence) holds(ctx context.Context) error {
	if f == nil || lostOf(f.claim) != nil {
		return f.look()
	}
	return f.ask(ctx)
}

// look returns an error if the claim is lost by what is known here.
func (f *fence) look() error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-lostOf(f.claim):
		return f.note(f.reason())
	default:
		return nil
	}
}

// note records that the claim is lost if err, of one of its calls, says so. It returns why
// the claim is lost, and nil if it is not.
func (f *fence) note(err error) error {
	if f == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil && errors.Is(err, checkpoint.ErrLost) {
		f.err = err
	}
	return f.err
}

// reason returns why the claim is lost. The store knows it without asking its engine.
func (f *fence) reason() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := f.claim.Flush(ctx); errors.Is(err, checkpoint.ErrLost) {
		return err
	}
	return checkpoint.ErrLost
}

// during returns a context that ends with ctx, and with the claim, for why that is lost:
// what is in flight is cut off. The function ends it, and has to be called.
func (f *fence) during(ctx context.Context) (context.Context, func()) {
	if f == nil || lostOf(f.claim) == nil {
		return ctx, func() {}
	}
	lost := lostOf(f.claim)
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-lost:
			cancel(f.look())
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-done
	}
}

// after returns err, which has ended a run. If its claim is lost that is why, or what
// matters more.
func (f *fence) after(err error) error {
	lost := f.look()
	_, isRequest := answer(err)
	switch is := errors.Is(err, checkpoint.ErrLost); {
	case lost == nil, is && !isRequest:
		return err
	case is, errors.Is(err, context.Canceled):
		return lost
	}
	return fmt.Errorf("%w; before that: %w", lost, err)
}

// lostOf returns what is closed when a claim is lost; nil if it cannot be.
func lostOf(claim checkpoint.Claim) <-chan struct{} {
	if held, ok := claim.(checkpoint.Held); ok {
		return held.Lost()
	}
	return nil
}
