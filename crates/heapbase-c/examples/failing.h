// An allocator over another that fails at a chosen request, and knows what is live: for tests.
#ifndef FAILING_H
#define FAILING_H

#include "heapbase.h"

#include <stdio.h>
#include <stdlib.h>

HEAPBASE_CATEGORY(injected, "injected");
HEAPBASE_KIND(injected_failure, injected, 1, "this request was chosen to fail");

typedef struct {
  heapbase_allocator below;
  size_t live;
  int held;
} failing;

// Requests of all of them until one fails; negative is never.
static long requests_until_failure = -1;

static heapbase_error failing_allocate(void *context, size_t size, size_t align, void **block) {
  failing *self = context;
  if (requests_until_failure >= 0 && requests_until_failure-- == 0) return HEAPBASE_ERROR(injected_failure);
  heapbase_error error = heapbase_allocate(self->below, size, align, block);
  if (!error.code) self->live += size;
  return error;
}

static heapbase_error failing_reallocate(void *context, void **block, size_t size, size_t align, size_t new_size) {
  failing *self = context;
  if (requests_until_failure >= 0 && requests_until_failure-- == 0) return HEAPBASE_ERROR(injected_failure);
  heapbase_error error = heapbase_reallocate(self->below, block, size, align, new_size);
  if (!error.code) self->live += new_size - size;
  return error;
}

static void failing_free(void *context, void *block, size_t size, size_t align) {
  failing *self = context;
  self->live -= size;
  heapbase_free(self->below, block, size, align);
}

static void failing_hold(void *context) { ((failing *)context)->held += 1; }
static void failing_let_go(void *context) { ((failing *)context)->held -= 1; }

static const heapbase_operations failing_operations = {failing_allocate, failing_reallocate, failing_free, 0,
                                                       failing_hold,     failing_let_go};

static inline heapbase_allocator failing_allocator(failing *self) {
  heapbase_allocator allocator = {&failing_operations, self};
  return allocator;
}

// As assert, in every build.
#define MUST(condition)                                                                     \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);        \
      exit(1);                                                                              \
    }                                                                                       \
  } while (0)

#endif
