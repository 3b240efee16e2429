//go:build race

package upload_test

const raced = true
