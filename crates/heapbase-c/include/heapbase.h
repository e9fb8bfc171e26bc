// heapbase: allocators as values, subsystems with budgets, errors of two words. MIT OR Apache-2.0.
//
// An allocation returns an error, and an error may need an allocation. Here an error is always made: a constant without
// memory, and with memory a message and a chain of causes, kept by the subsystem that raised it until whoever
// has the error releases it.
//
//     heapbase_error error = heapbase_allocate(allocator, 100, 8, &block);
//     if (error.code) return error;
#ifdef _MSC_VER
#define HEAPBASE_ALIGN_TYPE(bytes) __declspec(align(bytes))
#else
#define HEAPBASE_ALIGN_TYPE(bytes) __attribute__((aligned(bytes)))
#endif

#pragma once

// Written by cbindgen from the Rust sources of heapbase-c: HEAPBASE_BLESS=1 cargo test -p heapbase-c.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A heap that frees what nobody can reach. For one thread at a time.
typedef struct heapbase_gc heapbase_gc;

// An allocator that remembers what it gave out and frees at its end whatever was not given back. It lies in one block of the allocator below,
// and takes four words of it in front of each block, or the block's alignment where that is more. It may be used from several threads, if the allocator below may.
typedef struct heapbase_pool heapbase_pool;

// A part of a program that takes its memory from an allocator, with a budget and counters. It lies in one block of that
// allocator, and stays until the last reference, block and error of it is given back: so a block may be freed, and an
// error released, after whoever made the subsystem has released it.
//
// Counters, budget and references may be used from several threads, if the allocator below may.
typedef struct heapbase_subsystem heapbase_subsystem;

// An error, or success. Pass it by value; it owns one reference, which heapbase_error_release gives up. Several threads may hold
// references to one error, if the allocator that keeps it may be used from several threads.
typedef struct heapbase_error {
  // 0 is success; else the code of the kind.
  int32_t code;
  // NULL for success. The address of a kind plus 1, or of what an allocator keeps: do not look inside.
  const void *what;
} heapbase_error;

// The functions of an allocator of your own. Sizes are not 0; alignments are powers of two; the size and the alignment that a
// block is given back with are those that it was asked for with. Use from several threads is for those who
// pass it to several threads to allow.
typedef struct heapbase_operations {
  // Writes a block to `*block`, or returns an error and writes nothing.
  struct heapbase_error (*allocate)(void *context, size_t size, size_t align, void **block);
  // Gives `*block` another size, perhaps elsewhere, or returns an error and changes nothing. May be NULL: then a block is
  // allocated, copied and freed.
  struct heapbase_error (*reallocate)(void *context, void **block, size_t size, size_t align, size_t new_size);
  // Takes a block back.
  void (*free)(void *context, void *block, size_t size, size_t align);
  // Bytes that may be used of a block that was asked for with `size`. It is given back with the size that it was asked for with.
  // May be NULL: then it is that size.
  size_t (*usable_size)(void *context, const void *block, size_t size, size_t align);
  // A subsystem takes its memory from this allocator from now on: keep the context. May be NULL.
  void (*hold)(void *context);
  // It does so no more. Called once for each `hold`. May be NULL.
  void (*let_go)(void *context);
} heapbase_operations;

// An allocator. Copy it freely: it is two addresses, and owns nothing. How long it works is said where you got it from.
typedef struct heapbase_allocator {
  // The functions. They stay as long as anything that was allocated.
  const struct heapbase_operations *operations;
  // What they work on.
  void *context;
} heapbase_allocator;

// A family of kinds, identified by its address: make it a static by HEAPBASE_CATEGORY, in one source file.
typedef struct heapbase_category {
  // UTF-8.
  const char *name;
  // Bytes of the name, without a terminating 0.
  size_t name_len;
} heapbase_category;

// One thing that can go wrong: make it a static by HEAPBASE_KIND, in the source file of its category. An error of it is
// HEAPBASE_ERROR(kind), which allocates nothing.
typedef struct HEAPBASE_ALIGN_TYPE(8) heapbase_kind {
  // The family.
  const struct heapbase_category *category;
  // Its number in the family, not 0.
  int32_t code;
  // UTF-8.
  const char *text;
  // Bytes of the text, without a terminating 0.
  size_t text_len;
} heapbase_kind;

