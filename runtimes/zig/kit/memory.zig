//! heapbase's allocator as a `std.mem.Allocator`, linked from `../../heap`.
//!
//! Not `std.heap.wasm_allocator`: it grows the memory, which under `local` belongs to the host, and takes a page of 64 KiB for each
//! size class, where what a call costs is the pages that it touches.

const std = @import("std");
const Alignment = std.mem.Alignment;

extern fn heapbase_alloc(len: usize, alignment: usize) ?[*]u8;
extern fn heapbase_resize(block: [*]u8, len: usize) bool;
extern fn heapbase_free(block: [*]u8) void;

/// The runtime's heap.
pub const allocator: std.mem.Allocator = .{
    .ptr = undefined,
    .vtable = &.{ .alloc = alloc, .resize = resize, .remap = remap, .free = free },
};

fn alloc(_: *anyopaque, len: usize, alignment: Alignment, _: usize) ?[*]u8 {
    return heapbase_alloc(len, alignment.toByteUnits());
}

fn resize(_: *anyopaque, block: []u8, _: Alignment, len: usize, _: usize) bool {
    return heapbase_resize(block.ptr, len);
}

fn remap(_: *anyopaque, block: []u8, _: Alignment, len: usize, _: usize) ?[*]u8 {
    return if (heapbase_resize(block.ptr, len)) block.ptr else null;
}

fn free(_: *anyopaque, block: []u8, _: Alignment, _: usize) void {
    heapbase_free(block.ptr);
}

/// A block without a Zig type, as `v1`'s exports and buffers of the host are: null when out of memory.
pub fn allocRaw(len: usize) ?[*]u8 {
    return heapbase_alloc(len, 8);
}

/// Makes a block of `allocRaw` hold `len` bytes where it is, if that can be.
pub fn resizeRaw(block: [*]u8, len: usize) bool {
    return heapbase_resize(block, len);
}

/// Gives back a block of `allocRaw`.
pub fn freeRaw(block: [*]u8) void {
    heapbase_free(block);
}
