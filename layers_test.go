package vodupload_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A layer is some files of a package, without ".go", and what they have in common.
type layer struct{ name, files, reason string }

// layers have every file of the packages that are too large to be taken in at once. A file
// refers to files of its own layer and of those before it, never to one after it.
var layers = map[string][]layer{
	"./upload": {
		{
			"values",
			`advice auth authorizer callback contenttypes crc64 direrrors doc errorjson errors fileinfo ifexists info
			linehandler multiobserver object observer playlists result state timetable timetabletext waiting`,
			"what users give and get, and rules about it: it means the same without a client",
		},
		{
			"sources",
			"folder resolve resolve_other resolve_unix source",
			"where bytes come from: a source is opened and checked without knowing who uploads it",
		},
		{
			"files",
			"entry extras file fileend group inspect packed packedcause packederror providers readers shelf shelved site waits",
			"a file as it is given, kept in the list, and packed when it has ended: facts, which the client's lock guards",
		},
		{
			"client",
			"callbacks client counters destinations events following gates options parsetarget reportwaits workers",
			"the client, and what its options and callbacks get of it: it records and reports, and decides nothing",
		},
		{
			"work",
			"awaits cleanup filegate fileslots media observed perform run shelving",
			"decisions and what follows from them: runs and clean-ups, which report their ends to the list",
		},
		{
			"calls",
			`bandwidth close control dir dirwalk failfile list new objects parallel remove setauth setdestination
			stat stats sweep tokens upload wait waitfile within`,
			"what users call: each call asks the list, and nothing below needs it",
		},
	},
	"./upload/internal/transfer": {
		{
			"values",
			"answer doc listing matches patience plan reconcile retry width",
			"decisions over values, and what is remembered for them: none makes a request",
		},
		{
			"sources",
			`ctime_darwin ctime_linux ctime_other exactly guard guardstore inode_other inode_unix lost nowait_other nowait_unix openregular_linux
			openregular_other outlook outlook_other outlook_unix outlook_windows protect root section settled settled_linux settled_other source starved steps
			stream streamread vouch`,
			"files, and sources and stores of the user's: whatever these do, what is above sees values and errors",
		},
		{
			"requests",
			"abort caller claimwait fence job line recorder service tally working",
			"what every request needs: a slot, credentials, an endpoint that is not away, a claim that holds",
		},
		{
			"uploads",
			`abandon asklisting claim complete exists hash initiate multipart orphan parts put resume sendstream session
			storeview`,
			"one upload, from its claim to its end",
		},
		{
			"calls",
			"candidates objects open stat sweep",
			"what the client asks for beside the uploads: no upload needs it",
		},
	},
	"./upload/internal/wire": {
		{
			"values",
			"class clock doc ec errors etag excerpt headers limiter observer options redact results snapshot stopwatch",
			"what calls take and return, and rules about it: it means the same without a connection",
		},
		{
			"answers",
			"answer stranger xmltext",
			"what an answer says, whoever gave it: it is read without knowing what was asked",
		},
		{
			"connections",
			"body conn exchange socket socket_linux socket_other tlsconn traffic transport watchdog",
			"bytes on their way, and whether they move: whatever the request is",
		},
		{
			"requests",
			"call classify client failure request signer",
			"one request, signed, sent and judged by its outcome: whichever call it is",
		},
		{
			"calls",
			"complete listobjects listparts listuploads multipart object partsscan remote",
			"the calls to OSS: each says what it asks for and what has to be in the answer",
		},
	},
	"./upload/osstest": {
		{
			"values",
			"attributes callback corsrule crc64 doc etag etag_form key listing op options policyerrors range request trafficlimit validate",
			"what a request asks for, and rules about it: it means the same without a server",
		},
		{
			"records",
			`callbackkey fault fault_choose fault_codes fault_kinds fault_new fault_script fault_string keyring log_clip
			log_redact log_request log_ring`,
			"keys, faults and the log of calls, which a server has beside its buckets: none of them looks at the server",
		},
		{
			"server",
			"authenticate authorize fault_inject log log_wait receive respond route server store",
			"the server and its buckets, and what all operations need of it",
		},
		{
			"operations",
			`acl bucket bucketinfo buckettags callbackpost completeupload conditions cors corsconfig deleteobject deleteobjects
			getobject listbuckets listobjects listparts listuploads listversions multipart object putobject uploadpart uploadpartcopy`,
			"the operations of OSS: none knows that a fault may break it",
		},
		{
			"calls",
			"fault_alter fault_break fault_exchange fault_finish fault_intercept fault_wait serve",
			"a call on its way through the server: the faults that it meets, and the operation that it is for",
		},
	},
	"./upload/internal/filelist": {
		{
			"values",
			"doc file rate shrink state",
			"what can be known of one file or of the client: it means the same without a list",
		},
		{
			"list",
			"effect failures group lane list totals",
			"the list and what it keeps of its files: it stores and sums up, and starts nothing",
		},
		{
			"places",
			"hold place",
			"where a file waits, and what it waits for: each change of its state puts it there, whatever the change is for",
		},
		{
			"ends",
			"end rest settlegroups",
			"how files end, and what follows from it: a clean-up, a report, the end of those that waited for them",
		},
		{
			"calls",
			"away commands leave reports turns wait",
			"what the owner calls: each call decides by what is below",
		},
	},
	"./checkpoint": {
		{
			"contract",
			"checkpoint doc errors finder join lease shared state timed unbegun validate",
			"what a store of somebody else has to keep to, and what it can use for that: it means the same without a disk",
		},
		{
			"form",
			"content decode encode",
			"how records and parts are written, byte by byte, and read without trusting any of them",
		},
		{
			"files",
			"claim damaged database defaultdir file journal remove system system_unix system_windows write",
			"one upload's files, claimed, written and removed for one goroutine at a time",
		},
		{
			"stores",
			"dir group inprocess list memory upload",
			"the stores: who holds which upload, and when what it was told is written",
		},
	},
	"./checkpoint/checkpointtest": {
		{
			"fixtures",
			"check fixtures leases",
			"what tests are given, and how they look at a store: it tests nothing by itself",
		},
		{
			"tests",
			"claims ends finder parts records shared unbegun",
			"what a store has to keep to, subject by subject",
		},
		{
			"suites",
			"checkpointtest",
			"which tests a store is put through",
		},
	},
}

