// A collector over an allocator that fails at a chosen request: lists with cycles, leaves, shapes, roots on a stack of the program's
// own, in the form in which a language's runtime asks for them.
#include "failing.h"
#include "heapbase_malloc.h"

#include <string.h>

enum { ROOTS = 64, ROUNDS = 20000 };

// A language's shadow stack: it is asked for at each collection.
typedef struct {
  uintptr_t slots[ROOTS];
  unsigned asked;
} shadow_stack;

static void tell(heapbase_gc *gc, void *context) {
  shadow_stack *stack = context;
  stack->asked++;
  heapbase_gc_mark_roots(gc, stack->slots, stack->slots + ROOTS / 2);
  for (int slot = ROOTS / 2; slot < ROOTS; slot++) heapbase_gc_mark_word(gc, stack->slots[slot]);
}

typedef struct node {
  struct node *next, *previous;
  char *text;
  size_t number;
} node;

// {next, previous, text, number}: three addresses and a number, as TinyGo's compiler says it.
static const void *shape(void) {
  unsigned size_bits = sizeof(void *) == 4 ? 5 : 6;
  return (const void *)(uintptr_t)(((uintptr_t)7 << (1 + size_bits)) | (4 << 1) | 1);
}

static const void *const no_addresses = (const void *)3;

// A ring of `count` nodes with texts, in a slot of the stack; success or the first error.
static heapbase_error ring(heapbase_gc *gc, shadow_stack *stack, int slot, size_t count, size_t number) {
  node *first = 0, *last = 0;
  for (size_t at = 0; at < count; at++) {
    void *block;
    heapbase_error error = heapbase_gc_allocate(gc, sizeof(node), at % 2 ? shape() : 0, &block);
    if (error.code) return error;
    node *made = block;
    MUST(!made->next && !made->previous && !made->text && !made->number);
    // No address: a small number could be one, and keep what it points to.
    made->number = (number + at) | ~(SIZE_MAX >> 4);
    if (!first) {
      first = last = made;
      stack->slots[slot] = (uintptr_t)made;
    }
    made->previous = last;
    made->next = first;
    last->next = first->previous = made;
    last = made;
    error = heapbase_gc_allocate(gc, 40, no_addresses, &block);
    if (error.code) return error;
    made->text = block;
    snprintf(made->text, 40, "number %zu", made->number);
    // An address inside of an object is as good, also in the stack.
    stack->slots[slot] = (uintptr_t)first + at % sizeof(node);
  }
  return HEAPBASE_OK;
}

static size_t count(const shadow_stack *stack, heapbase_gc *gc, int slot) {
  const node *first = heapbase_gc_object_at(gc, stack->slots[slot]);
  if (!first) return 0;
  size_t count = 0;
  const node *at = first;
  do {
    char text[40];
    snprintf(text, sizeof text, "number %zu", at->number);
    MUST(at->next->previous == at && strcmp(at->text, text) == 0);
    count++;
    at = at->next;
  } while (at != first);
  return count;
}

static unsigned finalised;
static void finalise(void *object) { finalised += (unsigned)((node *)object)->number; }

static heapbase_error run(failing *below, size_t limit, unsigned *collections) {
  shadow_stack stack = {{0}, 0};
  heapbase_gc *gc = 0;
  size_t counts[ROOTS] = {0};
  heapbase_error error = heapbase_gc_make(failing_allocator(below), limit, tell, &stack, &gc);
  if (error.code) return error;
  for (size_t round = 0; !error.code && round < ROUNDS / 10; round++) {
    int slot = (int)(round * 7 % ROOTS);
    size_t size = 1 + round % 20;
    stack.slots[slot] = 0;
    error = ring(gc, &stack, slot, size, round * 100);
    counts[slot] = error.code ? 0 : size;
    if (error.code) stack.slots[slot] = 0;
  }
  heapbase_gc_collect(gc);
  heapbase_gc_figures figures = heapbase_gc_statistics(gc);
  size_t objects = 0;
  for (int slot = 0; slot < ROOTS; slot++) {
    MUST(count(&stack, gc, slot) == counts[slot]);
    objects += 2 * counts[slot];
  }
  MUST(figures.objects == objects && stack.asked == figures.collections);
  MUST(figures.held_bytes >= figures.live_bytes && figures.peak_bytes <= limit);
  *collections = (unsigned)figures.collections;
  // Finalisers, roots that were registered, and what is freed by hand.
  void *object;
  heapbase_error more = heapbase_gc_allocate(gc, sizeof(node), shape(), &object);
  if (!more.code) {
    ((node *)object)->number = 5;
    uintptr_t kept = (uintptr_t)object;
    bool added = heapbase_gc_add_roots(gc, &kept, &kept + 1);
    if (added) {
      unsigned before = finalised;
      bool noted = heapbase_gc_set_finaliser(gc, object, finalise);
      heapbase_gc_collect(gc);
      MUST(heapbase_gc_object_at(gc, kept) == object && finalised == before);
      heapbase_gc_remove_roots(gc, &kept);
      heapbase_gc_collect(gc);
      MUST(finalised == before + (noted ? 5 : 0));
      heapbase_gc_collect(gc);
      MUST(heapbase_gc_statistics(gc).objects == objects);
    }
  }
  heapbase_error_release(more);
  more = heapbase_gc_allocate(gc, 9, 0, &object);
  if (!more.code) heapbase_gc_free(gc, object);
  heapbase_error_release(more);
  heapbase_gc_free(gc, 0);
  heapbase_gc_end(gc);
  return error;
}

