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

// A layer is some files of package upload, without ".go", and what they have in common.
type layer struct{ name, files, reason string }

// uploadLayers has every file of package upload. A file refers to files of its own layer
// and of those before it, never to one after it.
var uploadLayers = []layer{
	{
		"values",
		`advice auth authorizer callback contenttypes crc64 direrrors doc errors fileinfo hidden ifexists info
		linehandler multiobserver object observer playlists result retry state timetable timetabletext waiting`,
		"what users give and get, and rules about it: it means the same without a client",
	},
	{
		"sources",
		"folder resolve resolve_other resolve_unix source",
		"where bytes come from: a source is opened and checked without knowing who uploads it",
	},
	{
		"files",
		"entry extras file fileend group inspect packed packederror providers readers shelf shelved site waits",
		"a file as it is given, kept in the list, and packed when it has ended: facts, which the client's lock guards",
	},
	{
		"client",
		"callbacks client counters events following gates options parsetarget reportwaits shared workers",
		"the client, and what its options and callbacks get of it: it records and reports, and decides nothing",
	},
	{
		"work",
		"awaits cleanup filegate fileslots media observed perform run shelving tokenexpired",
		"decisions and what follows from them: runs and clean-ups, which report their ends to the list",
	},
	{
		"calls",
		`auto bandwidth close control dir dirwalk failfile list new objects parallel remove setauth setdestination
		stat stats sweep tokens upload wait waitfile whileopen within`,
		"what users call: each call asks the list, and nothing below needs it",
	},
}

func TestLayersOfUpload(t *testing.T) {
	upload := list(t, "./upload")[0]
	rank := make(map[string]int)
	count := make(map[string]int) // how often a file is in the table
	for i, l := range uploadLayers {
		for _, name := range strings.Fields(l.files) {
			rank[name+".go"] = i
			count[name+".go"]++
		}
	}
	there := slices.Concat(upload.GoFiles, upload.IgnoredGoFiles)
	there = slices.DeleteFunc(there, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
	for _, name := range slices.Concat(there, slices.Collect(maps.Keys(count))) {
		if count[name] != 1 || !slices.Contains(there, name) {
			t.Errorf("upload/%s is in %d layers: every file is in the one that it belongs to", name, count[name])
		}
	}
	back := make(map[string]bool)
	references(t, upload, func(from, to, what string) {
		if f, l := uploadLayers[rank[from]], uploadLayers[rank[to]]; rank[to] > rank[from] {
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
