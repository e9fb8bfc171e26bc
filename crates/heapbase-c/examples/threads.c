// One subsystem, its blocks and its errors, used by several threads: each frees what another allocated, and errors are released by
// whoever comes last.
#include "failing.h"
#include "heapbase_malloc.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

HEAPBASE_CATEGORY(errors, "threads");
HEAPBASE_KIND(raised, errors, 1, "raised");

enum { THREADS = 4, ROUNDS = 3000, SLOTS = 64 };

static heapbase_subsystem *part;
static _Atomic(char *) blocks[SLOTS];
// Two words do not fit into an atomic: an error travels behind a pointer.
static _Atomic(heapbase_error *) travelling[SLOTS];

// A pool that threads share: each leaves something behind, and what one allocated another frees.
static heapbase_pool *pool;
static _Atomic(char *) pooled[SLOTS];

static void *swim(void *argument) {
  size_t seed = (size_t)argument * 104729 + 1;
  heapbase_allocator memory = heapbase_pool_allocator(pool);
  for (int round = 0; round < ROUNDS; round++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    size_t slot = (seed >> 33) % SLOTS;
    void *block;
    MUST(heapbase_allocate(memory, 20 + slot, 64, &block).code == 0);
    memset(block, (int)slot, 20 + slot);
    MUST(heapbase_reallocate(memory, &block, 20 + slot, 64, 40 + slot).code == 0);
    ((char *)block)[39 + slot] = (char)slot;
    char *other = atomic_exchange(&pooled[slot], block);
    MUST(!other || (other[0] == (char)slot && other[39 + slot] == (char)slot));
    if (round % 10) heapbase_free(memory, other, 40 + slot, 64);
  }
  return 0;
}

static void *work(void *argument) {
  size_t seed = (size_t)argument * 7919 + 1;
  heapbase_allocator memory = heapbase_subsystem_allocator(part);
  for (int round = 0; round < ROUNDS; round++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    size_t slot = (seed >> 33) % SLOTS;
    void *block;
    heapbase_error error = heapbase_allocate(memory, 48, 16, &block);
    MUST(error.code == 0 || heapbase_error_is(error, heapbase_over_budget()));
    if (!error.code) {
      memset(block, (int)slot, 48);
      char *other = atomic_exchange(&blocks[slot], block);
      MUST(!other || other[47] == (char)slot);
      heapbase_free(memory, other, 48, 16);
    }
    heapbase_error_release(error);
    heapbase_error *letter = malloc(sizeof *letter);
    *letter = heapbase_error_format(part, &raised, slot, HEAPBASE_OK, "by %zu in round %d", (size_t)argument, round);
    heapbase_error copy = heapbase_error_acquire(*letter);
    heapbase_error *other = atomic_exchange(&travelling[slot], letter);
    if (other) {
      MUST(heapbase_error_is(*other, &raised));
      heapbase_error_release(*other);
      free(other);
    }
    heapbase_error_release(copy);
    heapbase_figures figures = heapbase_subsystem_figures(part);
    MUST(figures.live <= figures.budget);
  }
  heapbase_subsystem_release(part);
  return 0;
}

int main(void) {
  MUST(heapbase_subsystem_make(heapbase_malloc(), "shared", 6000, &part).code == 0);
  pthread_t threads[THREADS];
  for (size_t at = 0; at < THREADS; at++) {
    heapbase_subsystem_acquire(part);
    MUST(pthread_create(&threads[at], 0, work, (void *)at) == 0);
  }
  for (size_t at = 0; at < THREADS; at++) pthread_join(threads[at], 0);
  heapbase_figures figures = heapbase_subsystem_figures(part);
  MUST(figures.refused > 0 && figures.failed == 0 && figures.live > 0);
  heapbase_allocator memory = heapbase_subsystem_allocator(part);
  for (size_t slot = 0; slot < SLOTS; slot++) {
    heapbase_free(memory, blocks[slot], 48, 16);
    if (travelling[slot]) heapbase_error_release(*travelling[slot]);
    free(travelling[slot]);
  }
  MUST(heapbase_subsystem_figures(part).live == 0);
  heapbase_subsystem_set_budget(part, SIZE_MAX);
  MUST(heapbase_pool_make(heapbase_subsystem_allocator(part), &pool).code == 0);
  for (size_t at = 0; at < THREADS; at++) MUST(pthread_create(&threads[at], 0, swim, (void *)at) == 0);
  for (size_t at = 0; at < THREADS; at++) pthread_join(threads[at], 0);
  MUST(heapbase_subsystem_figures(part).live > 0);
  heapbase_pool_end(pool);
  MUST(heapbase_subsystem_figures(part).live == 0);
  MUST(heapbase_subsystem_close(part).code == 0);
  printf("threads: as they should, %zu requests refused\n", figures.refused);
  return 0;
}