// A finaliser that wants back what it may not have while the collector collects: it is told so, and nothing happens.
static heapbase_gc *collecting;
static unsigned refused;

static void meddle(void *object) {
  void *more;
  heapbase_error error = heapbase_gc_allocate(collecting, 16, 0, &more);
  MUST(heapbase_error_is(error, heapbase_busy()));
  heapbase_error_release(error);
  MUST(!heapbase_gc_set_finaliser(collecting, object, meddle));
  MUST(!heapbase_gc_add_roots(collecting, object, object));
  MUST(!heapbase_gc_object_at(collecting, (uintptr_t)object));
  heapbase_gc_remove_roots(collecting, object);
  heapbase_gc_free(collecting, object);
  heapbase_gc_collect(collecting);
  heapbase_gc_end(collecting);
  heapbase_gc_figures figures = heapbase_gc_statistics(collecting);
  MUST(figures.objects == 0 && figures.held_bytes == 0 && figures.peak_bytes == 0);
  refused++;
}

static void tell_and_meddle(heapbase_gc *gc, void *context) {
  heapbase_gc_collect(gc);
  heapbase_gc_end(gc);
  heapbase_gc_mark_word(gc, *(uintptr_t *)context);
}

static void meddling(void) {
  failing below = {heapbase_malloc(), 0, 0};
  uintptr_t kept = 0;
  MUST(heapbase_gc_make(failing_allocator(&below), SIZE_MAX, tell_and_meddle, &kept, &collecting).code == 0);
  for (int at = 0; at < 100; at++) {
    void *object;
    MUST(heapbase_gc_allocate(collecting, 16, 0, &object).code == 0);
    MUST(heapbase_gc_set_finaliser(collecting, object, meddle));
    kept = (uintptr_t)object;
  }
  heapbase_gc_collect(collecting);
  MUST(refused == 99 && heapbase_gc_statistics(collecting).objects == 100);
  heapbase_gc_collect(collecting);
  MUST(refused == 99 && heapbase_gc_statistics(collecting).objects == 1);
  MUST(heapbase_gc_object_at(collecting, kept) == (void *)kept);
  // What it holds is what the allocator gave, to the byte.
  MUST(heapbase_gc_statistics(collecting).held_bytes == below.live);
  heapbase_gc_end(collecting);
  MUST(below.live == 0 && below.held == 0);
}

// An allocator that marks when it is asked while roots are told: it is not who tells roots, and nothing is lost by it.
enum { LISTS = 3000, LEAVES = 29 };
static uintptr_t lists[LISTS], leaves[LISTS];
static unsigned marked;
static bool telling;

static heapbase_error allocate_and_mark(void *context, size_t size, size_t align, void **block) {
  for (int at = 0; telling && at < 5; at++) {
    heapbase_gc_mark_word(collecting, leaves[LISTS - 1 - at]);
    marked++;
  }
  return heapbase_allocate(*(heapbase_allocator *)context, size, align, block);
}

static void free_as_below(void *context, void *block, size_t size, size_t align) {
  heapbase_free(*(heapbase_allocator *)context, block, size, align);
}

static void tell_lists(heapbase_gc *gc, void *context) {
  (void)context;
  telling = true;
  heapbase_gc_mark_roots(gc, lists, lists + LISTS);
  telling = false;
}

