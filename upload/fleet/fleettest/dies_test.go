package fleettest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/vodupload/vodupload/upload/fleet/fleettest"
)

var dies = flag.Bool("dies", false, "run TestThatDies, which TestNodesEndWithTheProcess does")

func TestThatDies(t *testing.T) {
	if !*dies {
		t.Skip("for TestNodesEndWithTheProcess")
	}
	a, b := fleettest.Start(t, 1), fleettest.Start(t, 1)
	fmt.Println("nodes:", fleettest.PID(a, 0), fleettest.PID(b, 0))
	b.Stop(0)
	p, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	select {}
}

// alive reports whether there is a process, other than one that nobody has waited for.
func alive(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
