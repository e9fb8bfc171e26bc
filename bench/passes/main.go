// What runtimes in Go spend their time with: hashing, copies of a few bytes and of many, maps and text, floating point.
package main

import (
	"crypto/sha256"
	"fmt"
	"math"
	"sort"
)

var space = make([]byte, 1<<20)

//go:wasmexport sha256_of_1_MiB
func sha(_, _ uint32) uint64 {
	sum := sha256.Sum256(space)
	return uint64(sum[0]) | uint64(sum[31])<<8
}

//go:wasmexport copies_up_to_300_bytes
func copies(_, _ uint32) uint64 {
	sum := byte(0)
	buffer := make([]byte, 0, 512)
	for i := 0; i < 200000; i++ {
		size := i % 300
		buffer = append(buffer[:0], space[i%1000:i%1000+size]...)
		if size > 0 {
			sum += buffer[size/2]
		}
	}
	return uint64(sum)
}

//go:wasmexport copies_of_1_MiB
func large(_, _ uint32) uint64 {
	for i := 0; i < 50; i++ {
		copy(space[1:], space[:len(space)-1])
		copy(space[:len(space)-7], space[7:])
	}
	return uint64(space[9])
}

//go:wasmexport maps_and_text
func words(_, _ uint32) uint64 {
	counts := map[string]int{}
	for i := 0; i < 5000; i++ {
		counts[fmt.Sprintf("w%d", i%97)]++
	}
	var all []string
	for word, count := range counts {
		all = append(all, fmt.Sprintf("%s=%d;", word, count))
	}
	sort.Strings(all)
	return uint64(len(all))
}

//go:wasmexport floating_point
func floats(_, _ uint32) uint64 {
	x, total := 1.0, int64(0)
	for i := 1; i < 500000; i++ {
		x = math.Sqrt(x*1.0000001+float64(i)) / 1.5
		total += int64(x) + int64(int8(total)) + int64(uint32(x*3))
	}
	return uint64(total)
}

func main() {}
