//go:build arena && wasip1

package main

// Of Go's own heap, which the collector does not look into: it holds no pointers of Go's.
func reserve() []byte { return make([]byte, 4<<20) }
