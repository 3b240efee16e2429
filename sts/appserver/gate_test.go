package appserver_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/vodupload/vodupload/sts/appserver"
)

// A handler of something else than tokens admits its requests by the same rules.
func ExampleGate() {
	whoAsks, err := appserver.Bearer(map[string]appserver.Identity{"0123456789abcdef": {Name: "alice"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	gate, err := appserver.NewGate(&appserver.Options{Authenticate: whoAsks})
	if err != nil {
		fmt.Println(err)
		return
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, ok := gate.Admit(w, r, http.MethodPost)
		if !ok {
			return // it has been answered
		}
		if who.Name != "alice" {
			gate.Refuse(w, r, who, appserver.Problem{Status: http.StatusForbidden, Code: "Forbidden", Message: "Not for you."})
			return
		}
		fmt.Fprint(w, "hello ", who.Name)
	})
	for _, token := range []string{"0123456789abcdef", "guess"} {
		r := httptest.NewRequest(http.MethodPost, "http://app.example.com/", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		fmt.Println(w.Code, w.Body.Len() > 0)
	}
	// Output:
	// 200 true
	// 401 true
}
