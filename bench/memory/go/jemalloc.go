//go:build jemalloc

package main

// #cgo LDFLAGS: -ljemalloc
// extern int mallctl(const char *, void *, unsigned long *, void *, unsigned long);
// static int jemalloc_is_linked(void) { const char *version; unsigned long size = sizeof version; return mallctl("version", &version, &size, 0, 0); }
import "C"

// Named so that the linker keeps the library, and fails where it is missing.
func init() {
	if C.jemalloc_is_linked() != 0 {
		panic("jemalloc does not answer")
	}
}
