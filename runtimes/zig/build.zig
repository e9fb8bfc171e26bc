//! `zig build -Dspec=v1|local` makes `zig-out/bin/ledger-SPEC.wasm`; `zig build test` tests the kit natively.

const std = @import("std");

const Spec = enum { v1, local };

/// The stack grows down from here to 0, so that one too deep traps instead of running into data.
const stack = 1 << 20;
/// Under `local` the data begin behind an arena of this size.
const arena = 16 << 20;

/// What is embedded as it is.
const embedded = [_][]const u8{ "metadata-v14.scale", "metadata-v15.scale", "development.json" };

/// The runtime's entry points.
const entries = [_][]const u8{
    "Core_version",
    "Core_execute_block",
    "Core_initialize_block",
    "BlockBuilder_apply_extrinsic",
    "BlockBuilder_finalize_block",
    "BlockBuilder_inherent_extrinsics",
    "BlockBuilder_check_inherents",
    "Metadata_metadata",
    "Metadata_metadata_at_version",
    "Metadata_metadata_versions",
    "TaggedTransactionQueue_validate_transaction",
    "AccountNonceApi_account_nonce",
    "GenesisBuilder_build_state",
    "GenesisBuilder_get_preset",
    "GenesisBuilder_preset_names",
};
const linker_globals = [_][]const u8{ "__heap_base", "__data_end" };
const v1_exports = [_][]const u8{ "v1", "alloc", "dealloc", "realloc" };

pub fn build(b: *std.Build) void {
    runtime(b);
    tests(b);
}

fn runtime(b: *std.Build) void {
    const spec = b.option(Spec, "spec", "who owns the heap, and how (default: v1)") orelse .v1;
    const names = b.option(bool, "names", "keep names and debug information, three times the size (default: false)") orelse false;
    // Nothing of WebAssembly that came after its first version: nodes refuse it.
    const target = b.resolveTargetQuery(.{
        .cpu_arch = .wasm32,
        .os_tag = .freestanding,
        .cpu_model = .{ .explicit = &std.Target.wasm.cpu.mvp },
    });
    const options = b.addOptions();
    options.addOption(Spec, "spec", spec);
    options.addOption([]const []const u8, "entries", &entries);

    // Overflows and indices out of bounds are panics, not undefined.
    const optimize: std.builtin.OptimizeMode = .ReleaseSafe;
    const kit = b.createModule(.{ .root_source_file = b.path("kit/kit.zig"), .target = target, .optimize = optimize });
    kit.addOptions("options", options);
    const root = b.createModule(.{ .root_source_file = b.path("ledger/entries.zig"), .target = target, .optimize = optimize, .strip = !names });
    root.addImport("kit", kit);
    for (embedded) |name| {
        root.addAnonymousImport(name, .{ .root_source_file = b.path(b.fmt("../ledger/{s}", .{name})) });
    }

    const exe = b.addExecutable(.{ .name = b.fmt("ledger-{t}", .{spec}), .root_module = root });
    exe.root_module.addObjectFile(b.path(b.fmt("../heap/out/libheap-{t}-aligned.a", .{spec})));
    exe.root_module.export_symbol_names = switch (spec) {
        .v1 => &(entries ++ linker_globals ++ v1_exports),
        .local => &(entries ++ linker_globals),
    };
    exe.entry = .disabled;
    exe.import_memory = true;
    exe.export_table = true;
    exe.stack_size = stack;
    if (spec == .local) exe.global_base = stack + arena;
    b.installArtifact(exe);
}

fn tests(b: *std.Build) void {
    const root = b.createModule(.{ .root_source_file = b.path("kit/scale.zig"), .target = b.graph.host });
    root.addAnonymousImport("scale.tsv", .{ .root_source_file = b.path("../vectors/scale.tsv") });
    const run = b.addRunArtifact(b.addTest(.{ .root_module = root }));
    b.step("test", "Test the kit's SCALE against parity-scale-codec's").dependOn(&run.step);
}
