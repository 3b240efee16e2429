package dashboard

import (
	"embed"
	"mime"
	"net/http"
	"path"
)

//go:embed assets
var embedded embed.FS

// An asset is a file of the page.
type asset struct {
	contentType string
	body        []byte
}

// readAssets returns the files of the page by name.
func readAssets() map[string]asset {
	entries, err := embedded.ReadDir("assets")
	if err != nil {
		panic(err) // it is in the program
	}
	files := make(map[string]asset, len(entries))
	for _, e := range entries {
		body, err := embedded.ReadFile("assets/" + e.Name())
		if err != nil {
			panic(err)
		}
		files[e.Name()] = asset{contentTypeOf(e.Name()), body}
	}
	return files
}

// contentTypeOf does not depend on what the machine says of these types.
func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(path.Ext(name))
}

func (a asset) serve(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(a.body)
}