func TestLayers(t *testing.T) {
	for path, inside := range layers {
		t.Run(path, func(t *testing.T) { checkLayers(t, list(t, path)[0], inside) })
	}
}

func checkLayers(t *testing.T, p pkg, inside []layer) {
	rank := make(map[string]int)
	count := make(map[string]int) // how often a file is in the table
	for i, l := range inside {
		for _, name := range strings.Fields(l.files) {
			rank[name+".go"] = i
			count[name+".go"]++
		}
	}
	there := slices.Concat(p.GoFiles, p.IgnoredGoFiles)
	there = slices.DeleteFunc(there, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	for _, name := range slices.Concat(there, slices.Collect(maps.Keys(count))) {
		if count[name] != 1 || !slices.Contains(there, name) {
			t.Errorf("%s is in %d layers: every file is in the one that it belongs to", name, count[name])
		}
	}
	back := make(map[string]bool)
	references(t, p, func(from, to, what string) {
		if f, l := inside[rank[from]], inside[rank[to]]; rank[to] > rank[from] {
			back[fmt.Sprintf("%s uses %s of %s: the layer %q (%s) is below %q", from, what, to, f.name, f.reason, l.name)] = true
		}
	})
	for _, one := range slices.Sorted(maps.Keys(back)) {
		t.Error(one)
	}
}

// references calls fn with every use of what a package declares: the file that uses it,
// the one that declares it, and its name.
func references(t *testing.T, p pkg, fn func(from, to, what string)) {
	t.Helper()
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range p.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	exports := make(map[string]string)
	for _, imported := range list(t, append([]string{"-export"}, p.Imports...)...) {
		exports[imported.ImportPath] = imported.Export
	}
	exported := func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", exported)}
	info := &types.Info{Uses: make(map[*ast.Ident]types.Object)}
	checked, err := conf.Check(p.ImportPath, fset, files, info)
	if err != nil {
		t.Fatal(err)
	}
	file := func(at token.Pos) string { return filepath.Base(fset.Position(at).Filename) }
	for id, used := range info.Uses {
		if used.Pkg() == checked {
			fn(file(id.Pos()), file(used.Pos()), id.Name)
		}
	}
}
