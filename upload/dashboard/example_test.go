package dashboard_test

import (
	"log"
	"net/http"

	"github.com/vodupload/vodupload/sts"
	"github.com/vodupload/vodupload/sts/appserver"
	"github.com/vodupload/vodupload/upload"
	"github.com/vodupload/vodupload/upload/dashboard"
)

// The page of a client, for this machine alone.
func Example() {
	recorder := dashboard.NewRecorder()
	client, err := upload.New(&upload.Options{Credentials: sts.Default(nil), Observer: recorder.Observer()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	page, err := dashboard.New(client, &dashboard.Options{Recorder: recorder})
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Addr: "127.0.0.1:8080", Handler: page}
	server.RegisterOnShutdown(page.Close)
	log.Fatal(server.ListenAndServe())
}

// Under a prefix of another server, for whom that server's rules admit.
func ExampleOptions_admit() {
	var client *upload.Client
	gate, err := appserver.NewGate(&appserver.Options{
		Authenticate: func(r *http.Request) (appserver.Identity, error) {
			user, password, _ := r.BasicAuth()
			if !known(user, password) {
				return appserver.Identity{}, appserver.ErrUnauthenticated
			}
			return appserver.Identity{Name: user}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	page, err := dashboard.New(client, &dashboard.Options{
		Control: true,
		Hosts:   []string{"uploads.example.com"},
		Admit: func(w http.ResponseWriter, r *http.Request) bool {
			_, ok := gate.Admit(w, r, "GET", "HEAD", "POST")
			return ok
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/uploads/", http.StripPrefix("/uploads", page))
}

func known(user, password string) bool { return false }
