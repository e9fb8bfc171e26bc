// A small stack machine: a library that is handed its allocators. Its state, its errors and its host functions each have one of their own.
#ifndef MACHINE_H
#define MACHINE_H

#include "heapbase.h"

extern const heapbase_category machine_errors;
extern const heapbase_kind machine_stack_empty, machine_stack_full, machine_unknown, machine_host_failed;

typedef enum { PUSH, ADD, MULTIPLY, CALL, STOP } opcode;

typedef struct {
  opcode code;
  int64_t operand;
} instruction;

typedef struct machine machine;

// A function of the host: takes the top of the stack and answers. `scratch` is its memory, `errors` keeps its errors.
typedef heapbase_error host_function(heapbase_allocator scratch, heapbase_subsystem *errors, int64_t top,
                                     int64_t *answer);

// A machine for at most `most` values. It lies in `state`; what goes wrong is kept by `errors`, of which it holds a reference.
heapbase_error machine_make(heapbase_allocator state, heapbase_subsystem *errors, heapbase_allocator scratch,
                            size_t most, host_function *host, machine **made);

// Runs a program up to its STOP.
heapbase_error machine_run(machine *self, const instruction *program, int64_t *answer);

void machine_end(machine *self);

#endif
