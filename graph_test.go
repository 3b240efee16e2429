package vodupload_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"sort"
	"strings"
	"testing"
)

const module = "github.com/vodupload/vodupload"

// A room is one package: what it may import besides the standard library, and why
// the wall stands where it does.
type room struct {
	may []string
	why string
}

// Modules that rooms may import.
const (
	sdk     = "github.com/aliyun/aliyun-oss-go-sdk"
	retries = "github.com/cenkalti/backoff/v4"
	bbolt   = "go.etcd.io/bbolt"
	xsync   = "golang.org/x/sync"
)

// rooms is the graph of the house. A package that is not in it fails the test: give
// it a place here first, with its reason.
var rooms = map[string]room{
	"upload": {
		[]string{"upload/internal/credentials", "upload/internal/descriptors", "upload/internal/filelist", "upload/internal/media", "upload/internal/notify", "upload/internal/slots", "upload/internal/tasks", "upload/internal/transfer", "upload/internal/target", "upload/internal/vodauth", "checkpoint", "sts"},
		"the client knows files and states; how bytes travel is not its business, so it sees neither the wire nor the SDK",
	},
	"upload/internal/media": {
		[]string{"checkpoint"},
		"one video for the same bytes: it knows the records of sources and no client, so that no state of one hides in it",
	},
	"upload/internal/slots": {
		nil,
		"the budget of requests in flight: arithmetic and a queue, without knowledge of files",
	},
	"upload/internal/notify": {
		[]string{"upload/internal/tasks"},
		"callbacks in order, one at a time, outside every lock; it knows nothing of files and clients",
	},
	"upload/internal/credentials": {
		[]string{"upload/internal/tasks", "sts"},
		"one set of credentials and those who wait for the next; what the user is asked, and about which file, is the client's",
	},
	"upload/internal/descriptors": {
		[]string{"upload/internal/tasks"},
		"files and sockets run out for the whole process: every package that opens one waits for the next in the same way",
	},
	"upload/internal/tasks": {
		nil,
		"goroutines and signals, of use to every package above it",
	},
	"upload/internal/filelist": {
		[]string{"checkpoint"},
		"decisions about files are values: no lock, clock, goroutine, context or I/O, so that tables and a million random steps test them",
	},
	"upload/internal/transfer": {
		[]string{"upload/internal/wire", "upload/internal/target", "upload/internal/descriptors", "upload/internal/crc64", "checkpoint", retries, xsync},
		"one source to one object, and the only place that retries; it knows nothing of lists and callbacks",
	},
	"upload/internal/wire": {
		[]string{"sts", "upload/internal/target", "upload/internal/descriptors", "upload/internal/crc64", sdk},
		"the only room that imports the OSS SDK, so that its traps are avoided in one place, and it can be replaced",
	},
	"upload/internal/vodauth": {
		[]string{"sts"},
		"the text of VOD's addresses and auths is read without a client, and holds secrets: what reads it shows nothing of it",
	},
	"upload/internal/target": {
		nil,
		"what a destination and an object are called is plain text: every package of the upload reads it, so it reads none of them",
	},
	"upload/internal/crc64": {
		nil,
		"arithmetic, of use to anybody",
	},
	"upload/vod": {
		[]string{"upload", "sts", "sts/openapi"},
		"it plugs into the client by the client's interface, so that who uploads straight to OSS does not carry it",
	},
	"upload/vod/vodtest": {
		[]string{"sts/openapi"},
		"it judges the calls of vod, and is tied to other servers by functions: users' tests import it alone as well",
	},
	"upload/osstest": {
		[]string{"upload/osstest/internal/policy"},
		"users' tests import it: it must bring nothing with it, and share no code with the client it judges",
	},
	"upload/osstest/internal/policy": {
		nil,
		"what a RAM policy says is decided from its text and one access; it knows no request",
	},
	"checkpoint": {
		[]string{bbolt},
		"a leaf: other stores implement its interface without importing the client",
	},
	"checkpoint/checkpointtest": {
		[]string{"checkpoint"},
		"the suite that every Store passes, also those of others",
	},
	"sts": {
		[]string{"sts/internal/keytext", "sts/internal/role", "sts/internal/weburl", "sts/openapi", xsync},
		"a leaf: tokens are of use without uploads",
	},
	"sts/internal/keytext": {
		nil,
		"what no access key has in it is checked once, for credentials, for calls and for the token server",
	},
	"sts/internal/role": {
		nil,
		"what a call of AssumeRole may say, for those who make it, serve it and judge it: users need none of it",
	},
	"sts/internal/weburl": {
		nil,
		"one parser for the URLs that users give: none of them gets into a text with its password",
	},
	"sts/openapi": {
		[]string{"sts/internal/keytext", "sts/internal/weburl"},
		"the RPC signature, for STS and VOD alike",
	},
	"sts/appserver": {
		[]string{"sts/internal/keytext", "sts", "sts/internal/role", "sts/internal/weburl", "sts/openapi", xsync},
		"a server of tokens knows nothing of uploads",
	},
	"sts/ststest": {
		[]string{"sts", "sts/internal/role", "sts/openapi"},
		"it judges the signatures of sts, and is imported by users' tests",
	},
}

// goleak and the standard library's testing helpers are for tests only.
const leakDetector = "go.uber.org/goleak"

type pkg struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

func TestImportGraph(t *testing.T) {
	found := make(map[string]bool)
	for _, p := range list(t, "./...") {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue // the tests of the house
		}
		found[name] = true
		r, ok := rooms[name]
		if !ok {
			t.Errorf("package %s is not in the graph: give it a room, with a reason", name)
			continue
		}
		for _, imported := range p.Imports {
			if !allowed(imported, r.may) {
				t.Errorf("%s imports %s, it may import %v: %s", name, imported, r.may, r.why)
			}
		}
	}
	for name := range rooms {
		if !found[name] {
			t.Errorf("the graph has a room %s that does not exist", name)
		}
	}
}

// The library's tests may use what is public in the module, and the leak detector,
// but nothing that users would have to download.
func TestImportGraphOfTests(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, imported := range append(p.TestImports, p.XTestImports...) {
			known := isStandard(imported) || strings.HasPrefix(imported, module)
			for _, m := range []string{sdk, retries, bbolt, xsync, leakDetector} {
				known = known || imported == m || strings.HasPrefix(imported, m+"/")
			}
			if !known {
				t.Errorf("a test of %s imports %s, which is none of the library's modules", p.ImportPath, imported)
			}
		}
	}
}

// go.mod is what every user of the library downloads.
func TestRequirements(t *testing.T) {
	want := []string{sdk, retries, bbolt, leakDetector, xsync}
	var got []string
	mod, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(mod, &parsed); err != nil {
		t.Fatal(err)
	}
	for _, r := range parsed.Require {
		if !r.Indirect {
			got = append(got, r.Path)
		}
	}
	sort.Strings(got)
	sort.Strings(want)
	if !slices.Equal(got, want) {
		t.Errorf("go.mod requires %v, want %v", got, want)
	}
}

func allowed(imported string, may []string) bool {
	if isStandard(imported) {
		return true
	}
	for _, m := range may {
		if imported == module+"/"+m || imported == m || strings.HasPrefix(imported, m+"/") && strings.Contains(m, ".") {
			return true
		}
	}
	return false
}

// isStandard tells the standard library by its paths: their first element has no dot.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func list(t *testing.T, pattern string) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", pattern).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}
