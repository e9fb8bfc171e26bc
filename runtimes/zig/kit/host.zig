//! What the host gives: its functions as they are declared, and forms of them that say who owns what comes back.

const options = @import("options");
const memory = @import("memory.zig");
const panicAt = @import("panic.zig").panicAt;
const Reader = @import("scale.zig").Reader;

/// An address in the lower half, a length in the upper.
pub const Span = u64;

pub fn span(bytes: []const u8) Span {
    return @as(u64, bytes.len) << 32 | @intFromPtr(bytes.ptr);
}

/// The host's functions, under their own names.
pub const raw = struct {
    pub extern "env" fn ext_storage_get_version_1(key: Span) Span;
    pub extern "env" fn ext_storage_set_version_1(key: Span, value: Span) void;
    pub extern "env" fn ext_storage_clear_version_1(key: Span) void;
    pub extern "env" fn ext_storage_append_version_1(key: Span, item: Span) void;
    pub extern "env" fn ext_storage_root_version_2(state_version: u32) Span;
    pub extern "env" fn ext_storage_exists_version_1(key: Span) u32;
    pub extern "env" fn ext_storage_next_key_version_1(key: Span) Span;
    pub extern "env" fn ext_storage_clear_prefix_version_2(prefix: Span, limit: Span) Span;
    pub extern "env" fn ext_storage_start_transaction_version_1() void;
    pub extern "env" fn ext_storage_rollback_transaction_version_1() void;
    pub extern "env" fn ext_storage_commit_transaction_version_1() void;
    pub extern "env" fn ext_trie_blake2_256_ordered_root_version_2(values: Span, state_version: u32) [*]u8;
    pub extern "env" fn ext_hashing_blake2_128_version_1(data: Span) [*]u8;
    pub extern "env" fn ext_hashing_blake2_256_version_1(data: Span) [*]u8;
    pub extern "env" fn ext_hashing_twox_64_version_1(data: Span) [*]u8;
    pub extern "env" fn ext_hashing_twox_128_version_1(data: Span) [*]u8;
    pub extern "env" fn ext_crypto_ed25519_verify_version_1(signature: *const [64]u8, message: Span, public: *const [32]u8) u32;
    pub extern "env" fn ext_crypto_sr25519_verify_version_2(signature: *const [64]u8, message: Span, public: *const [32]u8) u32;
    pub extern "env" fn ext_logging_log_version_1(level: u32, target: Span, message: Span) void;
    pub extern "env" fn ext_logging_max_level_version_1() u32;
    pub extern "env" fn ext_panic_handler_abort_on_panic_version_1(message: Span) void;
    pub extern "env" fn ext_allocator_free_version_1(buffer: [*]u8) void;
};

/// Frees what a host function returned. Such a buffer lies in the host's heap under `local`, in the runtime's own under `v1`.
pub fn free(buffer: [*]u8) void {
    switch (options.spec) {
        .v1 => memory.freeRaw(buffer),
        .local => raw.ext_allocator_free_version_1(buffer),
    }
}

/// A buffer that a host function returned, and the part of it that is the value.
pub const Value = struct {
    buffer: [*]u8,
    bytes: []const u8,

    fn init(whole: Span) Value {
        const buffer: [*]u8 = @ptrFromInt(@as(u32, @truncate(whole)));
        return .{ .buffer = buffer, .bytes = buffer[0..@intCast(whole >> 32)] };
    }

    pub fn deinit(self: Value) void {
        free(self.buffer);
    }
};

pub const storage = struct {
    /// The value under a key.
    pub fn get(key: []const u8) ?Value {
        var value: Value = .init(raw.ext_storage_get_version_1(span(key)));
        var reader: Reader = .init(value.bytes);
        if (reader.boolean() catch invalid()) {
            value.bytes = reader.vec() catch invalid();
            return value;
        }
        value.deinit();
        return null;
    }

    pub fn exists(key: []const u8) bool {
        const value = get(key) orelse return false;
        value.deinit();
        return true;
    }

    pub fn set(key: []const u8, value: []const u8) void {
        raw.ext_storage_set_version_1(span(key), span(value));
    }

    pub fn clear(key: []const u8) void {
        raw.ext_storage_clear_version_1(span(key));
    }

    /// Adds one encoded item to the encoded sequence under a key.
    pub fn append(key: []const u8, item: []const u8) void {
        raw.ext_storage_append_version_1(span(key), span(item));
    }

    /// The root of the state as it is now.
    pub fn root(state_version: u32) [32]u8 {
        const value: Value = .init(raw.ext_storage_root_version_2(state_version));
        defer value.deinit();
        if (value.bytes.len != 32) invalid();
        return value.bytes[0..32].*;
    }
};

fn invalid() noreturn {
    panicAt(@src(), "the host's answer is not what its function returns");
}

/// Copies what the host returned and frees the host's.
fn taken(comptime len: usize, buffer: [*]u8) [len]u8 {
    defer free(buffer);
    return buffer[0..len].*;
}

/// The root of a trie of values under compact indices; `values` is an encoded `Vec<Vec<u8>>`.
pub fn orderedRoot(values: []const u8, state_version: u32) [32]u8 {
    return taken(32, raw.ext_trie_blake2_256_ordered_root_version_2(span(values), state_version));
}

pub fn blake2_128(data: []const u8) [16]u8 {
    return taken(16, raw.ext_hashing_blake2_128_version_1(span(data)));
}

pub fn blake2_256(data: []const u8) [32]u8 {
    return taken(32, raw.ext_hashing_blake2_256_version_1(span(data)));
}

pub fn twox_128(data: []const u8) [16]u8 {
    return taken(16, raw.ext_hashing_twox_128_version_1(span(data)));
}

pub fn ed25519Verify(signature: *const [64]u8, message: []const u8, public: *const [32]u8) bool {
    return raw.ext_crypto_ed25519_verify_version_1(signature, span(message), public) != 0;
}

pub fn sr25519Verify(signature: *const [64]u8, message: []const u8, public: *const [32]u8) bool {
    return raw.ext_crypto_sr25519_verify_version_2(signature, span(message), public) != 0;
}

/// Levels as the host numbers them.
pub const Level = enum(u32) { err, warn, info, debug, trace };

/// One line to the node's log, if it listens at that level.
pub fn log(level: Level, target: []const u8, message: []const u8) void {
    // The host answers 0 for none, 1 for errors only, and so on.
    if (@backingInt(level) >= raw.ext_logging_max_level_version_1()) return;
    raw.ext_logging_log_version_1(@backingInt(level), span(target), span(message));
}
