//! What a runtime in Zig is written with: the host's functions, memory, SCALE, entry points, panics.
//!
//! ```zig
//! const kit = @import("kit");
//!
//! comptime {
//!     kit.exportEntries(struct {
//!         pub fn Core_version(in: *kit.Reader, out: *kit.Writer) kit.Error!void {
//!             try in.end();
//!             try out.vec("my-chain");
//!         }
//!     });
//! }
//! pub const panic = kit.panic;
//! ```

const options = @import("options");
const scale = @import("scale.zig");

pub const host = @import("host.zig");
pub const memory = @import("memory.zig");
pub const Reader = scale.Reader;
pub const Writer = scale.Writer;

pub const allocator = memory.allocator;
pub const panic = @import("panic.zig").panic;
pub const abort = @import("panic.zig").abort;
pub const panicAt = @import("panic.zig").panicAt;
pub const exportEntries = @import("entry.zig").exportEntries;
pub const Error = @import("entry.zig").Error;

comptime {
    switch (options.spec) {
        .v1 => @import("v1.zig").exportAll(),
        .local => asm (
        // So that a node's operator sees which spec this is; hosts take no notice.
            \\.section .custom_section.heapbase,"",@
            \\.ascii "{\"to\":\"local\",\"allocator\":\"size-class\"}"
            \\.text
        ),
    }
}
