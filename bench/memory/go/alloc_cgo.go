//go:build cgo_malloc

package main

// #include <stdlib.h>
import "C"

import "unsafe"

// The C library's functions through cgo: glibc's, or jemalloc's where it is linked in front of them.


func alloc(length int) []byte {
	return unsafe.Slice((*byte)(C.malloc(C.size_t(length))), length)
}

func grow(block []byte, length int) []byte {
	return unsafe.Slice((*byte)(C.realloc(unsafe.Pointer(unsafe.SliceData(block)), C.size_t(length))), length)
}

func free(block []byte) { C.free(unsafe.Pointer(unsafe.SliceData(block))) }
