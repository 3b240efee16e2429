// Package conformance proves that osstest is as strict as OSS itself: the Go
// SDKs of both versions drive it, and the multipart suites that the SDK of
// version 1 runs against the real service run against it. The official OpenAPI SDKs
// drive ststest and vodtest in the same way.
//
// It has only tests.
package conformance
