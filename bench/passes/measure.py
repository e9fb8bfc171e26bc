"""Times modules before and after passes, side by side. Called by `run`."""

import subprocess
import sys
import time
from pathlib import Path

from wasmtime import Engine, Instance, Linker, Module, Store, WasiConfig

passes, work, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])


def passed(path, *names):
    """The module after passes, and what they said."""
    out = path.with_suffix("." + "-".join(names) + ".wasm")
    said = subprocess.run([passes, path, out, *names], check=True, capture_output=True, text=True).stdout
    return out, said


def start(path):
    """An instance: its store and exports."""
    engine = Engine()
    store = Store(engine)
    linker = Linker(engine)
    linker.define_wasi()
    store.set_wasi(WasiConfig())
    module = Module.from_file(engine, str(path))
    exports = (linker.instantiate(store, module) if module.imports else Instance(store, module, [])).exports(store)
    if "_initialize" in [export.name for export in module.exports]:
        exports["_initialize"](store)
    return store, exports


def race(sides, name, *args):
    """The least CPU time of a call on each side, in nanoseconds; all give the same."""
    best = [None] * len(sides)
    results = set()
    for _ in range(rounds):
        for number, (store, exports) in enumerate(sides):
            begin = time.thread_time_ns()
            results.add(exports[name](store, *args))
            took = time.thread_time_ns() - begin
            best[number] = took if best[number] is None else min(best[number], took)
    assert len(results) == 1, (name, results)
    return best


def compiled(name, text):
    """A module of some text."""
    path = work / f"{name}.wat"
    path.write_text(text)
    subprocess.run(["wat2wasm", path, "-o", path.with_suffix(".wasm")], check=True)
    return path.with_suffix(".wasm")


def go():
    path = work / "go.wasm"
    if not path.exists():
        return
    lowered, _ = passed(path, "lower")
    pruned, _ = passed(path, "prune", "lower")
    everything, said = passed(path, "prune", "lower", "canonical")
    print(said)
    sides = [start(side) for side in (path, lowered, pruned, everything)]
    print("| Go program | before, ms | lowered | table shifted too | NaNs canonical too |")
    print("| --- | --- | --- | --- | --- |")
    for name in ("sha256_of_1_MiB", "copies_up_to_300_bytes", "copies_of_1_MiB", "maps_and_text", "floating_point"):
        before, *after = race(sides, name, 0, 0)
        print(f"| {name} | {before / 1e6:.2f} | " + " | ".join(f"{took / before:.2f}" for took in after) + " |")


def bulk():
    sizes = [1, 4, 8, 16, 32, 48, 64, 128, 256, 1024, 4096, 65536, 1 << 20]
    functions = []
    for size in sizes:
        for kind, many in (("variable", "(local.get 1)"), ("constant", f"(i32.const {size})")):
            for name, middle in (("copy", "(i32.const 0x400000)"), ("fill", "(i32.const 0)")):
                functions.append(
                    f'(func (export "{name} {size} {kind}") (param i32 i32) (loop (memory.{name} '
                    "(i32.add (i32.const 0x200000) (i32.and (local.get 0) (i32.const 63))) "
                    f"{middle} {many}) (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))"
                )
    path = compiled("bulk", '(module (memory (export "memory") 200)' + "".join(functions) + ")")
    sides = [start(path), start(passed(path, "lower")[0])]
    print("\n| bytes | copy, ns | lowered | of constant size | fill, ns | lowered | of constant size |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in sizes:
        turns = max(20, min(300_000, 60_000_000 // max(size, 50)))
        row = [str(size)]
        for name in ("copy", "fill"):
            before, after = race(sides, f"{name} {size} variable", turns, size)
            constant = race(sides, f"{name} {size} constant", turns, size)
            row += [f"{before / turns:.1f}", f"{after / before:.2f}", f"{constant[1] / constant[0]:.2f}"]
        print("| " + " | ".join(row) + " |")


STEP = "(br_if 0 (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
LOOPS = {
    "sum of numbers": f"""(result f64) (local $s f64) (local $i i32)
      (loop
        (local.set $s (f64.add (local.get $s) (f64.load (i32.and (local.get $i) (i32.const 0xfff8)))))
        (local.set $i (i32.add (local.get $i) (i32.const 8)))
        {STEP} (local.get $s)""",
    "a[i] = a[i] / 2 + b[i]": f"""(local $a i32)
      (loop
        (local.set $a (i32.and (local.get $n) (i32.const 0xfff8)))
        (f64.store (local.get $a)
          (f64.add (f64.mul (f64.load (local.get $a)) (f64.const 0.5)) (f64.load offset=65536 (local.get $a))))
        {STEP}""",
    "polynomial": f"""(result f64) (local $x f64) (local $s f64)
      (local.set $x (f64.const 0.3))
      (loop
        (local.set $s (f64.add (local.get $s) (f64.add (f64.mul (f64.add (f64.mul (f64.add (f64.mul (local.get $x)
          (f64.const 3)) (f64.const 2)) (local.get $x)) (f64.const 1)) (local.get $x)) (f64.const 7))))
        (local.set $x (f64.mul (local.get $x) (f64.const 0.999999)))
        {STEP} (local.get $s)""",
    "square root": f"""(result f64) (local $x f64)
      (local.set $x (f64.const 3))
      (loop
        (local.set $x (f64.mul (f64.add (local.get $x) (f64.div (f64.const 2) (local.get $x))) (f64.const 0.5)))
        {STEP} (local.get $x)""",
    "saturating conversions": f"""(result i64) (local $s i64)
      (loop
        (local.set $s (i64.add (local.get $s) (i64.trunc_sat_f64_s (f64.convert_i32_s (local.get $n)))))
        {STEP} (local.get $s)""",
    "sign extension": f"""(result i64) (local $s i64)
      (loop
        (local.set $s (i64.add (local.get $s) (i64.extend8_s (i64.extend_i32_s (i32.extend16_s (local.get $n))))))
        {STEP} (local.get $s)""",
    "two results": f"""(result i32) (local $s i32)
      (loop
        (local.set $s (i32.add (local.get $s) (i32.xor (call $pair (local.get $n)))))
        {STEP} (local.get $s)""",
}


def loops():
    functions = "".join(f'(func (export "{name}") (param $n i32) {body})' for name, body in LOOPS.items())
    pair = "(func $pair (param i32) (result i32 i32) local.get 0 i32.const 3 i32.mul local.get 0 i32.const 7 i32.add)"
    path = compiled("loops", f'(module (memory (export "memory") 2) {pair} {functions})')
    sides = [start(path), start(passed(path, "lower")[0]), start(passed(path, "lower", "canonical")[0])]
    print("\n| loop | before, ns a turn | lowered | NaNs canonical too |")
    print("| --- | --- | --- | --- |")
    turns = 1_000_000
    for name in LOOPS:
        before, *after = race(sides, name, turns)
        print(f"| {name} | {before / turns:.2f} | " + " | ".join(f"{took / before:.2f}" for took in after) + " |")


go()
bulk()
loops()
