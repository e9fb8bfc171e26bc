// Memory: C's functions, served by heapbase's allocator inside of the module, and the kit's checked forms of them.
//
// Everything that `malloc` gave is freed with `free`. What a host function returned belongs to whoever owns the heap, which
// differs between the specs: it is freed with `hb_host_free` (host.h) and never with `free`.
#pragma once

#include <stddef.h>
#include <stdint.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

// As `malloc` and `realloc`; panics when out of memory.
void *hb_alloc(size_t size);
void *hb_realloc(void *block, size_t size);
