package filelist

import "maps"

// Shrink returns a map with the elements of m: m itself, or a smaller one, since a map
// never gives back the memory of its deleted elements. Call it after each deletion. peak
// is how many elements m had at most.
func Shrink[K comparable, V any](m map[K]V, peak *int) map[K]V {
	const least = 128
	*peak = max(*peak, len(m)+1)
	if *peak < least || len(m) > *peak/4 {
		return m
	}
	*peak = len(m)
	small := make(map[K]V, len(m))
	maps.Copy(small, m)
	return small
}
