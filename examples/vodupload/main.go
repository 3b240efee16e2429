// Vodupload copies media files to Alibaba Cloud OSS.
//
//	vodupload cp talk.mp4 oss://media/in/
//
// What it is told to copy it brings there, whatever the network, the token or the process
// do meanwhile: interrupted or killed, the same command resumes. See
//
//	vodupload help
//
// and, without an account:
//
//	vodupload demo
package main

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signal.Notify(signals, syscall.SIGHUP) // the terminal is closed, or the connection to it is lost
	}
	// A reader of the output that goes away ends no upload: writing to it fails, and that is
	// all. Ignored, the signal would be so for programs that give credentials, too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	os.Exit(run(os.Args[1:], env{
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		environ: os.Environ(),
		now:     time.Now,
		signals: signals,
		exit:    os.Exit,
	}))
}
