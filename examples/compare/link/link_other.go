//go:build !linux

package link

import (
	"context"
	"errors"
	"net"
)

// ServerIP is the address of the server's side.
const ServerIP = "10.77.0.2"

var errLinux = errors.New("link: a link needs Linux, for its network namespaces")

// A Link joins two sides.
type Link struct{ Client, Server *Side }

// A Side is one end of a link.
type Side struct{}

// New returns an error: there are no links here.
func New(Shape) (*Link, error) { return nil, errLinux }

// Possible says what is missing here for a link.
func Possible() error { return errLinux }

// SetDown does nothing here.
func (l *Link) SetDown(bool) {}

// Close does nothing here.
func (l *Link) Close() {}

// Do returns an error here.
func (s *Side) Do(func() error) error { return errLinux }

// Listen returns an error here.
func (s *Side) Listen(string) (net.Listener, error) { return nil, errLinux }

// Dial returns an error here.
func (s *Side) Dial(context.Context, string, string) (net.Conn, error) { return nil, errLinux }
