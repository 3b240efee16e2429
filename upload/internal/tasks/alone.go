package tasks

import "errors"

// ErrGoexit says that code of the user's did not return: it ended the goroutine that it
// ran on.
var ErrGoexit = errors.New("ended its goroutine, as runtime.Goexit and testing.T.FailNow do")

// Alone calls fn on a goroutine of its own, and waits for it. It returns [ErrGoexit] where
// fn ended that goroutine. A panic of fn ends the process, as anywhere.
func Alone(fn func()) error {
	done := make(chan error, 1)
	go func() {
		err := ErrGoexit
		defer func() { done <- err }()
		fn()
		err = nil
	}()
	return <-done
}
