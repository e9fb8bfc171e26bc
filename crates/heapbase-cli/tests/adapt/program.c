// What C programs do: a heap, formatted text, constructors, failures.
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ready;

// What is kept here, the compiler cannot leave out.
static void *volatile seen;

__attribute__((constructor)) static void prepare(void) { ready = 42; }

__attribute__((export_name("shout"))) uint64_t shout(uint32_t address, uint32_t length) {
    char *text = malloc(length + 1);
    assert(text);
    for (uint32_t i = 0; i < length; i++) text[i] = ((char *)(uintptr_t)address)[i] & ~32;
    text[length] = 0;
    printf("%d: %s\n", ready, text);
    return (uint64_t)length << 32 | (uintptr_t)text;
}

__attribute__((export_name("check"))) uint64_t check(uint32_t address, uint32_t length) {
    assert(length == 3 && "three bytes are wanted");
    return 0;
}

// Takes until there is nothing left, and gives up.
__attribute__((export_name("hoard"))) uint64_t hoard(uint32_t address, uint32_t length) {
    while ((seen = malloc(65536))) memset(seen, 1, 65536);
    abort();
}

// Takes and gives back ten times the arena, in blocks of changing sizes, and then as much as there is.
__attribute__((export_name("churn"))) uint64_t churn(uint32_t address, uint32_t length) {
    size_t taken = 0;
    for (size_t i = 0; taken < 160u << 20; i++) {
        size_t size = 1000 + i * 7919 % 100000;
        char *block = malloc(size);
        if (!block) abort();
        seen = memset(block, 1, size);
        taken += size;
        free(block);
    }
    size_t blocks = 0;
    while ((seen = malloc(65536))) blocks++;
    // An arena of 16 MiB, but for what the allocator needs for itself.
    assert(blocks > 200 && blocks <= 256);
    printf("%zu\n", blocks);
    return 0;
}
