//go:build arena

package main

import (
	"math/bits"
	"unsafe"
)

// One piece of memory, and in it lists of free blocks by powers of two: the least that one writes by hand. Where the piece comes from is in a
// file of its own, for there is no Mmap in a runtime.

var (
	arena     = reserve()
	used      int
	freeLists [32]unsafe.Pointer
)

func class(length int) int { return max(4, bits.Len(uint(length-1))) }

func alloc(length int) []byte {
	order := class(length)
	if block := freeLists[order]; block != nil {
		freeLists[order] = *(*unsafe.Pointer)(block)
		return unsafe.Slice((*byte)(block), length)
	}
	if used+1<<order > len(arena) {
		panic("the arena is full")
	}
	start := used
	used += 1 << order
	return arena[start : start+length : start+length]
}

func grow(block []byte, length int) []byte {
	grown := alloc(length)
	copy(grown, block)
	free(block)
	return grown
}

func free(block []byte) {
	order := class(len(block))
	start := unsafe.Pointer(unsafe.SliceData(block))
	*(*unsafe.Pointer)(start) = freeLists[order]
	freeLists[order] = start
}
