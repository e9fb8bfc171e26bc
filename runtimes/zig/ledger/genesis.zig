//! The state of the first block.

const std = @import("std");
const kit = @import("kit");
const check = @import("check.zig");
const state = @import("state.zig");
const types = @import("types.zig");

/// Why nothing was written.
pub const Problem = enum {
    text,
    scale,
    order,
    deposit,
    overflow,

    pub fn message(self: Problem) []const u8 {
        return switch (self) {
            .text => "genesis: not {\"scale\":\"0x...\"}",
            .scale => "genesis: the SCALE does not decode",
            .order => "genesis: the accounts are not in ascending order",
            .deposit => "genesis: a balance is below the existential deposit",
            .overflow => "genesis: the balances overflow",
        };
    }
};

/// Writes the state that a configuration describes, or says why nothing was written.
pub fn build(configuration: []const u8) std.mem.Allocator.Error!?Problem {
    const head = "{\"scale\":\"0x";
    const tail = "\"}";
    if (!std.mem.startsWith(u8, configuration, head)) return .text;
    const rest = configuration[head.len..];
    if (!std.mem.endsWith(u8, rest, tail)) return .text;
    const digits = rest[0 .. rest.len - tail.len];
    const scale = try kit.allocator.alloc(u8, digits.len / 2);
    defer kit.allocator.free(scale);
    _ = std.fmt.hexToBytes(scale, digits) catch return .text;
    return fromScale(scale);
}

fn fromScale(scale: []const u8) ?Problem {
    var in: kit.Reader = .init(scale);
    const count = in.compact(u32) catch return .scale;
    const entries = std.mem.bytesAsSlice([48]u8, exactly(in.input[in.at..], count) orelse return .scale);

    var issuance: u128 = 0;
    for (entries, 0..) |*entry, index| {
        if (index != 0 and std.mem.order(u8, entries[index - 1][0..32], entry[0..32]) != .lt) return .order;
        if (freeOf(entry) < check.existential_deposit) return .deposit;
        issuance = std.math.add(u128, issuance, freeOf(entry)) catch return .overflow;
    }
    for (entries) |*entry| {
        var account: state.Account = .load(entry[0..32]);
        account.setFree(freeOf(entry));
        account.store();
    }
    state.writeInt(u128, &state.key.total_issuance, issuance);
    return null;
}

/// `bytes`, if they are `count` entries and no more.
fn exactly(bytes: []const u8, count: u32) ?[]const u8 {
    return if (bytes.len == @as(u64, count) * 48) bytes else null;
}

fn freeOf(entry: *const [48]u8) u128 {
    return std.mem.readInt(u128, entry[32..48], .little);
}
