// Exercises what the Go compiler emits beyond the MVP: copies of all sizes, clearing, sign extension, conversions of floating point,
// calls through the table, maps and formatting. Each export gives (pointer, length) of what it computed.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"sort"
	"unsafe"
)

var keep []byte

func output(b []byte) uint64 {
	keep = b
	if len(b) == 0 {
		return 0
	}
	return uint64(uint32(uintptr(unsafe.Pointer(&b[0])))) | uint64(len(b))<<32
}

var big = make([]byte, 1<<16)

//go:wasmexport sha
func sha(ptr, n uint32) uint64 {
	for i := range big {
		big[i] = byte(i * 7)
	}
	s := sha256.Sum256(big)
	return output(s[:])
}

//go:wasmexport copies
func copies(ptr, n uint32) uint64 {
	sum := byte(0)
	buf := make([]byte, 0, 64)
	for i := 0; i < 20000; i++ {
		size := i % 300
		buf = append(buf[:0], big[i%1000:i%1000+size]...)
		if size > 0 {
			sum += buf[size/2]
		}
	}
	for i := 0; i < 4; i++ {
		copy(big[1:], big[:len(big)-1])
		copy(big[:len(big)-7], big[7:])
	}
	return output([]byte{sum})
}

//go:wasmexport words
func words(ptr, n uint32) uint64 {
	m := map[string]int{}
	for i := 0; i < 500; i++ {
		m[fmt.Sprintf("w%d", i%97)]++
	}
	var keys []string
	for k, v := range m {
		keys = append(keys, fmt.Sprintf("%s=%d;", k, v))
	}
	sort.Strings(keys)
	s := ""
	for _, k := range keys {
		s += k
	}
	return output([]byte(s))
}

//go:wasmexport floats
func floats(ptr, n uint32) uint64 {
	var x float64 = 1
	var t int64
	for i := 1; i < 30000; i++ {
		x = math.Sqrt(x*1.0000001+float64(i)) / 1.5
		t += int64(x) + int64(int8(t)) + int64(uint32(x*3))
	}
	b := make([]byte, 16)
	binary.LittleEndian.PutUint64(b, math.Float64bits(x))
	binary.LittleEndian.PutUint64(b[8:], uint64(t))
	return output(b)
}

func main() {}
