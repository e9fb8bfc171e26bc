//go:build cgo_calloc

package main

// #include <stdlib.h>
import "C"

import "unsafe"

// As with malloc, but zeroed, as Go's own blocks are.


func alloc(length int) []byte {
	return unsafe.Slice((*byte)(C.calloc(1, C.size_t(length))), length)
}

func grow(block []byte, length int) []byte {
	return unsafe.Slice((*byte)(C.realloc(unsafe.Pointer(unsafe.SliceData(block)), C.size_t(length))), length)
}

func free(block []byte) { C.free(unsafe.Pointer(unsafe.SliceData(block))) }
