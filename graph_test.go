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

// A rule is what one package may import besides the standard library, and the reason.
type rule struct {
	imports []string
	reason  string
}

// Modules that packages may import.
const (
	sdk     = "github.com/aliyun/aliyun-oss-go-sdk"
	retries = "github.com/cenkalti/backoff/v4"
	bbolt   = "go.etcd.io/bbolt"
	xsync   = "golang.org/x/sync"
)

// allowedImports has a rule for every package. A package without one fails the test:
// add it here first, with the reason.
var allowedImports = map[string]rule{
	"upload": {
		[]string{
			"upload/internal/crc64", "upload/internal/credentials", "upload/internal/descriptors", "upload/internal/filelist",
			"upload/internal/media", "upload/internal/notify", "upload/internal/slots",
			"upload/internal/target", "upload/internal/tasks", "upload/internal/transfer",
			"upload/internal/vodauth", "checkpoint", "sts",
		},
		"the client deals in files and states; it leaves requests to transfer, so it sees neither wire nor the SDK",
	},
	"upload/internal/filelist": {
		[]string{"checkpoint"},
		"a pure state machine without locks, clock, goroutines or I/O, so that tables and random steps can test it; of checkpoint it uses only Key",
	},
	"upload/internal/slots": {
		nil,
		"the budget of requests in flight is arithmetic and a queue, whatever the requests are for",
	},
	"upload/internal/notify": {
		[]string{"upload/internal/tasks"},
		"it calls functions one at a time and in order, whatever they are about",
	},
	"upload/internal/credentials": {
		[]string{"upload/internal/tasks", "sts"},
		"it holds one set of credentials and calls nobody but the Provider; what users are asked, and for which file, is the client's business",
	},
	"upload/internal/media": {
		[]string{"checkpoint"},
		"it reads and writes the records of sources; the client adapts Authorizer and FileInfo to it",
	},
	"upload/internal/descriptors": {
		[]string{"upload/internal/tasks"},
		"file descriptors run out for the whole process, so every package that opens files or sockets waits in the same way",
	},
	"upload/internal/tasks": {
		nil,
		"goroutines and signals are used by several packages above it, and depend on none",
	},
	"upload/internal/memnet": {
		nil,
		"a network for tests, which stands in for real sockets in a bubble of synctest; nothing but tests imports it",
	},
	"upload/internal/world": {
		nil,
		"tests only: clients, a server, a network and a store in one bubble of fake time, against schedules of trouble",
	},
	"upload/internal/transfer": {
		[]string{"upload/internal/wire", "upload/internal/outage", "upload/internal/target", "upload/internal/descriptors", "upload/internal/crc64", "upload/internal/tasks", "checkpoint", retries, xsync},
		"it brings one source to one object and is the only place that retries; it knows no list and no callbacks",
	},
	"upload/internal/wire": {
		[]string{"upload/internal/target", "upload/internal/descriptors", "upload/internal/crc64", "upload/internal/tasks", "sts", sdk},
		"the only package that imports the OSS SDK, so that its pitfalls are handled in one place and it can be replaced",
	},
	"upload/internal/outage": {
		nil,
		"whether an endpoint is away is decided by values alone, so that a table can test an hour of trouble",
	},
	"upload/internal/vodauth": {
		[]string{"sts"},
		"it parses text that holds secrets, and needs no client for that",
	},
	"upload/internal/target": {
		nil,
		"endpoints, regions, names and properties are pure functions that packages at every level use",
	},
	"upload/internal/crc64": {
		nil,
		"arithmetic",
	},
	"upload/internal/webhook": {
		nil,
		"bodies, headers and answers of the requests that services make are the same for OSS and VOD",
	},
	"upload/source": {
		[]string{"upload"},
		"a source needs no more than what every implementation of upload.Source sees; programs that upload files alone do not link it",
	},
	"upload/osscallback": {
		[]string{"upload/internal/webhook"},
		"a server that OSS calls back need not upload anything, so it links no client",
	},
	"upload/dashboard": {
		[]string{"upload"},
		"it shows what every user can see of a client, so it needs nothing that is internal; programs without a page do not link it",
	},
	"upload/vod": {
		[]string{"upload", "upload/internal/webhook", "sts", "sts/openapi"},
		"it plugs into the client through upload.Authorizer, so that programs which upload straight to OSS do not link it",
	},
	"upload/vod/vodserver": {
		[]string{"upload", "upload/internal/webhook", "upload/vod", "sts/appserver", "sts/openapi"},
		"who may ask is decided by the rules of the token server, which programs that only upload do not link",
	},
	"upload/vod/vodtest": {
		[]string{"sts/openapi"},
		"it checks the calls that vod makes, so it shares no code with vod; users' tests import it alone",
	},
	"upload/osstest": {
		[]string{
			"upload/osstest/internal/broken", "upload/osstest/internal/osserr",
			"upload/osstest/internal/policy", "upload/osstest/internal/sign", "upload/osstest/internal/storage",
		},
		"it checks what the client sends, so it shares no code with the client; users' tests import it, so it adds no dependency",
	},
	"upload/uploadtest": {
		[]string{"upload", "upload/osstest", "checkpoint", "sts"},
		"options for users' tests: it needs the client and the server, which share no code and do not import each other",
	},
	"upload/osstest/internal/broken": {
		nil,
		"breaking connections, bodies and answers is the same for every fault; which call has which fault is the server's business",
	},
	"upload/osstest/internal/osserr": {
		nil,
		"what OSS answers when it refuses: every package of the server returns these errors, so they import none of them",
	},
	"upload/osstest/internal/policy": {
		nil,
		"a RAM policy decides by its text and one access, so it needs no request",
	},
	"upload/osstest/internal/sign": {
		[]string{"upload/osstest/internal/osserr"},
		"a signature is verified from the request, the secret and the time; which keys there are is the server's business",
	},
	"upload/osstest/internal/storage": {
		[]string{"upload/osstest/internal/osserr"},
		"the format of the directory and what it may hold is decided in one place; which request changes it is the server's business",
	},
	"checkpoint": {
		[]string{"checkpoint/internal/boltfile", "checkpoint/internal/filelock", bbolt},
		"a store of somebody else implements its interface without importing the client",
	},
	"checkpoint/internal/boltfile": {
		nil,
		"it reads files that may be damaged without bbolt, which trusts its files; it does not know what is stored in them",
	},
	"checkpoint/internal/filelock": {
		nil,
		"locks of files differ between systems: the store sees one pair of functions",
	},
	"checkpoint/checkpointtest": {
		[]string{"checkpoint"},
		"the conformance suite for every Store, which may live in another module",
	},
	"sts": {
		[]string{"sts/internal/keytext", "sts/internal/role", "sts/internal/roundtrip", "sts/internal/weburl", "sts/openapi"},
		"credentials are of use to programs that upload nothing",
	},
	"sts/internal/keytext": {
		nil,
		"the characters of an access key are checked in one place for credentials, calls and the token server",
	},
	"sts/internal/role": {
		nil,
		"the limits of AssumeRole are shared by the caller, the token server and the fake STS; users need none of it",
	},
	"sts/internal/roundtrip": {
		nil,
		"one place where a request is sent with a client of the user's, whatever that does",
	},
	"sts/internal/weburl": {
		nil,
		"all URLs from users go through one parser, so that no password in one gets into a text",
	},
	"sts/openapi": {
		[]string{"sts/internal/keytext", "sts/internal/roundtrip", "sts/internal/weburl"},
		"the signatures of Alibaba Cloud's OpenAPI are the same for STS and VOD, so it depends on neither",
	},
	"sts/appserver": {
		[]string{"sts", "sts/internal/keytext", "sts/internal/role", "sts/internal/weburl", "sts/openapi"},
		"a token server uploads nothing",
	},
	"sts/ststest": {
		[]string{"sts", "sts/internal/role", "sts/openapi"},
		"an STS for tests: users' tests import it, so it adds no dependency",
	},
}

