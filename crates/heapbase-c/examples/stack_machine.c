// A stack machine with three allocators, and a failure at every single allocation in turn.
//
// Its state lies in an arena, its errors in a subsystem over malloc, its host's memory in a subsystem with a budget over that.
#include "failing.h"
#include "heapbase_malloc.h"
#include "machine.h"

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
        // What failed was needed: the error is the failure, or has it as its cause.
        MUST(copy.code != 0);
      } else {
        // The failure took memory from the error at most, which is made all the same.
        MUST(copy.code != 0 && len > 0);
        int is_planned = strncmp(text, now->error, 10) == 0;
        MUST(!is_planned || heapbase_error_is_cut(copy) || heapbase_error_kind(copy)->category == &machine_errors);
      }
      heapbase_error_release(copy);
      is_empty();
      if (!failed) break;
    }
    printf("%s: as it should, and so with each of %ld requests failing\n", now->name, failures);
    MUST(failures >= 3);
  }

  // A message longer than the room on the stack, whole with memory and cut without.
  heapbase_subsystem *errors;
  MUST(heapbase_subsystem_make(failing_allocator(&errors_below), "errors", SIZE_MAX, &errors).code == 0);
  for (int budget = 0; budget < 3; budget++) {
    heapbase_subsystem_set_budget(errors, budget == 0 ? SIZE_MAX : budget == 1 ? 400 : 0);
    heapbase_error error = heapbase_error_format(errors, &host_too_large, 0, HEAPBASE_OK, "%0300d", 7);
    size_t len;
    const char *message = heapbase_error_message(error, &len);
    MUST(len == (budget == 0 ? 300 : budget == 1 ? 255 : 0) || (budget == 1 && len == 0));
    MUST(len < 300 || message[299] == '7');
    MUST(heapbase_error_is(error, &host_too_large) && heapbase_error_is_cut(error) == (len == 0));
    heapbase_error_release(error);
  }
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
