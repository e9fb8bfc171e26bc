//! SCALE, Substrate's encoding: little-endian numbers, compact numbers, sequences with a compact length in front.

const std = @import("std");

pub const Malformed = error{Malformed};

/// Reads from bytes that somebody else owns; slices that it returns point into them. An error leaves the position undefined.
pub const Reader = struct {
    input: []const u8,
    at: usize = 0,

    pub fn init(input: []const u8) Reader {
        return .{ .input = input };
    }

    /// Bytes not read yet.
    pub fn left(self: *const Reader) usize {
        return self.input.len - self.at;
    }

    /// What was read since `start`, an earlier value of `at`.
    pub fn since(self: *const Reader, start: usize) []const u8 {
        return self.input[start..self.at];
    }

    /// An error unless everything was read.
    pub fn end(self: *const Reader) Malformed!void {
        if (self.left() != 0) return error.Malformed;
    }

    /// `len` bytes where they are.
    pub fn slice(self: *Reader, len: usize) Malformed![]const u8 {
        if (len > self.left()) return error.Malformed;
        defer self.at += len;
        return self.input[self.at..][0..len];
    }

    /// `len` bytes where they are, their number known when compiling.
    pub fn array(self: *Reader, comptime len: usize) Malformed!*const [len]u8 {
        return (try self.slice(len))[0..len];
    }

    /// An unsigned number of as many bytes as `T` has.
    pub fn int(self: *Reader, comptime T: type) Malformed!T {
        return std.mem.readInt(T, try self.array(@divExact(@typeInfo(T).int.bits, 8)), .little);
    }

    /// A byte that must be 0 or 1: also the tag of an `Option`.
    pub fn boolean(self: *Reader) Malformed!bool {
        return switch (try self.int(u8)) {
            0 => false,
            1 => true,
            else => error.Malformed,
        };
    }

    /// A compact number up to the largest `T` (u32, u64 or u128), in its shortest form: no value has two encodings.
    pub fn compact(self: *Reader, comptime T: type) Malformed!T {
        const first = try self.int(u8);
        switch (@as(u2, @truncate(first))) {
            0 => return first >> 2,
            1 => {
                const value = (first | @as(u16, try self.int(u8)) << 8) >> 2;
                return if (value < 1 << 6) error.Malformed else value;
            },
            2 => {
                const value = (first | @as(u32, try self.int(u24)) << 8) >> 2;
                return if (value < 1 << 14) error.Malformed else value;
            },
            3 => {
                const len = @as(usize, first >> 2) + 4;
                if (len > @sizeOf(T)) return error.Malformed;
                const payload = try self.slice(len);
                // The shortest form: four bytes have more than 30 bits in use, more bytes have the last one in use.
                if (payload[len - 1] < @as(u8, if (len == 4) 1 << 6 else 1)) return error.Malformed;
                var bytes: [@sizeOf(T)]u8 = @splat(0);
                @memcpy(bytes[0..len], payload);
                return std.mem.readInt(T, &bytes, .little);
            },
        }
    }

    /// A `Vec<u8>`, where it is.
    pub fn vec(self: *Reader) Malformed![]const u8 {
        return self.slice(try self.compact(u32));
    }
};

/// Writes into memory of its own.
pub const Writer = struct {
    gpa: std.mem.Allocator,
    list: std.ArrayList(u8) = .empty,

    const Error = std.mem.Allocator.Error;

    pub fn init(gpa: std.mem.Allocator) Writer {
        return .{ .gpa = gpa };
    }

    pub fn deinit(self: *Writer) void {
        self.list.deinit(self.gpa);
    }

    /// What was written, until more is.
    pub fn written(self: *const Writer) []const u8 {
        return self.list.items;
    }

    /// Bytes as they are.
    pub fn raw(self: *Writer, bytes: []const u8) Error!void {
        try self.list.appendSlice(self.gpa, bytes);
    }

    pub fn int(self: *Writer, comptime T: type, value: T) Error!void {
        var bytes: [@divExact(@typeInfo(T).int.bits, 8)]u8 = undefined;
        std.mem.writeInt(T, &bytes, value, .little);
        try self.raw(&bytes);
    }

    pub fn boolean(self: *Writer, value: bool) Error!void {
        try self.int(u8, @intFromBool(value));
    }

    pub fn compact(self: *Writer, value: u128) Error!void {
        if (value < 1 << 6) {
            try self.int(u8, @intCast(value << 2));
        } else if (value < 1 << 14) {
            try self.int(u16, @intCast(value << 2 | 1));
        } else if (value < 1 << 30) {
            try self.int(u32, @intCast(value << 2 | 2));
        } else {
            const len = @max(4, std.math.divCeil(usize, 128 - @clz(value), 8) catch unreachable);
            var bytes: [16]u8 = undefined;
            std.mem.writeInt(u128, &bytes, value, .little);
            try self.int(u8, @intCast((len - 4) << 2 | 3));
            try self.raw(bytes[0..len]);
        }
    }

    /// A `Vec<u8>`.
    pub fn vec(self: *Writer, bytes: []const u8) Error!void {
        try self.compact(bytes.len);
        try self.raw(bytes);
    }
};

test {
    _ = @import("scale_test.zig");
}