// Modules that packages of nested modules may import beside these.
const (
	nats       = "github.com/nats-io/nats.go"
	natsServer = "github.com/nats-io/nats-server/v2"
	otel       = "go.opentelemetry.io/otel" // the API, and for tests the SDK
)

// nestedImports has the rules of the modules that are nested in this one, each with
// requirements of its own. No package of the library imports any of them.
var nestedImports = map[string]map[string]rule{
	"upload/fleet": {
		"upload/fleet": {
			[]string{"upload/fleet/internal/decide", "upload/fleet/internal/natsconn", "upload/fleet/jetstream", "upload", "upload/source", "checkpoint", nats},
			"queue and worker use the client as every user does, and a NATS server that runs somewhere",
		},
		"upload/fleet/internal/decide": {
			nil,
			"what to do with a job, a claim or a share is decided by values alone, so that tables can test it",
		},
		"upload/fleet/internal/natsconn": {
			[]string{nats},
			"queue and store share a connection, and leave a server that is silent once",
		},
		"upload/fleet/jetstream": {
			[]string{"checkpoint", "upload/fleet/internal/natsconn", nats},
			"a store of checkpoints needs no client, so it is of use without the queue",
		},
		"upload/fleet/embedded": {
			[]string{nats, natsServer},
			"the only package that links a NATS server, so that workers of a cluster elsewhere do not",
		},
		"upload/fleet/fleetpage": {
			[]string{"upload/fleet", "upload/dashboard"},
			"the two do not know each other: workers link no page, and pages of one client no engine",
		},
		"upload/fleet/fleettest": {
			[]string{"upload/fleet/embedded", nats},
			"nodes for users' tests, whatever those keep in them",
		},
	},
	"upload/otelupload": {
		"upload/otelupload": {
			[]string{"upload", otel},
			"it sees what every Observer sees; fleet and otelupload do not know each other, so that neither's users download what the other needs",
		},
	},
}

