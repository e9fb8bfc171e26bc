//go:build wasip1

package main

import (
	"encoding/binary"
	"unsafe"
)

var output [4]byte

// The workload as an entry point: the input is two u32, the output one.
//
//go:wasmexport workload_run
func run(address, length uint32) uint64 {
	input := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(address))), length)
	result := workload(binary.LittleEndian.Uint32(input), binary.LittleEndian.Uint32(input[4:]))
	binary.LittleEndian.PutUint32(output[:], result)
	return uint64(uintptr(unsafe.Pointer(&output))) | 4<<32
}

func main() {}
