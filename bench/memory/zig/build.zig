//! The workload as a runtime of the spec v1: `zig build -Dallocator=heapbase|wasm`.

const std = @import("std");

const Choice = enum { heapbase, wasm };
const Spec = enum { v1, local };

pub fn build(b: *std.Build) void {
    const choice = b.option(Choice, "allocator", "what the workload allocates from") orelse .heapbase;
    const target = b.resolveTargetQuery(.{
        .cpu_arch = .wasm32,
        .os_tag = .freestanding,
        .cpu_model = .{ .explicit = &std.Target.wasm.cpu.mvp },
    });
    const options = b.addOptions();
    options.addOption(Spec, "spec", .v1);
    options.addOption([]const []const u8, "entries", &.{"workload_run"});
    const choices = b.addOptions();
    choices.addOption(Choice, "allocator", choice);

    const kit = b.createModule(.{
        .root_source_file = b.path("../../../runtimes/zig/kit/kit.zig"),
        .target = target,
        .optimize = .ReleaseSafe,
    });
    kit.addOptions("options", options);
    const root = b.createModule(.{
        .root_source_file = b.path("runtime.zig"),
        .target = target,
        .optimize = .ReleaseSafe,
        .strip = true,
    });
    root.addImport("kit", kit);
    root.addOptions("choice", choices);

    const exe = b.addExecutable(.{ .name = b.fmt("zig-{t}", .{choice}), .root_module = root });
    exe.root_module.addObjectFile(b.path("../../../runtimes/heap/out/libheap-v1-aligned.a"));
    exe.root_module.export_symbol_names = &.{ "workload_run", "__heap_base", "v1", "alloc", "dealloc", "realloc" };
    exe.entry = .disabled;
    exe.import_memory = true;
    exe.stack_size = 1 << 20;
    b.installArtifact(exe);
}
