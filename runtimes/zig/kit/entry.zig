//! A runtime's entry points.

const std = @import("std");
const options = @import("options");
const host = @import("host.zig");
const memory = @import("memory.zig");
const abort = @import("panic.zig").abort;
const scale = @import("scale.zig");

pub const Error = scale.Malformed || std.mem.Allocator.Error;

/// Exports every entry point that `build.zig` lists: the function of that name in `entries`, called by the host as
/// `(address, length) -> span`. It reads the input and writes the output. Malformed input ends the call with a message that names the
/// entry; so does want of memory. What was written is not freed at the end: memory does not outlive a call.
pub fn exportEntries(comptime entries: type) void {
    for (options.entries) |name| {
        @export(&Entry(name, @field(entries, name)).call, .{ .name = name });
    }
}

const Body = fn (in: *scale.Reader, out: *scale.Writer) Error!void;

fn Entry(comptime name: []const u8, comptime body: Body) type {
    return struct {
        fn call(data: [*]const u8, len: usize) callconv(.c) host.Span {
            var in: scale.Reader = .init(data[0..len]);
            var out: scale.Writer = .init(memory.allocator);
            body(&in, &out) catch |problem| switch (problem) {
                error.Malformed => abort(name ++ ": the input does not decode"),
                error.OutOfMemory => @panic(name ++ ": out of memory"),
            };
            return host.span(out.written());
        }
    };
}
