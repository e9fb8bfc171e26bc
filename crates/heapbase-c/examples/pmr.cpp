// Containers of the C++ library in a subsystem with a budget, and, where there are exceptions, a failure at every
// single allocation in turn.
#include "heapbase.hpp"
#include "heapbase.h"
#include "heapbase_malloc.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>
#include <vector>

#define MUST(condition)                                                                     \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);   \
      std::exit(1);                                                                         \
    }                                                                                       \
  } while (0)

HEAPBASE_CATEGORY(below_errors, "below");
HEAPBASE_KIND(below_failed, below_errors, 1, "this request was chosen to fail");

static long until_failure = -1;
static std::size_t live = 0;

static heapbase_error allocate(void *, std::size_t size, std::size_t align, void **block) {
  if (until_failure >= 0 && until_failure-- == 0) return HEAPBASE_ERROR(below_failed);
  *block = std::aligned_alloc(align < 16 ? 16 : align, (size + 15) / 16 * 16);
  live += size;
  return HEAPBASE_OK;
}

static void release(void *, void *block, std::size_t size, std::size_t) {
  live -= size;
  std::free(block);
}

static std::size_t fill(heapbase_subsystem *part) {
  heapbase::memory_resource memory(heapbase_subsystem_allocator(part));
  std::pmr::unordered_map<int, std::pmr::string> names(&memory);
  for (int number = 0; number < 40; number++) {
    names[number] = std::pmr::string("a name that is longer than what fits in place, number ", &memory);
    names[number] += static_cast<char>('0' + number % 10);
  }
  std::pmr::vector<std::pmr::vector<double>> rows(&memory);
  for (std::size_t row = 0; row < 10; row++) rows.emplace_back(row * 3, 1.5);
  std::size_t sum = 0;
  for (const auto &[number, name] : names) sum += name.size() + (name.back() == '0' + number % 10);
  for (const auto &row : rows) sum += row.size();
  MUST(heapbase_subsystem_figures(part).live > 4000);
  return sum;
}

int main() {
  static const heapbase_operations operations = {allocate, nullptr, release, nullptr, nullptr, nullptr};
  const heapbase_allocator below = {&operations, nullptr};
  long failures = 0;
#if defined(__cpp_exceptions)
  for (bool failed = true; failed; failures += failed) {
    until_failure = -1;
    heapbase_subsystem *part;
    MUST(heapbase_subsystem_make(below, "containers", SIZE_MAX, &part).code == 0);
    until_failure = failures;
    failed = false;
    try {
      MUST(fill(part) == 40 * 56 + 3 * 45);
    } catch (const std::bad_alloc &) {
      failed = true;
    }
    MUST(heapbase_subsystem_figures(part).failed == failed);
    MUST(heapbase_subsystem_close(part).code == 0 && live == 0);
  }
  MUST(failures > 100);
#endif
  until_failure = -1;
  heapbase_subsystem *part;
  MUST(heapbase_subsystem_make(below, "containers", 1 << 20, &part).code == 0);
  MUST(fill(part) == 40 * 56 + 3 * 45);
  MUST(heapbase_subsystem_close(part).code == 0 && live == 0);
  // The C interface as C++ sees it.
  MUST(heapbase_subsystem_make(heapbase_malloc(), "on malloc", SIZE_MAX, &part).code == 0);
  heapbase_error error = heapbase_error_format(part, &below_failed, 3, HEAPBASE_ERROR(below_failed), "%s %zu", "text", sizeof(int));
  char text[200];
  heapbase_error_write(error, text, sizeof text);
  MUST(std::string(text) == "this request was chosen to fail: text 4 (3): this request was chosen to fail");
  heapbase_error_release(error);
  MUST(fill(part) == 40 * 56 + 3 * 45);
  MUST(heapbase_subsystem_close(part).code == 0);
  std::printf("containers: as they should");
  if (failures) std::printf(", and so with each of %ld requests failing", failures);
  std::printf("\n");
}
