//! The runtime's entry points: each decodes its input, calls what does the work, encodes the output.

const std = @import("std");
const kit = @import("kit");
const block = @import("block.zig");
const check = @import("check.zig");
const genesis = @import("genesis.zig");
const state = @import("state.zig");
const types = @import("types.zig");
const version = @import("version.zig");
const Error = kit.Error;
const Reader = kit.Reader;
const Writer = kit.Writer;

pub const panic = kit.panic;

comptime {
    kit.exportEntries(entries);
}

const metadata_14 = @embedFile("metadata-v14.scale");
const metadata_15 = @embedFile("metadata-v15.scale");
const preset = @embedFile("development.json");
const preset_name = "development";
const default_preset = "{\"scale\":\"0x00\"}";

/// Milliseconds by which a block may be ahead of the one who checks it.
const max_drift = 30_000;

/// Named as they are exported; `build.zig` lists them for the linker.
const entries = struct {
    pub fn Core_version(in: *Reader, out: *Writer) Error!void {
        try in.end();
        try version.write(out);
    }

    pub fn Core_execute_block(in: *Reader, _: *Writer) Error!void {
        var made: types.Block = try .read(in);
        defer made.deinit();
        try in.end();
        try block.execute(&made);
    }

    pub fn Core_initialize_block(in: *Reader, out: *Writer) Error!void {
        const header: types.Header = try .read(in);
        try in.end();
        try block.initialize(&header);
        try out.int(u8, 0); // all extrinsics are allowed
    }

    pub fn BlockBuilder_apply_extrinsic(in: *Reader, out: *Writer) Error!void {
        const extrinsic: types.Extrinsic = try .read(in);
        try in.end();
        if (try block.apply(&extrinsic)) |refusal| return writeRefusal(refusal, out);
        try out.raw(&.{ 0, 0 }); // applied, and the call went well
    }

    pub fn BlockBuilder_finalize_block(in: *Reader, out: *Writer) Error!void {
        try in.end();
        var made = block.finalize();
        defer made.deinit();
        try made.view().write(out);
    }

    pub fn BlockBuilder_inherent_extrinsics(in: *Reader, out: *Writer) Error!void {
        const data = try readInherentData(in);
        try in.end();
        const given = timestampOf(data, "BlockBuilder_inherent_extrinsics");
        const now = @max(given, state.readInt(u64, &state.key.now) +| 1);

        var extrinsic: Writer = .init(kit.allocator);
        defer extrinsic.deinit();
        try extrinsic.raw(&.{ 4, 1, 0 }); // bare, Timestamp.set
        try extrinsic.compact(now);
        try out.compact(1);
        try out.vec(extrinsic.written());
    }

    pub fn BlockBuilder_check_inherents(in: *Reader, out: *Writer) Error!void {
        var made: types.Block = try .read(in);
        defer made.deinit();
        const data = try readInherentData(in);
        try in.end();
        const latest = timestampOf(data, "BlockBuilder_check_inherents") +| max_drift;
        const is_too_far = if (bareTimestamp(&made)) |now| now > latest else false;
        if (is_too_far) {
            try out.raw(&.{ 0, 1, 4 }); // not okay, fatal, one error
            try out.raw("timstap0");
            try out.vec(&.{1}); // too far in the future
        } else {
            try out.raw(&.{ 1, 0, 0 });
        }
    }

    pub fn Metadata_metadata(in: *Reader, out: *Writer) Error!void {
        try in.end();
        try out.vec(metadata_14);
    }

    pub fn Metadata_metadata_at_version(in: *Reader, out: *Writer) Error!void {
        const wanted = try in.int(u32);
        try in.end();
        switch (wanted) {
            14 => try writeSome(metadata_14, out),
            15 => try writeSome(metadata_15, out),
            else => try out.boolean(false),
        }
    }

    pub fn Metadata_metadata_versions(in: *Reader, out: *Writer) Error!void {
        try in.end();
        try out.compact(2);
        try out.int(u32, 14);
        try out.int(u32, 15);
    }

    pub fn TaggedTransactionQueue_validate_transaction(in: *Reader, out: *Writer) Error!void {
        if (try in.int(u8) > 2) return error.Malformed;
        const extrinsic: types.Extrinsic = try .read(in);
        const hash = try in.array(32);
        try in.end();

        const signed = if (extrinsic.signed) |*signed| signed else return switch (extrinsic.call) {
            .transfer => writeRefusal(check.must_be_signed, out),
            .set_timestamp => out.raw(&.{ 1, 0, 9 }), // only a block's author may
        };
        const nonce = switch (try check.signedExtrinsic(&extrinsic, signed, .{ .pool = hash })) {
            .refused => |refusal| return writeRefusal(refusal, out),
            .parties => |parties| parties.from.nonce(),
        };
        try out.int(u8, 0);
        try out.int(u64, 0); // priority
        try out.compact(@intFromBool(signed.nonce > nonce)); // requires
        if (signed.nonce > nonce) try writeTag(signed.from, signed.nonce - 1, out);
        try out.compact(1); // provides
        try writeTag(signed.from, signed.nonce, out);
        try out.int(u64, std.math.maxInt(u64)); // longevity
        try out.boolean(true); // propagate
    }

    pub fn AccountNonceApi_account_nonce(in: *Reader, out: *Writer) Error!void {
        const id = try in.array(32);
        try in.end();
        try out.int(u32, state.Account.load(id).nonce());
    }

    pub fn GenesisBuilder_build_state(in: *Reader, out: *Writer) Error!void {
        const configuration = try in.vec();
        try in.end();
        if (try genesis.build(configuration)) |problem| {
            try writeSome(problem.message(), out);
        } else {
            try out.boolean(false);
        }
    }

    pub fn GenesisBuilder_get_preset(in: *Reader, out: *Writer) Error!void {
        const name = if (try in.boolean()) try in.vec() else null;
        try in.end();
        if (name) |some| {
            if (std.mem.eql(u8, some, preset_name)) try writeSome(preset, out) else try out.boolean(false);
        } else {
            try writeSome(default_preset, out);
        }
    }

    pub fn GenesisBuilder_preset_names(in: *Reader, out: *Writer) Error!void {
        try in.end();
        try out.compact(1);
        try out.vec(preset_name);
    }
};

