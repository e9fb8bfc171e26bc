//! Every line of `vectors/scale.tsv`, what parity-scale-codec does: decoded, and encoded again where it decodes.

const std = @import("std");
const scale = @import("scale.zig");
const testing = std.testing;

const vectors = @embedFile("scale.tsv");

test "as parity-scale-codec" {
    var lines = std.mem.splitScalar(u8, vectors, '\n');
    var number: usize = 0;
    while (lines.next()) |line| {
        if (line.len == 0) continue;
        number += 1;
        errdefer std.debug.print("scale.tsv:{d}: {s}\n", .{ number, line });
        var columns = std.mem.splitScalar(u8, line, '\t');
        try check(columns.next().?, columns.next().?, columns.next().?);
    }
    try testing.expect(number > 1000);
}

fn check(kind: []const u8, value: []const u8, hex: []const u8) !void {
    const gpa = testing.allocator;
    const input = try gpa.alloc(u8, hex.len / 2);
    defer gpa.free(input);
    _ = try std.fmt.hexToBytes(input, hex);

    var shown: scale.Writer = .init(gpa);
    defer shown.deinit();
    var again: scale.Writer = .init(gpa);
    defer again.deinit();
    var reader: scale.Reader = .init(input);
    if (decode(kind, &reader, &shown, &again)) {
        try testing.expectEqualStrings(value, shown.written());
        try testing.expectEqualSlices(u8, input, again.written());
    } else |problem| {
        try testing.expectEqual(error.Malformed, problem);
        try testing.expectEqualStrings(value, "!");
    }
}

const Kind = enum { u8, u16, u32, u64, u128, compact32, compact64, compact128, bool, option32, bytes };

fn decode(kind: []const u8, reader: *scale.Reader, shown: *scale.Writer, again: *scale.Writer) !void {
    switch (std.meta.stringToEnum(Kind, kind).?) {
        inline .u8, .u16, .u32, .u64, .u128 => |tag| {
            const T = @field(@This(), "Int_" ++ @tagName(tag));
            const value = try reader.int(T);
            try show(shown, value);
            try again.int(T, value);
        },
        inline .compact32, .compact64, .compact128 => |tag| {
            const value = try reader.compact(@field(@This(), "Int_" ++ @tagName(tag)));
            try show(shown, value);
            try again.compact(value);
        },
        .bool => {
            const value = try reader.boolean();
            try show(shown, @intFromBool(value));
            try again.boolean(value);
        },
        .option32 => {
            const some = try reader.boolean();
            try again.boolean(some);
            if (some) {
                const value = try reader.int(u32);
                try show(shown, value);
                try again.int(u32, value);
            } else {
                try shown.raw("none");
            }
        },
        .bytes => {
            const value = try reader.vec();
            for (value) |byte| {
                const digits = std.fmt.hex(byte);
                try shown.raw(&digits);
            }
            try again.vec(value);
        },
    }
    try reader.end();
}

const Int_u8 = u8;
const Int_u16 = u16;
const Int_u32 = u32;
const Int_u64 = u64;
const Int_u128 = u128;
const Int_compact32 = u32;
const Int_compact64 = u64;
const Int_compact128 = u128;

fn show(shown: *scale.Writer, value: anytype) !void {
    var buffer: [40]u8 = undefined;
    try shown.raw(try std.fmt.bufPrint(&buffer, "{d}", .{value}));
}

test "what was read is known, and nothing is read past the end" {
    var reader: scale.Reader = .init(&.{ 1, 2, 3, 4, 5 });
    const start = reader.at;
    try testing.expectEqual(0x04030201, try reader.int(u32));
    try testing.expectEqualSlices(u8, &.{ 1, 2, 3, 4 }, reader.since(start));
    try testing.expectError(error.Malformed, reader.end());
    try testing.expectError(error.Malformed, reader.slice(2));
    try testing.expectEqualSlices(u8, &.{5}, try reader.slice(1));
    try reader.end();
    try testing.expectError(error.Malformed, reader.int(u8));
}

test "out of memory is an error of the writer" {
    var failing = testing.FailingAllocator.init(testing.allocator, .{ .fail_index = 0 });
    var writer: scale.Writer = .init(failing.allocator());
    defer writer.deinit();
    try testing.expectError(error.OutOfMemory, writer.vec("heap"));
}
