// A stack machine with three allocators, and a failure at every single allocation in turn.
//
// Its state lies in an arena, its errors in a subsystem over malloc, its host's memory in a subsystem with a budget over that.
#include "failing.h"
#include "heapbase_malloc.h"
#include "machine.h"

#include <limits.h>
#include <string.h>

HEAPBASE_CATEGORY(host_errors, "host");
HEAPBASE_KIND(host_too_large, host_errors, 1, "the number is too large");

// The sum of all squares below `top`, by way of a buffer.
static heapbase_error squares(heapbase_allocator scratch, heapbase_subsystem *errors, int64_t top, int64_t *answer) {
  if (top < 0 || top > 1000) {
    return heapbase_error_format(errors, &host_too_large, (size_t)top, HEAPBASE_OK, "%s wants at most %d, not %lld",
                                 "squares", 1000, (long long)top);
  }
  size_t size = (size_t)top * sizeof(int64_t);
  void *block;
  heapbase_error error = heapbase_allocate(scratch, size, _Alignof(int64_t), &block);
  if (error.code) return error;
  int64_t *list = block;
  for (int64_t at = 0; at < top; at++) list[at] = at * at;
  *answer = 0;
  for (int64_t at = 0; at < top; at++) *answer += list[at];
  heapbase_free(scratch, block, size, _Alignof(int64_t));
  return HEAPBASE_OK;
}

static failing state, errors_below, scratch_below;

// What a run came to, with its error if any: that outlives machine and subsystems, and is released by whoever has it.
static heapbase_error run(const instruction *program, size_t most, size_t budget, int64_t *answer) {
  heapbase_subsystem *errors = 0, *scratch = 0;
  machine *vm = 0;
  heapbase_error error = heapbase_subsystem_make(failing_allocator(&errors_below), "errors", SIZE_MAX, &errors);
  if (!error.code) error = heapbase_subsystem_make(failing_allocator(&scratch_below), "scratch", budget, &scratch);
  if (!error.code) {
    error = machine_make(failing_allocator(&state), errors, heapbase_subsystem_allocator(scratch), most, squares, &vm);
  }
  if (!error.code) {
    error = machine_run(vm, program, answer);
    machine_end(vm);
  }
  heapbase_subsystem_release(errors);
  if (scratch) {
    heapbase_error closed = heapbase_subsystem_close(scratch);
    MUST(closed.code == 0);
  }
  return error;
}

// Whether an error is the failure that was injected, or has it as its last cause.
static bool is_injected(heapbase_error error) {
  heapbase_error at = heapbase_error_acquire(error), cause;
  while ((cause = heapbase_error_cause(at)).code) {
    heapbase_error_release(at);
    at = cause;
  }
  bool is = heapbase_error_is(at, &injected_failure);
  heapbase_error_release(at);
  return is;
}

// An allocator that makes its errors of numbers, as one for an errno does.
static heapbase_error numbered(void *context, size_t size, size_t align, void **block) {
  (void)size, (void)align, (void)block;
  return (heapbase_error){*(int *)context, 0};
}
static void none_to_free(void *context, void *block, size_t size, size_t align) {
  (void)context, (void)block, (void)size, (void)align;
  MUST(0);
}

static void is_empty(void) {
  MUST(state.live == 0 && errors_below.live == 0 && scratch_below.live == 0);
  MUST(state.held == 0 && errors_below.held == 0 && scratch_below.held == 0);
}

typedef struct {
  const char *name;
  instruction program[12];
  size_t most, budget;
  int64_t answer;
  const char *error;
} scenario;

static const scenario scenarios[] = {
    {"adds", {{PUSH, 2}, {PUSH, 3}, {ADD, 0}, {PUSH, 4}, {MULTIPLY, 0}, {STOP, 0}}, 8, 0, 20, ""},
    {"grows",
     {{PUSH, 1}, {PUSH, 2}, {PUSH, 3}, {PUSH, 4}, {PUSH, 5}, {ADD, 0}, {ADD, 0}, {ADD, 0}, {ADD, 0}, {STOP, 0}},
     8, 0, 15, ""},
    {"calls the host", {{PUSH, 10}, {CALL, 0}, {PUSH, 1}, {ADD, 0}, {STOP, 0}}, 8, 80, 286, ""},
    {"finds the stack empty", {{PUSH, 1}, {ADD, 0}, {STOP, 0}}, 8, 0, 0,
     "the stack is empty: at instruction 1 (1)"},
    {"finds the stack full", {{PUSH, 1}, {PUSH, 1}, {PUSH, 1}, {STOP, 0}}, 2, 0, 0, "the stack is full"},
    {"meets the unknown", {{PUSH, 1}, {(opcode)77, 0}}, 8, 0, 0, "unknown instruction: number 77 at 1 (1)"},
    {"asks the host for too much", {{PUSH, 1001}, {CALL, 0}, {STOP, 0}}, 8, 80, 0,
     "a function of the host failed: given 1001 (1): the number is too large: squares wants at most 1000, not 1001 (1001)"},
    {"uses up the host's budget", {{PUSH, 11}, {CALL, 0}, {STOP, 0}}, 8, 80, 0,
     "a function of the host failed: given 11 (1): the subsystem's budget is used up"},
};

