// A server whose requests have a pool each, in a subsystem with a budget: what a request leaves behind goes with it, also where one of
// its allocations failed, and the next one finds the whole budget.
#include "failing.h"
#include "heapbase_malloc.h"

#include <string.h>

typedef struct entry {
  struct entry *next;
  char *text;
  size_t size;
} entry;

// A list of `count` words in the request's own memory; success or the first error, and no path on which anything is freed.
static heapbase_error parse(heapbase_allocator memory, size_t count, entry **list) {
  *list = 0;
  for (size_t at = 0; at < count; at++) {
    void *block;
    heapbase_error error = heapbase_allocate(memory, sizeof(entry), sizeof(void *), &block);
    if (error.code) return error;
    entry *made = block;
    made->size = 8;
    error = heapbase_allocate(memory, made->size, at % 3 ? 1 : 64, &block);
    if (error.code) return error;
    MUST(at % 3 || (uintptr_t)block % 64 == 0);
    // Longer than expected: it grows, perhaps elsewhere.
    size_t size = 20 + at * 13 % 300;
    memcpy(block, "12345678", 8);
    error = heapbase_reallocate(memory, &block, made->size, at % 3 ? 1 : 64, size);
    if (error.code) return error;
    MUST(memcmp(block, "12345678", 8) == 0);
    made->text = block;
    made->size = size;
    memset(made->text, (int)at, size);
    made->next = *list;
    *list = made;
    // Scratch memory goes back at once, from the middle of what there is.
    void *scratch;
    error = heapbase_allocate(memory, 100, 8, &scratch);
    if (error.code) return error;
    heapbase_free(memory, scratch, 100, 8);
  }
  return HEAPBASE_OK;
}

// One request; its error outlives it, for the server keeps errors elsewhere.
static heapbase_error serve(heapbase_subsystem *requests, size_t count) {
  heapbase_pool *pool;
  heapbase_error error = heapbase_pool_make(heapbase_subsystem_allocator(requests), &pool);
  if (error.code) return error;
  // A part of the request has a budget of its own; it lies in the pool, and goes with it.
  heapbase_subsystem *part = 0;
  error = heapbase_subsystem_make(heapbase_pool_allocator(pool), "part", 100000, &part);
  entry *list = 0;
  if (!error.code) error = parse(heapbase_subsystem_allocator(part), count, &list);
  if (!error.code) {
    size_t at = count;
    for (; list; list = list->next) MUST(list->text[list->size - 1] == (char)--at);
    MUST(at == 0);
  }
  heapbase_pool_end(pool);
  return error;
}

static heapbase_error run(failing *below, size_t count) {
  heapbase_subsystem *requests;
  heapbase_error error = heapbase_subsystem_make(failing_allocator(below), "requests", 20000, &requests);
  if (error.code) return error;
  for (int request = 0; request < 3 && !error.code; request++) {
    error = serve(requests, count);
    MUST(heapbase_subsystem_figures(requests).live == 0);
  }
  heapbase_error closed = heapbase_subsystem_close(requests);
  MUST(closed.code == 0);
  return error;
}

HEAPBASE_CATEGORY(server, "server");
HEAPBASE_KIND(bad_request, server, 1, "bad request");

// A message is formatted where it is kept: what there is room for is told whole, and without room the kind is.
static void messages(void) {
  heapbase_subsystem *errors;
  MUST(heapbase_subsystem_make(heapbase_malloc(), "errors", 600, &errors).code == 0);
  char text[401];
  memset(text, 'x', 400);
  text[400] = 0;
  heapbase_error error = heapbase_error_format(errors, &bad_request, 7, HEAPBASE_OK, "%s", text);
  size_t len;
  const char *message = heapbase_error_message(error, &len);
  MUST(len == 400 && memcmp(message, text, 400) == 0);
  MUST(!heapbase_error_is_cut(error) && heapbase_error_number(error) == 7);
  heapbase_figures figures = heapbase_subsystem_figures(errors);
  MUST(figures.refused == 0 && figures.peak == figures.live && figures.live < 500);
  heapbase_error more = heapbase_error_format(errors, &bad_request, 8, HEAPBASE_OK, "%s", text);
  MUST(heapbase_error_is_cut(more) && heapbase_error_is(more, &bad_request));
  heapbase_error_message(more, &len);
  MUST(len == 0);
  heapbase_error_release(more);
  heapbase_error_release(error);
  // The end of a character that is cut off, and of a text.
  error = heapbase_error_format(errors, &bad_request, 0, HEAPBASE_OK, "%.4s|%d", "a\xc3\xa4\xe2\x82\xac", 5);
  message = heapbase_error_message(error, &len);
  MUST(len == 6 && memcmp(message, "a\xc3\xa4?|5", 6) == 0);
  heapbase_error_release(error);
  MUST(heapbase_subsystem_close(errors).code == 0);
}

int main(void) {
  messages();
  heapbase_pool_end(0);
  failing below = {heapbase_malloc(), 0, 0};
  heapbase_error error = run(&below, 20);
  MUST(error.code == 0 && below.live == 0 && below.held == 0);
  // Over the budget of the requests, and over a part's own.
  error = run(&below, 1000);
  MUST(heapbase_error_kind(error) == heapbase_over_budget() && below.live == 0 && below.held == 0);
  heapbase_error_release(error);
  long failed = 0;
  for (long at = 0;; at++) {
    requests_until_failure = at;
    error = run(&below, 20);
    MUST(below.live == 0 && below.held == 0);
    if (!error.code) break;
    MUST(heapbase_error_kind(error) == &injected_failure);
    heapbase_error_release(error);
    failed++;
  }
  MUST(failed > 200);
  printf("%ld allocations failed in turn, and nothing was left\n", failed);
  return 0;
}
