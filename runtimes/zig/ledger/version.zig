//! What the runtime says of itself.

const std = @import("std");
const kit = @import("kit");

pub const spec = 1;
pub const transaction = 1;
pub const state = 1;
pub const extrinsics_root = 0;

const apis = [_]struct { [8]u8, u32 }{
    .{ .{ 0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b }, 5 }, // Core
    .{ .{ 0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4 }, 2 }, // Metadata
    .{ .{ 0x40, 0xfe, 0x3a, 0xd4, 0x01, 0xf8, 0x95, 0x9a }, 6 }, // BlockBuilder
    .{ .{ 0xd2, 0xbc, 0x98, 0x97, 0xee, 0xd0, 0x8f, 0x15 }, 3 }, // TaggedTransactionQueue
    .{ .{ 0xbc, 0x9d, 0x89, 0x90, 0x4f, 0x5b, 0x92, 0x3f }, 1 }, // AccountNonceApi
    .{ .{ 0xfb, 0xc5, 0x77, 0xb9, 0xd7, 0x47, 0xef, 0xd6 }, 1 }, // GenesisBuilder
};

const spec_name = "ledger";
const impl_name = "heapbase-ledger";
const authoring = 1;
const impl = 0;
const system = 1;

// The same in custom sections, from which nodes read it without executing anything. The interfaces are in a section of their own.
comptime {
    var text: []const u8 = std.fmt.comptimePrint(
        \\.section .custom_section.runtime_version,"",@
        \\.byte {d}
        \\.ascii "{s}"
        \\.byte {d}
        \\.ascii "{s}"
        \\.int32 {d}
        \\.int32 {d}
        \\.int32 {d}
        \\.byte 0
        \\.int32 {d}
        \\.byte {d}
        \\.section .custom_section.runtime_apis,"",@
        \\
    , .{ spec_name.len << 2, spec_name, impl_name.len << 2, impl_name, authoring, spec, impl, transaction, system });
    for (apis) |api| {
        text = text ++ std.fmt.comptimePrint(".int64 {d}\n.int32 {d}\n", .{ std.mem.readInt(u64, &api[0], .little), api[1] });
    }
    asm (text ++ ".text");
}

/// Writes the encoded RuntimeVersion.
pub fn write(out: *kit.Writer) kit.Error!void {
    try out.vec(spec_name);
    try out.vec(impl_name);
    try out.int(u32, authoring);
    try out.int(u32, spec);
    try out.int(u32, impl);
    try out.compact(apis.len);
    for (apis) |api| {
        try out.raw(&api[0]);
        try out.int(u32, api[1]);
    }
    try out.int(u32, transaction);
    try out.int(u8, system);
}
