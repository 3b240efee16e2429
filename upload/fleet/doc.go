// Package fleet uploads with many workers, on one machine or on many.
package fleet
