package fleettest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/vodupload/vodupload/upload/fleet/embedded"
)

// nodeEnv is the variable that makes a process a node; its value is a node's spec.
const nodeEnv = "VODUPLOAD_FLEETTEST_NODE"

// A spec is what a process needs to be a node.
type spec struct {
	Dir     string
	Name    string
	Addr    string
	Cluster *embedded.Cluster // nil: the only node
}

const (
	waiting = "waiting" // is what a node prints when it could start, and waits for a line
	ready   = "ready"   // is what it prints when it takes connections
)

// Init has to be called first in TestMain. In a process that [Start] has made it runs a
// server and does not return.
func Init() {
	text := os.Getenv(nodeEnv)
	if text == "" {
		return
	}
	if err := runNode(text); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// runNode serves until its standard input ends, as it does with the process of the test.
func runNode(text string) error {
	var n spec
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return fmt.Errorf("fleettest: %s: %w", nodeEnv, err)
	}
	fmt.Println(waiting)
	in := bufio.NewReader(os.Stdin)
	if _, err := in.ReadString('\n'); err != nil {
		return nil
	}
	s, err := embedded.Run(&embedded.Options{
		Dir: n.Dir, Name: n.Name, Addr: n.Addr, Cluster: n.Cluster,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	fmt.Println(ready)
	_, _ = io.Copy(io.Discard, in)
	return s.Close()
}
