package osstest

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

// lingering is how long an orderly end of a connection waits for the client to
// close its side.
const lingering = 2 * time.Second

// hijack takes the connection out of the hands of net/http. From then on the
// call is over for the operation.
func (x *exchange) hijack() net.Conn {
	x.over = true
	conn, _, err := http.NewResponseController(x.answer.w).Hijack()
	if err != nil {
		x.applyInAnswer()
		panic(http.ErrAbortHandler)
	}
	return conn
}

// applyInAnswer records the faults whose moment would have been in the answer, if
// there were a connection to send it on.
func (x *exchange) applyInAnswer() {
	for _, p := range x.chosen {
		if p.spec.moment == inAnswer && x.answer.status != 0 {
			x.apply(p)
		}
	}
}

// reset ends the connection so that the client gets a TCP reset.
func (x *exchange) reset() {
	if x.over {
		return
	}
	conn := x.hijack()
	x.s.requests.leave(x.log)
	resetConn(conn)
}

// resetConn closes a connection with a reset: the system sends one when the
// connection is closed without time to linger.
func resetConn(conn net.Conn) {
	conn = plainConn(conn)
	if l, ok := conn.(interface{ SetLinger(int) error }); ok {
		l.SetLinger(0)
	}
	conn.Close()
}

// disconnect ends the connection so that the client sees its orderly end.
func (x *exchange) disconnect() {
	conn := x.hijack()
	stop := x.watch(conn)
	defer stop()
	x.s.requests.leave(x.log)
	x.closeConn(conn)
}

// closeConn closes our side of a connection, and waits a while for the client
// to close its own: the system makes a reset of an end that comes while there
// are bytes that nobody has read.
func (x *exchange) closeConn(conn net.Conn) {
	half, ok := plainConn(conn).(interface{ CloseWrite() error })
	if ok && half.CloseWrite() == nil {
		x.pause(lingering)
	}
}

// watch makes known, through x.gone, when the client closes its side of a
// hijacked connection. It reads what still comes. When the server is closed, it
// ends writes that wait for a client who does not read. The caller must call
// stop, which closes the connection.
func (x *exchange) watch(conn net.Conn) (stop func()) {
	conn = plainConn(conn)
	unstick := context.AfterFunc(x.req.Context(), func() { conn.SetDeadline(time.Unix(1, 0)) })
	gone := make(chan struct{})
	x.gone = gone
	go func() {
		defer close(gone)
		io.Copy(io.Discard, conn)
	}()
	return func() {
		unstick()
		conn.Close()
		<-gone
	}
}

// plainConn returns the TCP connection below TLS.
func plainConn(conn net.Conn) net.Conn {
	if t, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return t.NetConn()
	}
	return conn
}
