// The allocator that a runtime of the spec `v1` exports (RFC-0061). Under `local` there is nothing to export.
#ifdef HB_V1

#include "memory.h"

#define EXPORT(name) __attribute__((export_name(#name)))

EXPORT(v1) void hb_v1(void) {}

EXPORT(alloc) void *hb_v1_alloc(size_t size) { return malloc(size); }

EXPORT(dealloc) void hb_v1_dealloc(void *block, __attribute__((unused)) size_t size) { free(block); }

EXPORT(realloc) void *hb_v1_realloc(void *block, __attribute__((unused)) size_t size, size_t new_size) {
    return realloc(block, new_size);
}

#else

// So that a node's operator sees which spec this is; hosts take no notice.
__asm__(".section .custom_section.heapbase,\"\",@\n"
        ".ascii \"{\\\"to\\\":\\\"local\\\",\\\"allocator\\\":\\\"size-class\\\"}\"\n");

#endif