int main(void) {
  static _Alignas(16) char bytes[16 * 1024];
  MUST(heapbase_arena_make(bytes, sizeof bytes, &state.below).code == 0);
  errors_below.below = scratch_below.below = heapbase_malloc();
  for (size_t at = 0; at < sizeof scenarios / sizeof *scenarios; at++) {
    const scenario *now = &scenarios[at];
    long failures = 0;
    for (;; failures++) {
      int64_t answer = 0;
      requests_until_failure = failures;
      heapbase_error error = run(now->program, now->most, now->budget, &answer);
      int failed = requests_until_failure < 0;
      requests_until_failure = -1;
      // Machine, state and subsystems are gone; the error is not, and another reference to it is as good.
      heapbase_error copy = heapbase_error_acquire(error);
      heapbase_error_release(error);
      char text[256];
      size_t len = heapbase_error_write(copy, text, sizeof text);
      MUST(len < sizeof text && strlen(text) == len);
      if (!failed) {
        MUST(strcmp(text, now->error) == 0);
        MUST((copy.code == 0) == (*now->error == 0) && answer == now->answer);
      } else if (!*now->error) {
        // What failed was needed: the error is the allocator's own, or has it as its cause.
        MUST(copy.code != 0 && is_injected(copy));
      } else {
        // The failure took memory from the error at most, which is made all the same.
        MUST(copy.code != 0 && len > 0);
        int is_planned = strncmp(text, now->error, 10) == 0;
        MUST(is_planned || is_injected(copy));
        MUST(!is_planned || heapbase_error_is_cut(copy) || heapbase_error_kind(copy)->category == &machine_errors);
      }
      heapbase_error_release(copy);
      is_empty();
      if (!failed) break;
    }
    printf("%s: as it should, and so with each of %ld requests failing\n", now->name, failures);
    MUST(failures >= 3);
  }

  // A message that is long, whole with memory and cut without.
  heapbase_subsystem *errors;
  MUST(heapbase_subsystem_make(failing_allocator(&errors_below), "errors", SIZE_MAX, &errors).code == 0);
  static const struct {
    size_t budget, len;
  } rooms[] = {{SIZE_MAX, 300}, {330, 255}, {0, 0}};
  for (size_t at = 0; at < 3; at++) {
    heapbase_subsystem_set_budget(errors, rooms[at].budget);
    // With 330 bytes there is room for the error and the start of its message.
    heapbase_error error = heapbase_error_format(errors, &host_too_large, 0, HEAPBASE_OK, "%0300d", 7);
    size_t len;
    const char *message = heapbase_error_message(error, &len);
    MUST(len == rooms[at].len && (len < 300 || message[299] == '7'));
    MUST(heapbase_error_is(error, &host_too_large) && heapbase_error_is_cut(error) == (len < 300));
    heapbase_error_release(error);
  }
  heapbase_subsystem_set_budget(errors, SIZE_MAX);
  // All that printf can, at any length.
  for (int width = 1; width < 400; width += 9) {
    char expected[600], text[600];
    snprintf(expected, sizeof expected, "%*d %.3s %-5s|%zu %lld %#x %c %% %.2f", width, -5, "abcdef", "é", (size_t)-1,
             LLONG_MIN, 255u, 'x', 2.5);
    heapbase_error error =
        heapbase_error_format(errors, &host_too_large, 0, HEAPBASE_OK, "%*d %.3s %-5s|%zu %lld %#x %c %% %.2f", width,
                              -5, "abcdef", "é", (size_t)-1, LLONG_MIN, 255u, 'x', 2.5);
    size_t len;
    const char *message = heapbase_error_message(error, &len);
    MUST(len == strlen(expected) && memcmp(message, expected, len) == 0 && !heapbase_error_is_cut(error));
    // As much as fits, always with an end.
    for (size_t size = 0; size < 40; size++) {
      memset(text, '#', sizeof text);
      MUST(heapbase_error_write(error, text, size) == strlen("the number is too large: ") + len);
      MUST(text[size] == '#' && (size == 0 || strlen(text) == size - 1));
    }
    heapbase_error_release(error);
  }
  // What is no text is replaced, not believed.
  heapbase_error odd = heapbase_error_make(errors, &host_too_large, 0, HEAPBASE_OK, "a\xff\xc3", 3);
  size_t odd_len;
  const char *odd_message = heapbase_error_message(odd, &odd_len);
  MUST(odd_len == 7 && memcmp(odd_message, "a\xef\xbf\xbd\xef\xbf\xbd", 7) == 0);
  heapbase_error_release(odd);
  // Success and nothing are allowed everywhere.
  size_t no_len = 1;
  char nothing[1] = {'#'};
  heapbase_error_release(HEAPBASE_OK);
  MUST(heapbase_error_acquire(HEAPBASE_OK).code == 0 && heapbase_error_kind(HEAPBASE_OK) == 0);
  MUST(heapbase_error_message(HEAPBASE_OK, &no_len) && no_len == 0 && heapbase_error_number(HEAPBASE_OK) == 0);
  MUST(heapbase_error_write(HEAPBASE_OK, nothing, 1) == 0 && nothing[0] == 0 && !heapbase_error_is_cut(HEAPBASE_OK));
  MUST(heapbase_error_cause(HEAPBASE_OK).code == 0 && !heapbase_error_is(HEAPBASE_OK, &host_too_large));
  MUST(heapbase_error_into_cut(HEAPBASE_OK).code == 0);
  // Nobody to keep a message: the kind alone, which says that there was more.
  heapbase_error alone = heapbase_error_make(0, &host_too_large, 5, HEAPBASE_OK, "a message", 9);
  MUST(heapbase_error_is(alone, &host_too_large) && heapbase_error_is_cut(alone));
  heapbase_error_release(alone);
  alone = heapbase_error_make(0, &host_too_large, 5, HEAPBASE_OK, 0, 0);
  MUST(heapbase_error_is(alone, &host_too_large) && heapbase_error_is_cut(alone));
  heapbase_error_release(alone);
  alone = heapbase_error_make(0, &host_too_large, 0, HEAPBASE_OK, 0, 0);
  MUST(heapbase_error_is(alone, &host_too_large) && !heapbase_error_is_cut(alone));
  heapbase_error_release(alone);
  heapbase_subsystem_release(0);
  MUST(heapbase_error_make(0, &host_too_large, 7, HEAPBASE_OK, 0, 0).code == 1);
  // A code without a kind is an error all the same.
  int number = 12;
  static const heapbase_operations numbers = {numbered, 0, none_to_free, 0, 0, 0};
  heapbase_allocator by_number = {&numbers, &number};
  heapbase_subsystem *unmade = 0;
  heapbase_error known = heapbase_subsystem_make(by_number, 0, SIZE_MAX, &unmade);
  MUST(heapbase_error_is(known, heapbase_unknown()) && !unmade);
  heapbase_error outer = heapbase_error_make(errors, &host_too_large, 0, (heapbase_error){number, 0}, 0, 0);
  known = heapbase_error_cause(outer);
  MUST(heapbase_error_is(known, heapbase_unknown()));
  heapbase_error_release(known);
  heapbase_error_release(outer);
  // A subsystem has its name, and passes on what the one below says, whichever refuses.
  heapbase_subsystem *inner;
  MUST(heapbase_subsystem_make(heapbase_subsystem_allocator(errors), "inner", 1000, &inner).code == 0);
  size_t name_len;
  const char *name = heapbase_subsystem_name(inner, &name_len);
  MUST(name_len == 5 && memcmp(name, "inner", 5) == 0);
  void *grown = 0;
  heapbase_allocator within = heapbase_subsystem_allocator(inner);
  MUST(heapbase_allocate(within, 10, 8, &grown).code == 0);
  for (size_t request = 20; request < 2000; request += 990) {
    requests_until_failure = 0;
    void *other = grown;
    heapbase_error refused = heapbase_reallocate(within, &grown, 10, 8, request);
    requests_until_failure = -1;
    MUST(heapbase_error_is(refused, request < 1000 ? &injected_failure : heapbase_over_budget()) && grown == other);
  }
  heapbase_figures inside = heapbase_subsystem_figures(inner);
  MUST(inside.live == 10 && inside.peak == 10 && inside.refused == 1 && inside.failed == 1);
  heapbase_free(within, grown, 10, 8);
  MUST(heapbase_subsystem_close(inner).code == 0);
  // A block keeps its subsystem when the last reference is gone.
  heapbase_subsystem_set_budget(errors, SIZE_MAX);
  heapbase_allocator memory = heapbase_subsystem_allocator(errors);
  void *block;
  MUST(heapbase_allocate_zeroed(memory, 100, 64, &block).code == 0 && ((char *)block)[99] == 0);
  MUST(heapbase_usable_size(memory, block, 100, 64) == 100 && (uintptr_t)block % 64 == 0);
  MUST(heapbase_reallocate(memory, &block, 100, 64, 300).code == 0 && (uintptr_t)block % 64 == 0);
  heapbase_error open = heapbase_subsystem_close(errors);
  MUST(heapbase_error_is(open, heapbase_not_empty()));
  MUST(heapbase_subsystem_figures(errors).live == 300);
  heapbase_subsystem_release(errors);
  MUST(errors_below.live > 300 && errors_below.held == 1);
  heapbase_free(memory, block, 300, 64);
  is_empty();
  MUST(heapbase_error_is(heapbase_allocate(memory, 8, 3, &block), heapbase_invalid()));
  puts("all as it should");
  return 0;
}
