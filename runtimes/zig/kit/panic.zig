//! Panics: the call ends, and the message is the host's error.

const std = @import("std");
const host = @import("host.zig");

/// For the root file: `pub const panic = kit.panic;`. Zig's own panics (an index out of bounds, an overflow, `@panic`) end the call with
/// their text, logged as an error first. Nothing is allocated.
pub const panic = std.debug.FullPanic(called);

fn called(message: []const u8, _: ?usize) noreturn {
    var buffer: [512]u8 = undefined;
    var text: std.Io.Writer = .fixed(&buffer);
    // What does not fit is cut off.
    text.print("panicked: {s}", .{message}) catch {};
    host.log(.err, "runtime", text.buffered());
    abort(text.buffered());
}

/// Ends the call with exactly this message: for what is refused rather than wrong in the program.
pub fn abort(message: []const u8) noreturn {
    host.raw.ext_panic_handler_abort_on_panic_version_1(host.span(message));
    // The host does not come back.
    @trap();
}

/// Panics with the place: `panicked: FILE:LINE: message`. Zig keeps no line numbers in a runtime, so the place is said by `@src()`.
pub fn panicAt(comptime source: std.builtin.SourceLocation, comptime message: []const u8) noreturn {
    called(std.fmt.comptimePrint("{s}:{d}: {s}", .{ source.file, source.line, message }), null);
}
