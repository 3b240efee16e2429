package main

import (
	"time"

	"github.com/vodupload/vodupload/upload"
)

// showTime is how long the bytes travel where somebody watches: over loopback they
// would be there before the eye has read the first line.
const showTime = 6 * time.Second

// pace returns how many bytes a second are sent; 0: as many as possible.
func pace(size int64, watched bool) int64 {
	if !watched {
		return 0
	}
	perSecond := size / int64(showTime/time.Second)
	if perSecond < upload.MinBandwidthLimit {
		return 0
	}
	return perSecond
}
