//go:build !wasip1

package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Prints the sum, nanoseconds of processor time a transfer, and the largest resident set in KiB: `native TRANSFERS BLOCKS`.
func main() {
	transfers, _ := strconv.Atoi(os.Args[1])
	blocks, _ := strconv.Atoi(os.Args[2])
	begin := usage()
	result := workload(uint32(transfers), uint32(blocks))
	end := usage()
	nanos := end.Utime.Nano() + end.Stime.Nano() - begin.Utime.Nano() - begin.Stime.Nano()
	fmt.Printf("%d %.1f %d\n", result, float64(nanos)/float64(transfers)/float64(blocks), resident())
}

// resident is the most that this process ever had in memory, in KiB. (Rusage would count what its parent had before it.)
func resident() (most int) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		panic(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(rest, &most)
	return most
}

// usage is what this process has used so far, the collector's threads included.
func usage() (total syscall.Rusage) {
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &total); err != nil {
		panic(err)
	}
	return total
}
