//go:build mmap

package main

import "syscall"

// A mapping for each block, as the system gives them: whole pages, two system calls a block.


func alloc(length int) []byte {
	block, err := syscall.Mmap(-1, 0, length, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	return block
}

func grow(block []byte, length int) []byte {
	grown := alloc(length)
	copy(grown, block)
	free(block)
	return grown
}

func free(block []byte) {
	if err := syscall.Munmap(block); err != nil {
		panic(err)
	}
}