// What a collector has done.
typedef struct heapbase_gc_figures {
  // Objects that were allocated and not found unreachable.
  size_t objects;
  // Their bytes, rounded up as they lie.
  size_t live_bytes;
  // Bytes taken of the allocator, the collector's own lists included: the size of the heap.
  size_t held_bytes;
  // The most that `held_bytes` has been.
  size_t peak_bytes;
  // Collections so far.
  size_t collections;
  // Objects allocated so far.
  uint64_t allocated;
  // Objects freed so far.
  uint64_t freed;
} heapbase_gc_figures;

// What a subsystem has used.
typedef struct heapbase_figures {
  // The most bytes that may be live; SIZE_MAX is no limit.
  size_t budget;
  // Bytes given out and not returned.
  size_t live;
  // The most that `live` has been.
  size_t peak;
  // Requests that the budget did not allow.
  size_t refused;
  // Requests that the budget allowed and the allocator below could not serve.
  size_t failed;
} heapbase_figures;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Writes a block of `size` bytes to `*block`, NULL if the size is 0. With an error nothing is written.
//
// # Safety
//
// The allocator works; `block` may be written to.
struct heapbase_error heapbase_allocate(struct heapbase_allocator allocator,
                                        size_t size,
                                        size_t align,
                                        void **block);

// As heapbase_allocate, and the block's bytes are 0.
//
// # Safety
//
// As for heapbase_allocate.
struct heapbase_error heapbase_allocate_zeroed(struct heapbase_allocator allocator,
                                               size_t size,
                                               size_t align,
                                               void **block);

// Gives `*block` of `size` bytes another size. NULL is a block of 0 bytes. With an error nothing is changed.
//
// # Safety
//
// The allocator works; `*block` came from it with this size and alignment.
struct heapbase_error heapbase_reallocate(struct heapbase_allocator allocator,
                                          void **block,
                                          size_t size,
                                          size_t align,
                                          size_t new_size);

// Gives a block back; NULL is none.
//
// # Safety
//
// The block is NULL or came from the allocator with this size and alignment, and is not used any more.
void heapbase_free(struct heapbase_allocator allocator, void *block, size_t size, size_t align);

// Bytes of a block that may be used, at least `size`. It is still given back with `size`.
//
// # Safety
//
// The block is NULL or came from the allocator with this size and alignment, and is in use.
size_t heapbase_usable_size(struct heapbase_allocator allocator,
                            const void *block,
                            size_t size,
                            size_t align);

// Makes a heap of `len` bytes, whose first few hundred it keeps for itself, and writes an allocator to `*allocator`. It works as long as
// the bytes are there, and goes with them, together with all that is in it. It may be used from several threads.
//
// # Safety
//
// The bytes are the caller's to give, and nobody else uses them as long as the allocator works. `allocator` may be
// written to.
struct heapbase_error heapbase_arena_make(void *bytes,
                                          size_t len,
                                          struct heapbase_allocator *allocator);

#if defined(__wasm__)
// The heap of a WebAssembly module: the flagship over `memory.grow`. It works for good.
struct heapbase_allocator heapbase_module_heap(void);
#endif

// An allocator has no memory.
const struct heapbase_kind *heapbase_out_of_memory(void);

// The budget of a subsystem does not allow a request.
const struct heapbase_kind *heapbase_over_budget(void);

// A subsystem that was closed was not empty.
const struct heapbase_kind *heapbase_not_empty(void);

// An alignment is not a power of two, or a size is too large for any memory.
const struct heapbase_kind *heapbase_invalid(void);

// A collector was called while it is in use: by a finaliser, by who was asked for roots, or by its allocator.
const struct heapbase_kind *heapbase_busy(void);

// An error has a code and no kind: an allocator of the program's own made it of a number.
const struct heapbase_kind *heapbase_unknown(void);

// Another reference to the same error, which is to be released as well. Allocates nothing.
//
// # Safety
//
// The error is held.
struct heapbase_error heapbase_error_acquire(struct heapbase_error error);

// Gives up a reference. What the last one gave up goes back to the allocator that it came from, and so do its causes.
//
// # Safety
//
// The error is held, and not used any more.
void heapbase_error_release(struct heapbase_error error);

// The kind; NULL for success.
//
// # Safety
//
// The error is held.
const struct heapbase_kind *heapbase_error_kind(struct heapbase_error error);

// Whether an error is of a kind: of its category, by address, and with its code.
//
// # Safety
//
// The error is held; the kind is one.
bool heapbase_error_is(struct heapbase_error error, const struct heapbase_kind *kind);

// Its number, an offset or a size; 0 is none. An error that was made without allocating has none: its two words hold the code
// and the kind.
//
// # Safety
//
// The error is held.
size_t heapbase_error_number(struct heapbase_error error);