// goleak and the standard library's testing helpers are for tests only.
const leakDetector = "go.uber.org/goleak"

type pkg struct {
	ImportPath     string
	Imports        []string
	TestImports    []string
	XTestImports   []string
	Dir            string
	GoFiles        []string
	IgnoredGoFiles []string // of other systems
	Export         string   // the file of its export data, with -export
}

func TestImportGraph(t *testing.T) {
	checkImports(t, "./...", allowedImports)
	for nested, rules := range nestedImports {
		checkImports(t, "./"+nested+"/...", rules)
	}
}

// checkImports holds each package that a pattern names against its rule.
func checkImports(t *testing.T, pattern string, rules map[string]rule) {
	t.Helper()
	found := make(map[string]bool)
	for _, p := range list(t, pattern) {
		name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if name == "" {
			continue // the tests of the module
		}
		found[name] = true
		r, ok := rules[name]
		if !ok {
			t.Errorf("package %s has no rule: add it, with the reason", name)
			continue
		}
		for _, imported := range p.Imports {
			if !r.allows(imported) {
				t.Errorf("%s imports %s, it may import %v: %s", name, imported, r.imports, r.reason)
			}
		}
	}
	for name := range rules {
		if !found[name] {
			t.Errorf("there is a rule for a package %s that does not exist", name)
		}
	}
}

// A rule of the library that allows a package of a nested module would make all users
// download what that module requires.
func TestLibraryNeedsNoNestedModule(t *testing.T) {
	for name, r := range allowedImports {
		if i := slices.IndexFunc(r.imports, isNested); i >= 0 {
			t.Errorf("the rule of %s allows %s, which is in a module of its own", name, r.imports[i])
		}
	}
}

// isNested reports whether a package of this module's tree is in a nested module. The
// name stands without the module's path.
func isNested(name string) bool {
	for nested := range nestedImports {
		if name == nested || strings.HasPrefix(name, nested+"/") {
			return true
		}
	}
	return name == "examples" || strings.HasPrefix(name, "examples/")
}

// The library's tests may use what is public in the module, and the leak detector,
// but nothing that users would have to download.
func TestImportGraphOfTests(t *testing.T) {
	for _, p := range list(t, "./...") {
		for _, imported := range append(p.TestImports, p.XTestImports...) {
			own, isOwn := strings.CutPrefix(imported, module+"/")
			known := isStandard(imported) || isOwn && !isNested(own)
			for _, m := range []string{sdk, retries, bbolt, xsync, leakDetector} {
				known = known || imported == m || strings.HasPrefix(imported, m+"/")
			}
			if !known {
				t.Errorf("a test of %s imports %s, which is none of the library's modules", p.ImportPath, imported)
			}
		}
	}
}

// Users of a nested module get its tests' requirements into their go.sum. A replace
// would make "go install" of its programs fail, and hide that it needs a release of
// the library.
func TestNestedModules(t *testing.T) {
	for nested := range nestedImports {
		for _, p := range list(t, "./"+nested+"/...") {
			for _, imported := range append(p.TestImports, p.XTestImports...) {
				known := isStandard(imported) || strings.HasPrefix(imported, module+"/")
				for _, m := range []string{nats, natsServer, otel, leakDetector} {
					known = known || imported == m || strings.HasPrefix(imported, m+"/")
				}
				if !known {
					t.Errorf("a test of %s imports %s, which is none of the module's", p.ImportPath, imported)
				}
			}
		}
		if mod := readMod(t, nested+"/go.mod"); len(mod.Replace) > 0 {
			t.Errorf("%s/go.mod replaces %v: go.work is there for that", nested, mod.Replace)
		}
	}
}

// go.mod is what every user of the library downloads.
func TestRequirements(t *testing.T) {
	want := []string{sdk, retries, bbolt, leakDetector, xsync}
	var got []string
	for _, r := range readMod(t, "go.mod").Require {
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

// A modFile is what the tests look at in a go.mod.
type modFile struct {
	Require []struct {
		Path     string
		Indirect bool
	}
	Replace []struct {
		Old struct{ Path string }
	}
}

func readMod(t *testing.T, path string) (parsed modFile) {
	t.Helper()
	mod, err := exec.Command("go", "mod", "edit", "-json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(mod, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

// allows reports whether the package may import a path: a package of this module by
// its exact name, every package of another module.
func (r rule) allows(imported string) bool {
	if isStandard(imported) {
		return true
	}
	return slices.ContainsFunc(r.imports, func(name string) bool {
		if strings.Contains(name, ".") {
			return imported == name || strings.HasPrefix(imported, name+"/")
		}
		return imported == module+"/"+name
	})
}

// isStandard reports whether the first element of a path has no dot, as in all paths
// of the standard library.
func isStandard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// list runs "go list".
func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	const fields = "-json=ImportPath,Imports,TestImports,XTestImports,Dir,GoFiles,IgnoredGoFiles,Export"
	out, err := exec.Command("go", append([]string{"list", fields}, args...)...).Output()
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