static void marking_allocator(void) {
  static const heapbase_operations operations = {allocate_and_mark, 0, free_as_below, 0, 0, 0};
  heapbase_allocator below = heapbase_malloc();
  heapbase_allocator memory = {&operations, &below};
  MUST(heapbase_gc_make(memory, SIZE_MAX, tell_lists, 0, &collecting).code == 0);
  for (int list = 0; list < LISTS; list++) {
    void *object;
    MUST(heapbase_gc_allocate(collecting, (LEAVES + 1) * sizeof(void *), 0, &object).code == 0);
    lists[list] = (uintptr_t)object;
    void **addresses = object;
    for (int leaf = 0; leaf < LEAVES; leaf++) {
      MUST(heapbase_gc_allocate(collecting, sizeof(void *), 0, &addresses[leaf]).code == 0);
      leaves[list] = (uintptr_t)addresses[leaf];
    }
  }
  marked = 0;
  heapbase_gc_collect(collecting);
  MUST(marked > 0 && heapbase_gc_statistics(collecting).objects == LISTS * (LEAVES + 1));
  heapbase_gc_end(collecting);
  for (int list = 0; list < LISTS; list++) lists[list] = leaves[list] = 0;
}

// No limit is exceeded, by the collector itself either.
static void limits(void) {
  for (size_t limit = 0; limit < 40000; limit += 97) {
    failing below = {heapbase_malloc(), 0, 0};
    uintptr_t nothing = 0;
    heapbase_error error = heapbase_gc_make(failing_allocator(&below), limit, tell_and_meddle, &nothing, &collecting);
    if (!error.code) {
      // Garbage each of it, until what is there can no more be collected: it is not there for this long.
      for (int at = 0; at < 200 && !error.code; at++) {
        void *object;
        error = heapbase_gc_allocate(collecting, 300, 0, &object);
        MUST(below.live <= limit);
        MUST(heapbase_gc_statistics(collecting).held_bytes == below.live);
      }
      heapbase_gc_end(collecting);
    }
    MUST(error.code == 0 || heapbase_error_is(error, heapbase_out_of_memory()));
    heapbase_error_release(error);
    MUST(below.live == 0 && below.held == 0);
  }
}

// What a collector did without, it does not keep: nor an error of its allocator, wherever that lies.
static void nothing_is_kept(void) {
  heapbase_subsystem *part;
  MUST(heapbase_subsystem_make(heapbase_malloc(), "objects", 3000, &part).code == 0);
  uintptr_t nothing = 0;
  MUST(heapbase_gc_make(heapbase_subsystem_allocator(part), SIZE_MAX, tell_and_meddle, &nothing, &collecting).code == 0);
  void *object;
  heapbase_error error = heapbase_gc_allocate(collecting, 500000, 0, &object);
  MUST(heapbase_error_is(error, heapbase_over_budget()));
  heapbase_error_release(error);
  heapbase_gc_figures figures = heapbase_gc_statistics(collecting);
  MUST(figures.held_bytes == heapbase_subsystem_figures(part).live && figures.peak_bytes >= figures.held_bytes);
  heapbase_subsystem_set_budget(part, 0);
  for (int at = 0; at < 100; at++) heapbase_gc_add_roots(collecting, &nothing, &nothing + 1);
  heapbase_gc_collect(collecting);
  heapbase_gc_end(collecting);
  MUST(heapbase_subsystem_close(part).code == 0);
}

int main(void) {
  meddling();
  marking_allocator();
  limits();
  nothing_is_kept();
  failing below = {heapbase_malloc(), 0, 0};
  unsigned collections;
  heapbase_error error = run(&below, SIZE_MAX, &collections);
  MUST(error.code == 0 && below.live == 0 && below.held == 0 && collections > 3);
  printf("objects: as they should, in %u collections\n", collections);
  error = run(&below, 120 * 1024, &collections);
  MUST(heapbase_error_is(error, heapbase_out_of_memory()) || error.code == 0);
  heapbase_error_release(error);
  MUST(below.live == 0 && below.held == 0);
  long failures = 0;
  for (int failed = 1; failed; failures += failed) {
    requests_until_failure = failures;
    error = run(&below, SIZE_MAX, &collections);
    failed = requests_until_failure < 0;
    // Either it did without, or the error is the allocator's own.
    MUST(error.code == 0 || heapbase_error_is(error, &injected_failure));
    heapbase_error_release(error);
    MUST(below.live == 0 && below.held == 0);
    requests_until_failure = -1;
  }
  MUST(failures > 20);
  printf("and so with each of %ld requests failing\n", failures);
  return 0;
}
