package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/vodupload/vodupload/checkpoint"
	"github.com/vodupload/vodupload/checkpoint/checkpointtest"
	"github.com/vodupload/vodupload/upload/fleet/embedded"
	"github.com/vodupload/vodupload/upload/fleet/jetstream"
)

// Two stores of one namespace, as two machines have them. Here, both are in this process,
// and so is the server.
func Example() {
	dir, err := os.MkdirTemp("", "nats")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	server, err := embedded.Run(&embedded.Options{Dir: dir})
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()

	ctx := context.Background()
	nc, err := server.Connect()
	if err != nil {
		log.Fatal(err)
	}
	defer nc.Close()
	a, err := jetstream.Open(ctx, nc, &jetstream.Options{Holder: "worker a"})
	if err != nil {
		log.Fatal(err)
	}
	b, err := jetstream.Open(ctx, nc, &jetstream.Options{Holder: "worker b"})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	key := checkpointtest.Key("film.mp4")
	if _, err := a.Open(ctx, key); err != nil {
		log.Fatal(err)
	}
	_, err = b.Open(ctx, key)
	var used *checkpoint.InUseError
	if errors.As(err, &used) {
		fmt.Println("claimed by", used.Holder)
	}

	a.Close() // gives all its claims up
	_, err = b.Open(ctx, key)
	fmt.Println("afterwards:", err)
	// Output:
	// claimed by worker a
	// afterwards: <nil>
}
