//! The state: keys, values of fixed length, accounts, events.

const std = @import("std");
const kit = @import("kit");
const types = @import("types.zig");
const storage = kit.host.storage;
const Id = types.Id;

fn hex(comptime digits: []const u8) [digits.len / 2]u8 {
    var bytes: [digits.len / 2]u8 = undefined;
    return (std.fmt.hexToBytes(&bytes, digits) catch unreachable)[0 .. digits.len / 2].*;
}

const system = "26aa394eea5630e07c48ae0c9558cef7";
const timestamp = "f0c365c3cf59d671eb72da0e7a4113c4";
const balances = "c2261276cc9d1f8598ea4b6a74b15c2f";

/// The keys of the state, all but those of accounts.
pub const key = struct {
    pub const number = hex(system ++ "02a5c1b19ab7a04f536c519aca4983ac");
    pub const parent_hash = hex(system ++ "8a42f33323cb5ced3b44dd825fda9fcc");
    pub const digest = hex(system ++ "99e7f93fc6a98f0874fd057f111c4d2d");
    pub const genesis_hash = hex(system ++ "a44704b568d21667356a5a050c118746b4def25cfda6ef3a00000000");
    pub const extrinsics_root = hex(system ++ "b06c3320c6ac196d813442e270868d63");
    pub const events = hex(system ++ "80d41e5e16056765bc8461851072c9d7");
    pub const now = hex(timestamp ++ "9f1f0515f462cdcf84e0f1d6045dfcbb");
    pub const total_issuance = hex(balances ++ "57c875e4cff74148e4628f264b974c80");
    // Present while a block is being made.
    pub const extrinsic_data = hex(system ++ "df1daeb8986837f21cc5d17596bb78d1");
    pub const did_update = hex(timestamp ++ "bbd108c4899964f707fdaffb82636065");
    pub const extrinsic_index = ":extrinsic_index".*;

    const account = hex(system ++ "b99d880ec681799c0cf30e8886371da9");
};

/// A value of `len` bytes; null where there is none. Another length ends the call.
pub fn read(comptime len: usize, name: []const u8) ?[len]u8 {
    const value = storage.get(name) orelse return null;
    defer value.deinit();
    if (value.bytes.len != len) kit.abort("state: a value has the wrong length");
    return value.bytes[0..len].*;
}

/// A number, 0 where there is none.
pub fn readInt(comptime T: type, name: []const u8) T {
    const bytes = read(@sizeOf(T), name) orelse return 0;
    return std.mem.readInt(T, &bytes, .little);
}

pub fn writeInt(comptime T: type, name: []const u8, value: T) void {
    var bytes: [@sizeOf(T)]u8 = undefined;
    std.mem.writeInt(T, &bytes, value, .little);
    storage.set(name, &bytes);
}

pub const Account = struct {
    key: [80]u8,
    /// As stored, or as a new account is stored.
    info: [80]u8,
    exists: bool,

    // Where the parts of `info` lie that are not always the same.
    const nonce_at = 0;
    const free_at = 16;

    /// No references but its own existence, no balance, the flag of new logic.
    const new: [80]u8 = info: {
        var bytes: [80]u8 = @splat(0);
        bytes[8] = 1; // providers
        bytes[79] = 0x80; // flags
        break :info bytes;
    };

    /// The account as it is in the state.
    pub fn load(id: *const Id) Account {
        const name = key.account ++ kit.host.blake2_128(id) ++ id.*;
        const stored = read(80, &name);
        return .{ .key = name, .info = stored orelse new, .exists = stored != null };
    }

    pub fn store(self: *const Account) void {
        storage.set(&self.key, &self.info);
    }

    pub fn nonce(self: *const Account) u32 {
        return std.mem.readInt(u32, self.info[nonce_at..][0..4], .little);
    }

    pub fn free(self: *const Account) u128 {
        return std.mem.readInt(u128, self.info[free_at..][0..16], .little);
    }

    pub fn setNonce(self: *Account, value: u32) void {
        std.mem.writeInt(u32, self.info[nonce_at..][0..4], value, .little);
    }

    pub fn setFree(self: *Account, value: u128) void {
        std.mem.writeInt(u128, self.info[free_at..][0..16], value, .little);
    }
};

pub const Event = union(enum) {
    success: enum(u8) { normal = 0, mandatory = 2 },
    new_account: *const Id,
    endowed: struct { who: *const Id, free: u128 },
    transfer: struct { from: *const Id, to: *const Id, value: u128 },

    /// Adds the event to those of the block.
    pub fn deposit(self: Event, extrinsic: u32) kit.Error!void {
        var out: kit.Writer = .init(kit.allocator);
        defer out.deinit();
        try out.int(u8, 0); // while an extrinsic is applied
        try out.int(u32, extrinsic);
        switch (self) {
            .success => |class| {
                try out.raw(&.{ 0, 0 });
                try out.raw(&.{ 0, 0 }); // weight
                try out.int(u8, @backingInt(class));
                try out.int(u8, 1); // pays no fee
            },
            .new_account => |id| {
                try out.raw(&.{ 0, 3 });
                try out.raw(id);
            },
            .endowed => |event| {
                try out.raw(&.{ 2, 0 });
                try out.raw(event.who);
                try out.int(u128, event.free);
            },
            .transfer => |event| {
                try out.raw(&.{ 2, 2 });
                try out.raw(event.from);
                try out.raw(event.to);
                try out.int(u128, event.value);
            },
        }
        try out.int(u8, 0); // no topics
        storage.append(&key.events, out.written());
    }
};
