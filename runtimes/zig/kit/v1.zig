//! The allocator that a runtime of the spec `v1` exports (RFC-0061).

const memory = @import("memory.zig");

pub fn exportAll() void {
    @export(&v1, .{ .name = "v1" });
    @export(&alloc, .{ .name = "alloc" });
    @export(&dealloc, .{ .name = "dealloc" });
    @export(&realloc, .{ .name = "realloc" });
}

fn v1() callconv(.c) void {}

fn alloc(len: usize) callconv(.c) ?[*]u8 {
    return memory.allocRaw(len);
}

fn dealloc(block: ?[*]u8, _: usize) callconv(.c) void {
    if (block) |some| memory.freeRaw(some);
}

fn realloc(block: ?[*]u8, len: usize, new_len: usize) callconv(.c) ?[*]u8 {
    const old = block orelse return memory.allocRaw(new_len);
    if (memory.resizeRaw(old, new_len)) return old;
    const new = memory.allocRaw(new_len) orelse return null;
    const kept = @min(len, new_len);
    @memcpy(new[0..kept], old[0..kept]);
    memory.freeRaw(old);
    return new;
}
