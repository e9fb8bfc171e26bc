// What programs do that the stock toolchain emits: maps, formatting, goroutines, sleeping, garbage, failures.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"
	"unsafe"
)

//go:wasmimport env ext_storage_set_version_1
func storageSet(key, value int64)

var kept []byte

func slice(bytes []byte) int64 {
	if len(bytes) == 0 {
		return 0
	}
	kept = bytes
	return int64(uintptr(unsafe.Pointer(&bytes[0]))) | int64(len(bytes))<<32
}

func input(address, length int32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(uint32(address)))), length)
}

//go:wasmexport Core_version
func coreVersion(address, length int32) int64 { return slice([]byte("hello from Go")) }

//go:wasmexport empty
func empty(address, length int32) int64 {
	if address == 0 {
		panic("an empty input at address 0")
	}
	return 0
}

//go:wasmexport words
func words(address, length int32) int64 {
	counts := map[string]int{}
	for _, word := range strings.Fields(string(input(address, length))) {
		counts[word]++
	}
	var lines []string
	for word, count := range counts {
		lines = append(lines, fmt.Sprintf("%s=%d", word, count))
	}
	sort.Strings(lines)
	return slice([]byte(strings.Join(lines, " ")))
}

//go:wasmexport store
func store(address, length int32) int64 {
	key, value := []byte("key"), append([]byte(nil), input(address, length)...)
	storageSet(slice(key), slice(value))
	runtime.KeepAlive(key)
	return 0
}

//go:wasmexport fail
func fail(address, length int32) int64 {
	return int64(input(address, length)[length])
}

//go:wasmexport leave
func leave(address, length int32) int64 {
	fmt.Println("leaving")
	os.Exit(7)
	return 0
}

type node struct {
	next *node
	data [1008]byte
}

var last *node

// Allocates ten times the arena, of which nothing stays.
//
//go:wasmexport garbage
func garbage(address, length int32) int64 {
	for i := 0; i < 160*1024; i++ {
		last = &node{data: [1008]byte{byte(i)}}
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	if stats.NumGC < 5 {
		panic("the collector has not run")
	}
	return slice([]byte("collected"))
}

// Allocates until there is nothing left.
//
//go:wasmexport hoard
func hoard(address, length int32) int64 {
	for {
		last = &node{next: last}
	}
}

//go:wasmexport goroutines
func goroutines(address, length int32) int64 {
	squares := make(chan int)
	for i := range 10 {
		go func() { squares <- i * i }()
	}
	sum := 0
	for range 10 {
		sum += <-squares
	}
	return slice([]byte(fmt.Sprint(sum)))
}

//go:wasmexport sleep
func sleep(address, length int32) int64 {
	before := time.Now()
	time.Sleep(3 * time.Hour)
	return slice([]byte(fmt.Sprint(time.Since(before) >= 3*time.Hour)))
}

//go:wasmexport deadlock
func deadlock(address, length int32) int64 {
	<-make(chan int)
	return 0
}

func main() {}
