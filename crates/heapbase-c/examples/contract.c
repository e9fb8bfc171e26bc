// What the header promises where few programs go: bytes that nobody aligned or that are too few, sizes of nothing, layouts that there are not,
// what a block may be used for.
#include "failing.h"
#include "heapbase_malloc.h"

#include <string.h>

// A heap in `len` bytes that end where an allocation ends, so that a sanitizer sees whoever goes past them.
static bool arena(size_t len, size_t skip) {
  char *bytes = malloc(skip + len);
  MUST(bytes);
  heapbase_allocator memory;
  heapbase_error error = heapbase_arena_make(bytes + skip, len, &memory);
  bool made = error.code == 0;
  if (!made) {
    MUST(heapbase_error_is(error, heapbase_out_of_memory()));
    heapbase_error_release(error);
  }
  // All that there is, twice: what was given back is there again.
  size_t had = 0;
  for (int turn = 0; made && turn < 2; turn++) {
    void *blocks[100];
    size_t count = 0;
    while (count < 100) {
      error = heapbase_allocate(memory, 24, 8, &blocks[count]);
      if (error.code) break;
      MUST((uintptr_t)blocks[count] % 8 == 0);
      MUST((char *)blocks[count] >= bytes + skip && (char *)blocks[count] + 24 <= bytes + skip + len);
      size_t usable = heapbase_usable_size(memory, blocks[count], 24, 8);
      MUST(usable >= 24);
      memset(blocks[count], (int)count, usable);
      count++;
    }
    heapbase_error_release(error);
    for (size_t at = 0; at < count; at++) {
      MUST(*(unsigned char *)blocks[at] == at);
      heapbase_free(memory, blocks[at], 24, 8);
    }
    MUST(turn == 0 || count == had);
    had = count;
  }
  free(bytes);
  return had > 0;
}

static void arenas(void) {
  bool before = false;
  for (size_t len = 0; len < 3000; len++) {
    for (size_t skip = 0; skip < 16; skip += 5) {
      bool works = arena(len, skip);
      // A few bytes more are no harm.
      MUST(skip != 0 || works || !before);
      if (skip == 0) before = works;
    }
  }
  MUST(before);
}

// Blocks of all sizes come and go in an arena at any address: nothing of the heap's own lies in what it gives.
static void walk(size_t skip) {
  enum { BLOCKS = 64, BYTES = 200000 };
  char *bytes = malloc(BYTES);
  MUST(bytes);
  heapbase_allocator memory;
  MUST(heapbase_arena_make(bytes + skip, BYTES - skip, &memory).code == 0);
  char *blocks[BLOCKS] = {0};
  size_t sizes[BLOCKS] = {0};
  for (size_t round = 0; round < 20000; round++) {
    size_t at = round * 37 % BLOCKS;
    for (size_t byte = 0; byte < sizes[at]; byte++) MUST(blocks[at][byte] == (char)at);
    heapbase_free(memory, blocks[at], sizes[at], 1);
    sizes[at] = 1 + round * 131 % (round % 3 ? 150 : 5000);
    void *block;
    MUST(heapbase_allocate(memory, sizes[at], 1, &block).code == 0);
    // Where a size is rounded up there is more to use, and who asks is told.
    MUST(heapbase_usable_size(memory, block, sizes[at], 1) >= sizes[at] + (sizes[at] % 4 != 0));
    blocks[at] = block;
    memset(block, (int)at, heapbase_usable_size(memory, block, sizes[at], 1));
  }
  free(bytes);
}

static void sizes(heapbase_allocator memory, const failing *below) {
  void *block = memory.context;
  MUST(heapbase_allocate(memory, 0, 8, &block).code == 0 && block == 0);
  // NULL is a block of no bytes.
  MUST(heapbase_reallocate(memory, &block, 0, 8, 40).code == 0 && block != 0 && below->live == 40);
  memset(block, 7, 40);
  MUST(heapbase_usable_size(memory, block, 40, 8) == 40 && heapbase_usable_size(memory, 0, 0, 8) == 0);
  // What is no layout changes nothing.
  void *was = block;
  const size_t wrong[][2] = {{40, 0}, {40, 3}, {SIZE_MAX, 8}, {SIZE_MAX / 2 + 1, 8}};
  for (size_t at = 0; at < sizeof wrong / sizeof *wrong; at++) {
    heapbase_error error = heapbase_reallocate(memory, &block, 40, wrong[at][1] == 8 ? 8 : wrong[at][1], wrong[at][0]);
    MUST(error.code != 0 && block == was && below->live == 40);
    heapbase_error_release(error);
    error = heapbase_allocate(memory, wrong[at][0], wrong[at][1], &block);
    MUST(error.code != 0 && block == was && below->live == 40);
    heapbase_error_release(error);
  }
  for (int at = 0; at < 40; at++) MUST(((char *)block)[at] == 7);
  // A block that is made of no bytes is given back.
  MUST(heapbase_reallocate(memory, &block, 40, 8, 0).code == 0 && block == 0 && below->live == 0);
  heapbase_free(memory, 0, 40, 8);
  heapbase_free(memory, block, 0, 8);
}

// An allocator that says that all is well, and gives nothing.
static heapbase_error give_nothing(void *context, size_t size, size_t align, void **block) {
  (void)context, (void)size, (void)align;
  *block = 0;
  return HEAPBASE_OK;
}

static void free_nothing(void *context, void *block, size_t size, size_t align) {
  (void)context, (void)block, (void)size, (void)align;
}

static void nothing(void) {
  static const heapbase_operations operations = {give_nothing, 0, free_nothing, 0, 0, 0};
  heapbase_allocator memory = {&operations, 0};
  heapbase_subsystem *part = 0;
  heapbase_error error = heapbase_subsystem_make(memory, "nothing", SIZE_MAX, &part);
  MUST(heapbase_error_is(error, heapbase_out_of_memory()) && part == 0);
  heapbase_error_release(error);
}

int main(void) {
  arenas();
  for (size_t skip = 0; skip < 32; skip++) walk(skip);
  failing below = {heapbase_malloc(), 0, 0};
  sizes(failing_allocator(&below), &below);
  nothing();
  puts("as the header says");
}
