//! The workload as an entry point, on the allocator that the build option names. Output and input are the kit's.

const std = @import("std");
const kit = @import("kit");
const workload = @import("workload.zig");
const choice = @import("choice");

pub const panic = kit.panic;

comptime {
    kit.exportEntries(struct {
        pub fn workload_run(in: *kit.Reader, out: *kit.Writer) kit.Error!void {
            const transfers = try in.int(u32);
            const blocks = try in.int(u32);
            try in.end();
            const gpa = switch (choice.allocator) {
                .heapbase => kit.allocator,
                .wasm => std.heap.wasm_allocator,
            };
            try out.int(u32, try workload.run(gpa, transfers, blocks));
        }
    });
}
