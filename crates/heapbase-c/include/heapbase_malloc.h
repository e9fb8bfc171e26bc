// The C library's malloc as one of heapbase's allocators, for programs that say so by including this. MIT OR Apache-2.0.
//
// The library itself never calls malloc: docs/allocators-as-values.md says why.
#ifndef HEAPBASE_MALLOC_H
#define HEAPBASE_MALLOC_H

#include "heapbase.h"

#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
#define HEAPBASE_MALLOC_ALIGN alignof(max_align_t)
#else
#define HEAPBASE_MALLOC_ALIGN _Alignof(max_align_t)
#endif

static inline heapbase_error heapbase_malloc_allocate(void *context, size_t size, size_t align, void **block) {
  (void)context;
  void *made = 0;
  if (align <= HEAPBASE_MALLOC_ALIGN) {
    made = malloc(size);
  } else if (size <= SIZE_MAX - align) {
    // aligned_alloc asks for a multiple of the alignment.
    made = aligned_alloc(align, (size + align - 1) / align * align);
  }
  if (!made) return HEAPBASE_ERROR(*heapbase_out_of_memory());
  *block = made;
  return HEAPBASE_OK;
}

static inline void heapbase_malloc_free(void *context, void *block, size_t size, size_t align) {
  (void)context, (void)size, (void)align;
  free(block);
}

static inline heapbase_error heapbase_malloc_reallocate(void *context, void **block, size_t size, size_t align,
                                                        size_t new_size) {
  if (align <= HEAPBASE_MALLOC_ALIGN) {
    void *moved = realloc(*block, new_size);
    if (!moved) return HEAPBASE_ERROR(*heapbase_out_of_memory());
    *block = moved;
    return HEAPBASE_OK;
  }
  void *moved = 0;
  heapbase_error error = heapbase_malloc_allocate(context, new_size, align, &moved);
  if (error.code) return error;
  memcpy(moved, *block, size < new_size ? size : new_size);
  free(*block);
  *block = moved;
  return HEAPBASE_OK;
}

// The C library's allocator. It works for good, and from any thread. Without memory its error is heapbase_out_of_memory.
static inline heapbase_allocator heapbase_malloc(void) {
  static const heapbase_operations operations = {
      heapbase_malloc_allocate, heapbase_malloc_reallocate, heapbase_malloc_free, 0, 0, 0};
  return HEAPBASE_LITERAL(heapbase_allocator){&operations, 0};
}

#endif
