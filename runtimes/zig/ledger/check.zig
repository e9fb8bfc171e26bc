//! Whether an extrinsic may be applied.

const std = @import("std");
const kit = @import("kit");
const state = @import("state.zig");
const types = @import("types.zig");
const Account = state.Account;

pub const existential_deposit = 1000;

pub const Refusal = struct {
    reason: []const u8,
    /// The encoded TransactionValidityError.
    bytes: [2]u8,
};

fn refusal(reason: []const u8, first: u8, second: u8) Refusal {
    return .{ .reason = reason, .bytes = .{ first, second } };
}

/// A bare extrinsic that is no timestamp.
pub const must_be_signed = refusal("a transfer must be signed", 1, 1);

/// Checks a timestamp as the extrinsic with this index in a block being made; null where nothing speaks against it.
pub fn timestamp(now: u64, index: u32) ?Refusal {
    if (kit.host.storage.exists(&state.key.did_update)) return refusal("the timestamp is set twice", 0, 8);
    if (index != 0) return refusal("the timestamp is not the first extrinsic", 0, 8);
    if (now <= state.readInt(u64, &state.key.now)) return refusal("the timestamp is not later than the last", 0, 8);
    return null;
}

/// Where an extrinsic is checked.
pub const Place = union(enum) {
    /// In a block being made: the nonce is the next one.
    block,
    /// In the pool, where the nonce may lie ahead: the hash of the block that the state is of.
    pool: *const types.Hash,
};

/// Who takes part in a transfer, as they are before it.
pub const Parties = struct {
    from: Account,
    /// Null where it is the same.
    to: ?Account,
};

pub const Checked = union(enum) { parties: Parties, refused: Refusal };

fn refused(reason: []const u8, first: u8, second: u8) Checked {
    return .{ .refused = refusal(reason, first, second) };
}

/// Checks a signed extrinsic.
pub fn signedExtrinsic(extrinsic: *const types.Extrinsic, signed: *const types.Signed, place: Place) kit.Error!Checked {
    const transfer = switch (extrinsic.call) {
        .transfer => |call| call,
        .set_timestamp => return refused("the timestamp must not be signed", 0, 0),
    };
    if (signed.is_mortal) return refused("the era is mortal", 0, 5);
    if (signed.tip != 0) return refused("the tip is not zero", 0, 1);
    if (!try isSignatureRight(extrinsic, signed, place)) return refused("the signature is wrong", 0, 4);

    const from: Account = .load(signed.from);
    if (signed.nonce < from.nonce() or signed.nonce == std.math.maxInt(u32)) return refused("the nonce is used", 0, 3);
    if (place == .block and signed.nonce != from.nonce()) return refused("the nonce is too high", 0, 2);

    if (transfer.value > from.free()) return refused("the balance is too low", 0, 1);
    if (std.mem.eql(u8, signed.from, transfer.to)) return .{ .parties = .{ .from = from, .to = null } };
    if (from.free() - transfer.value < existential_deposit) {
        return refused("the sender would fall below the existential deposit", 0, 1);
    }

    const to: Account = .load(transfer.to);
    const after = std.math.add(u128, to.free(), transfer.value) catch {
        return refused("the recipient's balance would overflow", 0, 1);
    };
    if (after < existential_deposit) return refused("the recipient would stay below the existential deposit", 0, 1);
    return .{ .parties = .{ .from = from, .to = to } };
}

fn isSignatureRight(extrinsic: *const types.Extrinsic, signed: *const types.Signed, place: Place) kit.Error!bool {
    const genesis = genesisHash(place);
    var payload: kit.Writer = .init(kit.allocator);
    defer payload.deinit();
    try extrinsic.writePayload(signed, &genesis, &payload);
    return switch (signed.signature) {
        .ed25519 => |signature| kit.host.ed25519Verify(signature, payload.written(), signed.from),
        .sr25519 => |signature| kit.host.sr25519Verify(signature, payload.written(), signed.from),
    };
}

/// In the pool of a chain without blocks the genesis is the block asked about.
fn genesisHash(place: Place) types.Hash {
    switch (place) {
        .pool => |block| if (state.readInt(u32, &state.key.number) == 0) return block.*,
        .block => {},
    }
    return state.read(32, &state.key.genesis_hash) orelse @splat(0);
}
