// Package fleettest runs three NATS servers as processes of a test, to kill and stop.
package fleettest
