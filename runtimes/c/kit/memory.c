#include "memory.h"

#include "panic.h"

void *hb_alloc(size_t size) {
    void *block = malloc(size);
    if (!block) hb_panic("out of memory");
    return block;
}

void *hb_realloc(void *block, size_t size) {
    block = realloc(block, size);
    if (!block) hb_panic("out of memory");
    return block;
}