/// A byte 1 and `bytes` with their length: `Some` of an option, `Err` of a result.
fn writeSome(bytes: []const u8, out: *Writer) Error!void {
    try out.boolean(true);
    try out.vec(bytes);
}

fn writeRefusal(refusal: check.Refusal, out: *Writer) Error!void {
    try out.int(u8, 1);
    try out.raw(&refusal.bytes);
}

/// What a transaction provides, and the next one of its sender requires.
fn writeTag(from: *const types.Id, nonce: u32, out: *Writer) Error!void {
    try out.compact(36);
    try out.raw(from);
    try out.int(u32, nonce);
}

/// Reads `Vec<([8], Bytes)>` and returns the first that is the timestamp's.
fn readInherentData(in: *Reader) Error!?[]const u8 {
    var found: ?[]const u8 = null;
    for (0..try in.compact(u32)) |_| {
        const id = try in.array(8);
        const data = try in.vec();
        if (found == null and std.mem.eql(u8, id, "timstap0")) found = data;
    }
    return found;
}

fn timestampOf(data: ?[]const u8, comptime entry: []const u8) u64 {
    const bytes = data orelse "";
    if (bytes.len != 8) kit.abort(entry ++ ": no timestamp among the inherent data");
    return std.mem.readInt(u64, bytes[0..8], .little);
}

/// The timestamp of a block that begins with one.
fn bareTimestamp(made: *const types.Block) ?u64 {
    if (made.extrinsics.items.len == 0) return null;
    const first = made.extrinsics.items[0];
    if (first.signed != null) return null;
    return switch (first.call) {
        .set_timestamp => |now| now,
        .transfer => null,
    };
}
