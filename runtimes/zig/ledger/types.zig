//! What the ledger reads and writes: extrinsics, headers, blocks. `../../LEDGER.md` decides every byte.
//! Whatever is read points into the input.

const std = @import("std");
const kit = @import("kit");
const version = @import("version.zig");

pub const Id = [32]u8;
pub const Hash = [32]u8;

const Malformed = error{Malformed};
const OutOfMemory = std.mem.Allocator.Error;

pub const Call = union(enum) {
    set_timestamp: u64,
    transfer: struct { to: *const Id, value: u128 },

    fn read(in: *kit.Reader) Malformed!Call {
        const pallet = try in.int(u8);
        const index = try in.int(u8);
        if (pallet == 1 and index == 0) return .{ .set_timestamp = try in.compact(u64) };
        if (pallet == 2 and index == 3) {
            try expect(in, 0);
            return .{ .transfer = .{ .to = try in.array(32), .value = try in.compact(u128) } };
        }
        return error.Malformed;
    }
};

pub const Signature = union(enum) { ed25519: *const [64]u8, sr25519: *const [64]u8 };

pub const Signed = struct {
    from: *const Id,
    signature: Signature,
    is_mortal: bool,
    nonce: u32,
    tip: u128,

    fn read(in: *kit.Reader) Malformed!Signed {
        try expect(in, 0);
        const from = try in.array(32);
        const is_sr25519 = try in.boolean();
        const signature = try in.array(64);
        const is_mortal = try in.int(u8) != 0;
        if (is_mortal) _ = try in.int(u8);
        return .{
            .from = from,
            .signature = if (is_sr25519) .{ .sr25519 = signature } else .{ .ed25519 = signature },
            .is_mortal = is_mortal,
            .nonce = try in.compact(u32),
            .tip = try in.compact(u128),
        };
    }
};

pub const Extrinsic = struct {
    /// As it stands in a block, its length in front.
    bytes: []const u8,
    signed: ?Signed,
    call: Call,
    call_bytes: []const u8,

    pub fn read(in: *kit.Reader) Malformed!Extrinsic {
        const start = in.at;
        var inner: kit.Reader = .init(try in.vec());
        const signed: ?Signed = switch (try inner.int(u8)) {
            0x84 => try .read(&inner),
            0x04 => null,
            else => return error.Malformed,
        };
        const call_start = inner.at;
        const call: Call = try .read(&inner);
        try inner.end();
        return .{ .bytes = in.since(start), .signed = signed, .call = call, .call_bytes = inner.since(call_start) };
    }

    /// What the sender signs.
    pub fn writePayload(self: *const Extrinsic, signed: *const Signed, genesis: *const Hash, out: *kit.Writer) OutOfMemory!void {
        try out.raw(self.call_bytes);
        try out.int(u8, 0); // immortal
        try out.compact(signed.nonce);
        try out.compact(signed.tip);
        try out.int(u32, version.spec);
        try out.int(u32, version.transaction);
        try out.raw(genesis);
        try out.raw(genesis);
    }
};

pub const Header = struct {
    parent_hash: *const Hash,
    number: u32,
    state_root: *const Hash,
    extrinsics_root: *const Hash,
    /// The encoded `Vec<DigestItem>`.
    digest: []const u8,

    pub fn read(in: *kit.Reader) Malformed!Header {
        const parent_hash = try in.array(32);
        const number = try in.compact(u32);
        const state_root = try in.array(32);
        const extrinsics_root = try in.array(32);
        const start = in.at;
        for (0..try in.compact(u32)) |_| try skipDigestItem(in);
        return .{
            .parent_hash = parent_hash,
            .number = number,
            .state_root = state_root,
            .extrinsics_root = extrinsics_root,
            .digest = in.since(start),
        };
    }

    pub fn write(self: *const Header, out: *kit.Writer) OutOfMemory!void {
        try out.raw(self.parent_hash);
        try out.compact(self.number);
        try out.raw(self.state_root);
        try out.raw(self.extrinsics_root);
        try out.raw(self.digest);
    }
};

fn skipDigestItem(in: *kit.Reader) Malformed!void {
    switch (try in.int(u8)) {
        0 => _ = try in.vec(),
        4, 5, 6 => {
            _ = try in.slice(4);
            _ = try in.vec();
        },
        8 => {},
        else => return error.Malformed,
    }
}

pub const Block = struct {
    header: Header,
    extrinsics: std.ArrayList(Extrinsic),

    pub fn read(in: *kit.Reader) kit.Error!Block {
        const header: Header = try .read(in);
        // The count is somebody's word: room is made as extrinsics arrive.
        var extrinsics: std.ArrayList(Extrinsic) = .empty;
        for (0..try in.compact(u32)) |_| try extrinsics.append(kit.allocator, try .read(in));
        return .{ .header = header, .extrinsics = extrinsics };
    }

    pub fn deinit(self: *Block) void {
        self.extrinsics.deinit(kit.allocator);
    }
};

fn expect(in: *kit.Reader, byte: u8) Malformed!void {
    if (try in.int(u8) != byte) return error.Malformed;
}
