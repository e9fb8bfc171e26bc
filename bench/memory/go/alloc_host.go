//go:build host_heap && wasip1

package main

import "unsafe"

// The allocator that a runtime imports: the host's, or under v1 the one that `heapbase adapt` puts into the module. Go's collector never
// looks at these blocks.

//go:wasmimport env ext_allocator_malloc_version_1
func hostMalloc(size uint32) uint32

//go:wasmimport env ext_allocator_free_version_1
func hostFree(block uint32)

func alloc(length int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(hostMalloc(uint32(length))))), length)
}

func grow(block []byte, length int) []byte {
	grown := alloc(length)
	copy(grown, block)
	free(block)
	return grown
}

func free(block []byte) { hostFree(uint32(uintptr(unsafe.Pointer(unsafe.SliceData(block))))) }
