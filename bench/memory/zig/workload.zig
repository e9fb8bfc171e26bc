//! The workload of the memory study, on the allocator that it is given.

const std = @import("std");
const Allocator = std.mem.Allocator;

const account_len = 80;

var state: u32 = undefined;
var sum: u32 = undefined;
var overlay: [512]?[]u8 = @splat(null);

fn next() u32 {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

fn filled(gpa: Allocator, len: usize) Allocator.Error![]u8 {
    const block = try gpa.alloc(u8, len);
    @memset(block, @truncate(next()));
    return block;
}

fn look(block: []const u8) void {
    sum = sum *% 31 +% block[0];
    sum = sum *% 31 +% block[block.len / 2];
    sum = sum *% 31 +% block[block.len - 1];
}

/// What a host function returned, copied to where it is worked on.
fn load(gpa: Allocator) Allocator.Error![]u8 {
    const value = try filled(gpa, account_len + 3);
    defer gpa.free(value);
    const info = try gpa.alloc(u8, 2 * account_len);
    @memcpy(info[0..account_len], value[3..]);
    @memset(info[account_len..], 0);
    return info;
}

fn event(gpa: Allocator) Allocator.Error!void {
    const block = try gpa.realloc(try filled(gpa, 64), 128);
    defer gpa.free(block);
    @memset(block[64..], @truncate(next()));
    look(block);
}

fn store(gpa: Allocator, info: []const u8) Allocator.Error!void {
    const slot = next() % overlay.len;
    const value = try gpa.dupe(u8, info[0..account_len]);
    if (overlay[slot]) |old| gpa.free(old);
    overlay[slot] = value;
}

fn transfer(gpa: Allocator) Allocator.Error![]u8 {
    const extrinsic = try filled(gpa, 100 + next() % 96);
    const key_a = try filled(gpa, account_len);
    defer gpa.free(key_a);
    const key_b = try filled(gpa, account_len);
    defer gpa.free(key_b);
    const info_a = try load(gpa);
    defer gpa.free(info_a);
    const info_b = try load(gpa);
    defer gpa.free(info_b);
    {
        const payload = try filled(gpa, 256);
        defer gpa.free(payload);
        look(payload[0..140]);
    }
    look(info_a[0..account_len]);
    look(info_b[0..account_len]);
    for (0..3) |_| try event(gpa);
    try store(gpa, info_a);
    try store(gpa, info_b);
    return extrinsic;
}

fn oneBlock(gpa: Allocator, transfers: u32) Allocator.Error!void {
    var list: std.ArrayList([]u8) = .empty;
    defer list.deinit(gpa);
    for (0..transfers) |_| try list.append(gpa, try transfer(gpa));
    for (list.items) |extrinsic| {
        look(extrinsic);
        gpa.free(extrinsic);
    }
    for (&overlay) |*slot| {
        const value = slot.* orelse continue;
        look(value);
        gpa.free(value);
        slot.* = null;
    }
}

pub fn run(gpa: Allocator, transfers: u32, blocks: u32) Allocator.Error!u32 {
    state = 2463534242;
    sum = 0;
    for (0..blocks) |_| try oneBlock(gpa, transfers);
    return sum;
}
