// Package memnet is a network in memory, for tests in a bubble of testing/synctest: no
// real socket is durably blocked there, so that with one the bubble's time would stand
// still.
//
// A [Network] has listeners, and machines that connect to them, each a [Host]. Its [Link]
// says how it is: slow, refused, without names, or silent. [Network.Set] changes that at
// any moment, for the connections that there are as well as for those to come, and
// [Network.Cut] and [Network.Strand] break the ones that there are:
//
//	network := memnet.New()
//	defer network.Close()
//	network.Serve("oss.test:80", server)
//	client := &http.Client{Transport: network.Host("laptop").Transport()}
//	...
//	network.Set(memnet.Link{Refused: true})
//	time.Sleep(time.Minute)
//	network.Set(memnet.Link{})
//
// Connections behave as those of TCP do. They take some kilobytes before the other side
// has read any; an end that is closed lets what was written before arrive; one that is
// closed with bytes that it has not read resets the connection. Deadlines, CloseWrite and
// SetLinger work. There is no TLS and no packet: a write arrives as it was made.
package memnet
