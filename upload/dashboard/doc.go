// Package dashboard is a page that shows what an upload.Client does while it does it: the
// state and what it waits for, bytes sent and bytes acknowledged, the time left, requests
// in flight, when the token expires, the files, the parts of one of them, and the requests
// that failed, with their request IDs for Alibaba Cloud's support.
//
//	recorder := dashboard.NewRecorder()
//	client, err := upload.New(&upload.Options{Credentials: provider, Observer: recorder.Observer()})
//	...
//	page, err := dashboard.New(client, &dashboard.Options{Recorder: recorder})
//	...
//	defer page.Close()
//	go http.ListenAndServe("127.0.0.1:8080", page)
//
// [New] returns an [http.Handler], which works under any prefix, and needs nothing besides:
// the page is in the program.
//
// # Cost
//
// Nothing is made while nobody looks, but for what a [Recorder] notes of each request.
// Updates are made at most four times a second, once for all viewers, and only what has
// changed is sent. A list of any length may be shown: the page has 200 files, those under
// way before those that failed, those that wait for their turn and those that are done; the
// figures count all, and the search goes through all. Walking through a long list takes at
// most a fiftieth of one processor.
//
// # Who may look
//
// Without Options.Admit only this machine: requests that come from an address of the
// loopback interface, and that no proxy has passed on. In any case requests under other
// names than localhost, an address or Options.Hosts are refused, and so are those of pages
// of other sites. The page may do nothing but look unless Options.Control is set; commands
// are accepted from the page alone.
//
// What is shown has no secret in it, but it names files, buckets and objects.
//
// # Data
//
// GET state returns one JSON object, with a member for each topic: figures, files,
// problems, fleet where there is one, and parts for the file of the query (?file=7). GET
// events is a stream of server-sent events with the same topics, each sent when it has
// changed. Sizes are in bytes, times are Unix times in milliseconds, 0 where there is none.
// Both are for this page: their members may change with each release.
package dashboard
