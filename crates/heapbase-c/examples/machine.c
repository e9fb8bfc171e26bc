#include "machine.h"

#include <inttypes.h>

HEAPBASE_PUBLIC_CATEGORY(machine_errors, "machine");
HEAPBASE_PUBLIC_KIND(machine_stack_empty, machine_errors, 1, "the stack is empty");
HEAPBASE_PUBLIC_KIND(machine_stack_full, machine_errors, 2, "the stack is full");
HEAPBASE_PUBLIC_KIND(machine_unknown, machine_errors, 3, "unknown instruction");
HEAPBASE_PUBLIC_KIND(machine_host_failed, machine_errors, 4, "a function of the host failed");

struct machine {
  heapbase_allocator state, scratch;
  heapbase_subsystem *errors;
  host_function *host;
  int64_t *values;
  size_t len, room, most;
};

heapbase_error machine_make(heapbase_allocator state, heapbase_subsystem *errors, heapbase_allocator scratch,
                            size_t most, host_function *host, machine **made) {
  void *block;
  heapbase_error error = heapbase_allocate(state, sizeof(machine), _Alignof(machine), &block);
  if (error.code) return error;
  *made = block;
  **made = (machine){state, scratch, heapbase_subsystem_acquire(errors), host, 0, 0, 0, most};
  return HEAPBASE_OK;
}

void machine_end(machine *self) {
  heapbase_free(self->state, self->values, self->room * sizeof(int64_t), _Alignof(int64_t));
  heapbase_subsystem_release(self->errors);
  heapbase_free(self->state, self, sizeof *self, _Alignof(machine));
}

static heapbase_error push(machine *self, int64_t value) {
  if (self->len == self->most) {
    // Made without allocating: there is nothing to say that the kind does not.
    return HEAPBASE_ERROR(machine_stack_full);
  }
  if (self->len == self->room) {
    size_t room = self->room ? self->room * 2 : 2;
    void *values = self->values;
    heapbase_error error = heapbase_reallocate(self->state, &values, self->room * sizeof(int64_t), _Alignof(int64_t),
                                               room * sizeof(int64_t));
    if (error.code) return error;
    self->values = values;
    self->room = room;
  }
  self->values[self->len++] = value;
  return HEAPBASE_OK;
}

static heapbase_error pop(machine *self, size_t at, int64_t *value) {
  if (!self->len) {
    return heapbase_error_format(self->errors, &machine_stack_empty, at, HEAPBASE_OK, "at instruction %zu", at);
  }
  *value = self->values[--self->len];
  return HEAPBASE_OK;
}

heapbase_error machine_run(machine *self, const instruction *program, int64_t *answer) {
  for (size_t at = 0;; at++) {
    int64_t one = 0, other = 0;
    heapbase_error error = HEAPBASE_OK;
    switch (program[at].code) {
    case PUSH:
      error = push(self, program[at].operand);
      break;
    case ADD:
    case MULTIPLY:
      error = pop(self, at, &one);
      if (!error.code) error = pop(self, at, &other);
      if (!error.code) error = push(self, program[at].code == ADD ? one + other : one * other);
      break;
    case CALL:
      error = pop(self, at, &one);
      if (!error.code) {
        error = self->host(self->scratch, self->errors, one, &other);
        if (error.code) {
          // The cause goes along, whoever's it is.
          error = heapbase_error_format(self->errors, &machine_host_failed, at, error, "given %" PRId64, one);
        }
      }
      if (!error.code) error = push(self, other);
      break;
    case STOP:
      return pop(self, at, answer);
    default:
      error = heapbase_error_format(self->errors, &machine_unknown, at, HEAPBASE_OK, "number %d at %zu",
                                    (int)program[at].code, at);
    }
    if (error.code) return error;
  }
}
