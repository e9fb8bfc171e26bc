// heapbase's allocators as std::pmr::memory_resource. MIT OR Apache-2.0.
#ifndef HEAPBASE_HPP
#define HEAPBASE_HPP

#include "heapbase.h"

#include <memory_resource>
#include <new>

namespace heapbase {

// An allocator as a memory resource. It owns nothing: the allocator works for as long as anything lives in it. An allocation that
// fails throws std::bad_alloc; without exceptions it ends the program.
class memory_resource final : public std::pmr::memory_resource {
public:
  explicit memory_resource(heapbase_allocator allocator) noexcept : allocator(allocator) {}

private:
  void *do_allocate(std::size_t size, std::size_t align) override {
    // Each block is one of its own, of no bytes as well.
    void *block = nullptr;
    heapbase_error error = heapbase_allocate(allocator, size ? size : 1, align, &block);
    if (error.code) {
      heapbase_error_release(error);
#if defined(__cpp_exceptions)
      throw std::bad_alloc();
#else
      __builtin_trap();
#endif
    }
    return block;
  }

  void do_deallocate(void *block, std::size_t size, std::size_t align) override {
    heapbase_free(allocator, block, size ? size : 1, align);
  }

  bool do_is_equal(const std::pmr::memory_resource &other) const noexcept override {
    // Only of its own kind can another be equal, and the C++ runtime may be built without type information.
    return this == &other;
  }

  heapbase_allocator allocator;
};

} // namespace heapbase

#endif