// Its message, of `*len` bytes of UTF-8 without a terminating 0; none is 0 bytes. It stays as long as the error is held.
//
// # Safety
//
// The error is held; `len` may be written to.
const char *heapbase_error_message(struct heapbase_error error,
                                   size_t *len);

// What led to it, as a reference that is to be released; success is none.
//
// # Safety
//
// The error is held.
struct heapbase_error heapbase_error_cause(struct heapbase_error error);

// Whether there was more to tell, and no memory for it.
//
// # Safety
//
// The error is held.
bool heapbase_error_is_cut(struct heapbase_error error);

// The same error, which says that there was more to tell.
//
// # Safety
//
// The error is held.
struct heapbase_error heapbase_error_into_cut(struct heapbase_error error);

// Writes the error and its causes as text with a terminating 0, as much as fits into `size` bytes, and returns the bytes of all of it
// without the 0, as snprintf does. Allocates nothing.
//
// # Safety
//
// The error is held; `size` bytes may be written to.
size_t heapbase_error_write(struct heapbase_error error,
                            char *buffer,
                            size_t size);

// An error with a number (0 is none), a message of `len` bytes (0 is none) and a cause (success is none), in one block of
// `keeper`, which it keeps alive. It is always made: without memory, or with a NULL keeper, it is the kind alone, and
// heapbase_error_is_cut says so.
//
// The reference to the cause is given up.
//
// # Safety
//
// `keeper` is NULL or held; `kind` stays for good; the cause is held; `len` bytes may be read.
struct heapbase_error heapbase_error_make(const struct heapbase_subsystem *keeper,
                                          const struct heapbase_kind *kind,
                                          size_t number,
                                          struct heapbase_error cause,
                                          const char *message,
                                          size_t len);

// As heapbase_error_make, with a message that `write` puts where it is kept: into `size` bytes, and returns how many it wrote. What is not
// UTF-8 becomes a question mark. Where there is no memory for all of it, `write` gets 256 bytes, and heapbase_error_is_cut says so; where there is none
// for these, or with a NULL keeper, it is not called.
//
// # Safety
//
// As for heapbase_error_make; `write` writes no more than `size` bytes, and neither uses nor keeps them afterwards.
struct heapbase_error heapbase_error_make_by(const struct heapbase_subsystem *keeper,
                                             const struct heapbase_kind *kind,
                                             size_t number,
                                             struct heapbase_error cause,
                                             size_t size,
                                             size_t (*write)(void *context, char *text, size_t size),
                                             void *context);

// Makes a collector over `memory` that takes at most `limit` bytes of it, itself included (SIZE_MAX: no limit), and writes it to `*gc`.
// Whenever it collects, it calls `roots` with itself and `context`, which tells it what the program may reach by heapbase_gc_mark_roots and
// heapbase_gc_mark_word, and calls nothing else of it: other calls are refused meanwhile, and do nothing. `roots` may be NULL, where heapbase_gc_add_roots says all.
//
// # Safety
//
// The allocator works until `let_go`, or as long as the collector where it has none. `gc` may be written to.
struct heapbase_error heapbase_gc_make(struct heapbase_allocator memory,
                                       size_t limit,
                                       void (*roots)(struct heapbase_gc *gc, void *context),
                                       void *context,
                                       struct heapbase_gc **gc);

// Ends a collector and frees all of its objects, without finalisers. NULL is none. While it collects this does nothing, as any other call.
//
// # Safety
//
// The collector is NULL or there; neither it nor its objects are used any more.
void heapbase_gc_end(struct heapbase_gc *gc);

// Writes an object of `size` bytes, all of them 0, aligned to two words, to `*object`. May collect before.
//
// `layout` says where it may hold addresses of objects: NULL anywhere; else as TinyGo's compiler does: a word whose lowest bit is 1, then the number
// of words in a pattern that repeats (5 bits; on 64 bits 6), then a bit for each of them; or the address of such a number and
// of bytes with the bits. 3 is an object that holds none.
//
// Without memory, after collecting, the error is the allocator's own, where it refused anything meanwhile; else, where the limit allows no more,
// heapbase_out_of_memory.
//
// # Safety
//
// The collector is there. The layout is one of these, and stays. The object is used while the roots lead to it.
struct heapbase_error heapbase_gc_allocate(struct heapbase_gc *gc,
                                           size_t size,
                                           const void *layout,
                                           void **object);

// Frees what nobody can reach.
//
// # Safety
//
// The collector is there; objects that are still used are reachable.
void heapbase_gc_collect(struct heapbase_gc *gc);

