//go:build gc_all

package main

// Go's own memory, all of it on the heap: a call that is not inlined returns what escapes.

//go:noinline
func alloc(length int) []byte { return make([]byte, length) }

func grow(block []byte, length int) []byte {
	grown := alloc(length)
	copy(grown, block)
	return grown
}

func free([]byte) {}
