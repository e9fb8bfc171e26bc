//! The life of a block: initialised, filled, finalised.

const std = @import("std");
const kit = @import("kit");
const check = @import("check.zig");
const state = @import("state.zig");
const types = @import("types.zig");
const version = @import("version.zig");
const storage = kit.host.storage;
const key = state.key;
const Hash = types.Hash;

/// The root of a trie without entries.
const empty_root: Hash = .{
    0x03, 0x17, 0x0a, 0x2e, 0x75, 0x97, 0xb7, 0xb7, 0xe3, 0xd8, 0x4c, 0x05, 0x39, 0x1d, 0x13, 0x9a,
    0x62, 0xb1, 0x57, 0xe7, 0x87, 0x86, 0xd8, 0xc0, 0x82, 0xf2, 0x9d, 0xcf, 0x4c, 0x11, 0x13, 0x14,
};
/// An encoded sequence without elements.
const nothing = [_]u8{0};

/// A header that owns its parts.
pub const MadeHeader = struct {
    parent_hash: Hash,
    number: u32,
    state_root: Hash,
    extrinsics_root: Hash,
    digest: ?kit.host.Value,

    /// That of the block which the state is in. The state root is the one of now.
    fn ofState() MadeHeader {
        const parent_hash = state.read(32, &key.parent_hash);
        const number = state.readInt(u32, &key.number);
        const state_root = storage.root(version.state);
        const extrinsics_root = state.read(32, &key.extrinsics_root);
        return .{
            .parent_hash = parent_hash orelse @splat(0),
            .number = number,
            .state_root = state_root,
            .extrinsics_root = extrinsics_root orelse empty_root,
            .digest = storage.get(&key.digest),
        };
    }

    pub fn deinit(self: *MadeHeader) void {
        if (self.digest) |digest| digest.deinit();
    }

    /// A view, as long as this lives.
    pub fn view(self: *const MadeHeader) types.Header {
        return .{
            .parent_hash = &self.parent_hash,
            .number = self.number,
            .state_root = &self.state_root,
            .extrinsics_root = &self.extrinsics_root,
            .digest = if (self.digest) |digest| digest.bytes else &nothing,
        };
    }
};

pub fn initialize(header: *const types.Header) kit.Error!void {
    if (header.number != @as(u64, state.readInt(u32, &key.number)) + 1) {
        kit.abort("block: the number does not follow the parent's");
    }
    const parent_hash = hash: {
        var parent: MadeHeader = .ofState();
        defer parent.deinit();
        var out: kit.Writer = .init(kit.allocator);
        defer out.deinit();
        try parent.view().write(&out);
        break :hash kit.host.blake2_256(out.written());
    };
    if (!std.mem.eql(u8, &parent_hash, header.parent_hash)) kit.abort("block: the parent is another block");

    state.writeInt(u32, &key.number, header.number);
    storage.set(&key.parent_hash, header.parent_hash);
    storage.set(&key.digest, header.digest);
    if (header.number == 1) storage.set(&key.genesis_hash, header.parent_hash);
    storage.clear(&key.events);
}

/// Applies an extrinsic. Where it is refused, nothing was written.
pub fn apply(extrinsic: *const types.Extrinsic) kit.Error!?check.Refusal {
    const index = state.readInt(u32, &key.extrinsic_index);
    if (extrinsic.signed) |*signed| {
        switch (try check.signedExtrinsic(extrinsic, signed, .block)) {
            .refused => |refusal| return refusal,
            .parties => |parties| try transfer(extrinsic, signed, index, parties),
        }
    } else switch (extrinsic.call) {
        .transfer => return check.must_be_signed,
        .set_timestamp => |now| {
            if (check.timestamp(now, index)) |refusal| return refusal;
            state.writeInt(u64, &key.now, now);
            storage.set(&key.did_update, &.{1});
            try state.Event.deposit(.{ .success = .mandatory }, index);
        },
    }
    {
        var element: kit.Writer = .init(kit.allocator);
        defer element.deinit();
        try element.vec(extrinsic.bytes);
        storage.append(&key.extrinsic_data, element.written());
    }
    state.writeInt(u32, &key.extrinsic_index, index +% 1);
    return null;
}

fn transfer(extrinsic: *const types.Extrinsic, signed: *const types.Signed, index: u32, parties: check.Parties) kit.Error!void {
    const call = extrinsic.call.transfer;
    var from = parties.from;
    from.setNonce(from.nonce() + 1);
    if (parties.to) |before| {
        var to = before;
        from.setFree(from.free() - call.value);
        to.setFree(to.free() + call.value);
        to.store();
        if (!to.exists) {
            try state.Event.deposit(.{ .new_account = call.to }, index);
            try state.Event.deposit(.{ .endowed = .{ .who = call.to, .free = call.value } }, index);
        }
    }
    from.store();
    try state.Event.deposit(.{ .transfer = .{ .from = signed.from, .to = call.to, .value = call.value } }, index);
    try state.Event.deposit(.{ .success = .normal }, index);
}

pub fn finalize() MadeHeader {
    if (!storage.exists(&key.did_update)) kit.abort("block: the timestamp is missing");
    const data = storage.get(&key.extrinsic_data);
    defer if (data) |value| value.deinit();
    const root = kit.host.orderedRoot(if (data) |value| value.bytes else &nothing, version.extrinsics_root);
    storage.set(&key.extrinsics_root, &root);
    storage.clear(&key.did_update);
    storage.clear(&key.extrinsic_index);
    storage.clear(&key.extrinsic_data);
    return .ofState();
}

/// Executes a block that somebody made; ends the call where anything about it is wrong.
pub fn execute(block: *const types.Block) kit.Error!void {
    try initialize(&block.header);
    for (block.extrinsics.items, 0..) |*extrinsic, index| {
        if (try apply(extrinsic)) |refusal| {
            kit.abort(try std.fmt.allocPrint(kit.allocator, "extrinsic {d}: {s}", .{ index, refusal.reason }));
        }
    }
    var made = finalize();
    defer made.deinit();
    if (!std.mem.eql(u8, &made.extrinsics_root, block.header.extrinsics_root)) {
        kit.abort("block: the extrinsics root differs");
    }
    if (!std.mem.eql(u8, &made.state_root, block.header.state_root)) kit.abort("block: the state root differs");
}