// Tells a collector that asks for roots of the words from `start` up to `end`: a stack, a data segment. It does nothing outside of that, nor
// where the collector's allocator calls it.
//
// # Safety
//
// The collector is there; the bytes may be read.
void heapbase_gc_mark_roots(struct heapbase_gc *gc,
                            const void *start,
                            const void *end);

// Tells a collector that asks for roots of a word that may be the address of an object or lie inside of one. Else as heapbase_gc_mark_roots.
//
// # Safety
//
// The collector is there.
void heapbase_gc_mark_word(struct heapbase_gc *gc,
                           size_t word);

// Registers the words from `start` up to `end` as roots of each collection. False: there is no memory to note it.
//
// # Safety
//
// The collector is there; the bytes may be read until heapbase_gc_remove_roots.
bool heapbase_gc_add_roots(struct heapbase_gc *gc,
                           const void *start,
                           const void *end);

// Forgets the roots that were registered with this start.
//
// # Safety
//
// The collector is there.
void heapbase_gc_remove_roots(struct heapbase_gc *gc, const void *start);

// Frees an object ahead of the next collection; NULL is none.
//
// # Safety
//
// The object is NULL or came from this collector, is not used any more, and has no finaliser.
void heapbase_gc_free(struct heapbase_gc *gc, void *object);

// Has `finaliser` called once after the collection that finds an object unreachable; it calls nothing of the collector, which would do
// nothing then. False: there is no memory to note it, or no such object.
//
// # Safety
//
// The object came from this collector and is in use.
bool heapbase_gc_set_finaliser(struct heapbase_gc *gc,
                               void *object,
                               void (*finaliser)(void *object));

// The object that an address lies in; NULL if it is in none, or while the collector collects.
//
// # Safety
//
// The collector is there.
void *heapbase_gc_object_at(const struct heapbase_gc *gc, size_t address);

// What it has done; nothing but zeros while it collects.
//
// # Safety
//
// The collector is there.
struct heapbase_gc_figures heapbase_gc_statistics(const struct heapbase_gc *gc);

// Makes a pool that takes its memory from `parent`, and writes it to `*pool`. If the parent is the allocator of a subsystem, that stays as
// long as the pool. What the parent cannot serve is answered with the parent's own error.
//
// # Safety
//
// The parent works until `let_go`, or as long as the pool where it has none. `pool` may be written to.
struct heapbase_error heapbase_pool_make(struct heapbase_allocator parent,
                                         struct heapbase_pool **pool);

// The pool as an allocator. It works as long as the pool is there.
//
// # Safety
//
// The pool is there.
struct heapbase_allocator heapbase_pool_allocator(struct heapbase_pool *pool);

// Frees all that was not given back, and the pool; NULL is none. What lay in it is used no more: blocks, subsystems over it, and the errors that those
// keep.
//
// # Safety
//
// The pool is NULL or there, and is not used any more, nor is anything in it.
void heapbase_pool_end(struct heapbase_pool *pool);

// Makes a subsystem that takes its memory from `parent`, and writes a reference to `*subsystem`. `budget` is the most bytes that may
// be live, SIZE_MAX for no limit.
//
// If the parent is the allocator of a subsystem, that stays as long as this one. What the parent cannot serve is answered with the
// parent's own error, here and for each block.
//
// # Safety
//
// The parent works until `let_go`, or as long as the subsystem where it has none. The name, UTF-8 or NULL for none, stays as long
// as the subsystem. `subsystem` may be written to.
struct heapbase_error heapbase_subsystem_make(struct heapbase_allocator parent,
                                              const char *name,
                                              size_t budget,
                                              struct heapbase_subsystem **subsystem);

// Another reference, which is to be released as well.
//
// # Safety
//
// The subsystem is there.
struct heapbase_subsystem *heapbase_subsystem_acquire(struct heapbase_subsystem *subsystem);

// Gives up a reference; NULL is none.
//
// # Safety
//
// The subsystem is NULL or the reference was held, and is not used any more.
void heapbase_subsystem_release(struct heapbase_subsystem *subsystem);

// Ends a subsystem in which nothing is left. With an error, heapbase_not_empty, the reference stays: there are other references,
// blocks or errors. heapbase_subsystem_figures says how many bytes are live.
//
// # Safety
//
// The reference is held.
struct heapbase_error heapbase_subsystem_close(struct heapbase_subsystem *subsystem);

