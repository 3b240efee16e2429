//go:build !linux && !darwin

package fskind

func network(string) string { return "" }