// The subsystem as an allocator. It holds no reference: it works as long as the subsystem is there.
//
// # Safety
//
// The subsystem is there.
struct heapbase_allocator heapbase_subsystem_allocator(struct heapbase_subsystem *subsystem);

// Its name, of `*len` bytes of UTF-8 without a terminating 0. It is what heapbase_subsystem_make was given.
//
// # Safety
//
// The subsystem is there; `len` may be written to.
const char *heapbase_subsystem_name(const struct heapbase_subsystem *subsystem, size_t *len);

// What it has used.
//
// # Safety
//
// The subsystem is there.
struct heapbase_figures heapbase_subsystem_figures(const struct heapbase_subsystem *subsystem);

// Sets the most bytes that may be live, SIZE_MAX for no limit. What is live already stays, even if it is more.
//
// # Safety
//
// The subsystem is there.
void heapbase_subsystem_set_budget(struct heapbase_subsystem *subsystem,
                                   size_t budget);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

// What a kind's code must be, in each of the macros: 0 says success.
#define HEAPBASE_CODE(code) ((code) * (int)sizeof(char[(code) != 0 ? 1 : -1]))
#define HEAPBASE_TEXT(text) "" text, sizeof("" text) - 1

// A family of errors: `HEAPBASE_CATEGORY(vm_errors, "vm");`. In one source file, not in a header: a static in each
// file that includes it has an address in each, and so would be as many families.
#define HEAPBASE_CATEGORY(id, name) static const heapbase_category id = {HEAPBASE_TEXT(name)}

// A kind of error: `HEAPBASE_KIND(vm_stack_full, vm_errors, 1, "the stack is full");`. In the same file.
#define HEAPBASE_KIND(id, category, code, text) \
  static const heapbase_kind id = {&category, HEAPBASE_CODE(code), HEAPBASE_TEXT(text)}

// For other files to see: `extern const heapbase_category vm_errors;` and `extern const heapbase_kind vm_stack_full;` in a header, and
// these in one source file.
#define HEAPBASE_PUBLIC_CATEGORY(id, name) \
  extern const heapbase_category id;       \
  const heapbase_category id = {HEAPBASE_TEXT(name)}
#define HEAPBASE_PUBLIC_KIND(id, category, code, text) \
  extern const heapbase_kind id;                       \
  const heapbase_kind id = {&category, HEAPBASE_CODE(code), HEAPBASE_TEXT(text)}

#ifdef __cplusplus
#define HEAPBASE_LITERAL(type) type
#else
#define HEAPBASE_LITERAL(type) (type)
#endif

// An error of a kind, without allocating.
#define HEAPBASE_ERROR(kind) (HEAPBASE_LITERAL(heapbase_error){(kind).code, (const char *)&(kind) + 1})

// Success.
#define HEAPBASE_OK (HEAPBASE_LITERAL(heapbase_error){0, 0})

// Without a C library: #define HEAPBASE_NO_STDIO before this file, and make messages by heapbase_error_make.
#ifndef HEAPBASE_NO_STDIO
#include <stdarg.h>
#include <stdio.h>

struct heapbase_formatted {
  const char *format;
  va_list *arguments;
};

static inline size_t heapbase_write_formatted(void *context, char *text, size_t size) {
  struct heapbase_formatted *formatted = (struct heapbase_formatted *)context;
  int written = vsnprintf(text, size, formatted->format, *formatted->arguments);
  // The last byte is for printf's 0. An argument that changed meanwhile may have become longer or shorter.
  return written < 0 ? 0 : (size_t)written < size ? (size_t)written : size - 1;
}

// As heapbase_error_make, with a message as printf makes it, which is formatted where it is kept; its first 255 bytes where there is no memory for all of
// it. What is not UTF-8 becomes a question mark.
#ifdef __GNUC__
__attribute__((format(printf, 5, 6), unused))
#endif
static heapbase_error heapbase_error_format(heapbase_subsystem *keeper, const heapbase_kind *kind, size_t number,
                                            heapbase_error cause, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int len = vsnprintf(0, 0, format, arguments);
  va_end(arguments);
  if (len <= 0) {
    heapbase_error error = heapbase_error_make(keeper, kind, number, cause, 0, 0);
    return len < 0 ? heapbase_error_into_cut(error) : error;
  }
  va_start(arguments, format);
  struct heapbase_formatted formatted = {format, &arguments};
  heapbase_error error = heapbase_error_make_by(keeper, kind, number, cause, (size_t)len + 1, heapbase_write_formatted, &formatted);
  va_end(arguments);
  return error;
}
#endif
