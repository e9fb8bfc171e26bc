// Measures what `build` made and prints the tables of docs/memory-study.md; `run.mjs --write` puts them there. `--smoke` runs each once, to
// see that all still return the same.
//
// Contestants take turns, another round follows, and the least of a contestant's times counts: what else the machine does only ever
// adds. Every sum is compared: one that differs ends the run.

import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = new URL(".", import.meta.url);
const out = (name) => fileURLToPath(new URL(`out/${name}`, here));
const smoke = process.argv.includes("--smoke");
const ROUNDS = smoke ? 1 : 5;
const TRANSFERS = 100;
const LONG = 1000;
// The command, built from this repository where none is named.
const heapbase = process.env.HEAPBASE ?? fileURLToPath(new URL("../../target/release/heapbase", here));
if (!process.env.HEAPBASE) {
  const workspace = fileURLToPath(new URL("../../Cargo.toml", here));
  execFileSync("cargo", ["build", "-q", "--release", "--manifest-path", workspace, "-p", "heapbase-cli"], { stdio: "inherit" });
}
const SUMS = { 1: 1282784933, [LONG]: 1136040838 };

const native = [
  ["C: glibc's malloc", "native-c"],
  ["C: jemalloc", "native-c-jemalloc"],
  ["Go: its collector, and what the compiler keeps on the stack", "native-go-gc_heap"],
  ["Go: its collector, everything on the heap", "native-go-gc_all"],
  ["the same, `GOGC=off GOMEMLIMIT=14MiB`", "native-go-gc_all", { GOGC: "off", GOMEMLIMIT: "14MiB" }],
  ["Go: `syscall.Mmap` for each block", "native-go-mmap"],
  ["Go: `syscall.Mmap` once, free lists by hand", "native-go-arena"],
  ["Go: C's `malloc`, `free` through cgo", "native-go-cgo_malloc"],
  ["Go: C's `calloc`, `free` through cgo", "native-go-cgo_calloc"],
  ["Go: jemalloc through cgo", "native-go-cgo_malloc,jemalloc"],
];
const runtimes = [
  ["C: heapbase's `malloc`", "c.wasm"],
  ["Zig: heapbase's allocator", "zig-heapbase.wasm"],
  ["Zig: `std.heap.wasm_allocator`", "zig-wasm.wasm"],
  ["AssemblyScript: `heap.alloc`, `heap.free`", "as-manual.wasm"],
  ["AssemblyScript: `--runtime incremental`", "as-incremental.wasm"],
  ["AssemblyScript: `--runtime minimal`, never collected", "as-minimal.wasm"],
  ["AssemblyScript: `--runtime stub`", "as-stub.wasm"],
  ["Go: its collector, and what the compiler keeps on the stack", "go-gc_heap.wasm"],
  ["Go: its collector, everything on the heap", "go-gc_all.wasm"],
  ["the same, never collected in an arena of 384 MiB", "go-never.wasm"],
  ["Go: a slice of 4 MiB, free lists by hand", "go-arena.wasm"],
  ["Go: heapbase's allocator, imported", "go-host_heap.wasm"],
];

function expectSum(who, blocks, sum) {
  if (Number(sum) !== SUMS[blocks]) throw new Error(`${who}: the sum after ${blocks} blocks is ${sum}, not ${SUMS[blocks]}`);
}

/** One run of a program: nanoseconds a transfer, KiB resident. */
function runNative([who, name, env]) {
  const text = execFileSync(out(name), [TRANSFERS, LONG].map(String), { env: { ...process.env, ...env }, encoding: "utf8" });
  const [sum, nanos, resident] = text.trim().split(" ").map(Number);
  expectSum(who, LONG, sum);
  return { nanos, resident };
}

/** The command that calls a runtime's workload `repeat` times. */
function call(name, blocks, repeat) {
  const input = Buffer.alloc(8);
  input.writeUInt32LE(TRANSFERS, 0);
  input.writeUInt32LE(blocks, 4);
  const options = ["--engine", "wasmtime", "--repeat", String(repeat), "--input", `0x${input.toString("hex")}`, "--json"];
  return [heapbase, "call", out(name), "workload_run", ...options];
}

/** The answer, and the seconds of processor time of the whole process; null where the runtime ran out of memory. */
function runRuntime([who, name], blocks, repeat) {
  const { stdout, stderr } = spawnSync("bash", ["-c", 'TIMEFORMAT="processor %U %S"; time "$@"', "bash", ...call(name, blocks, repeat)], {
    encoding: "utf8",
  });
  const answer = JSON.parse(stdout);
  if (!answer.ok) {
    if (!answer.error.includes("out of memory: ")) throw new Error(`${who}: ${answer.error}`);
    return null;
  }
  expectSum(who, blocks, Buffer.from(answer.output.slice(2), "hex").readUInt32LE());
  const [, user, system] = stderr.match(/processor ([0-9.]+) ([0-9.]+)/);
  return { micros: answer.micros_min, seconds: Number(user) + Number(system) };
}

/** Microseconds of the shortest of many calls. */
function short(who) {
  return runRuntime(who, 1, smoke ? 1 : 200)?.micros ?? null;
}

/** Microseconds of processor time of a long call: what more calls cost beyond one. A long call never has a processor for itself here. */
function long(who) {
  const more = 4;
  const one = runRuntime(who, LONG, 1);
  if (smoke) return one && one.seconds * 1e6;
  return one && ((runRuntime(who, LONG, 1 + more).seconds - one.seconds) / more) * 1e6;
}

/** Pages of 4 KiB that the workload changed, in V8; null where the runtime ran out of memory. */
function pages([who, name], blocks) {
  try {
    const script = fileURLToPath(new URL("pages.mjs", here));
    const text = execFileSync("node", [script, out(name), TRANSFERS, blocks].map(String), { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const [sum, touched] = text.trim().split(" ");
    expectSum(who, blocks, sum);
    return Number(touched);
  } catch (error) {
    if (!String(error.stderr).includes("out of memory: ")) throw error;
    return null;
  }
}

const least = (a, b) => (a === undefined ? b : a === null || b === null ? null : Math.min(a, b));
const results = new Map([...native, ...runtimes].map((who) => [who, {}]));
for (let round = 0; round < ROUNDS; round++) {
  for (const who of native) {
    const { nanos, resident } = runNative(who);
    const result = results.get(who);
    result.nanos = least(result.nanos, nanos);
    result.resident = Math.max(result.resident ?? 0, resident);
  }
  for (const who of runtimes) {
    const result = results.get(who);
    result.short = least(result.short, short(who));
    if (result.long !== null) result.long = least(result.long, long(who));
  }
}

const peer = (list, key) => results.get(list[0])[key];
const number = (value, digits = 0) => (value === null ? "out of memory" : value.toFixed(digits));
const ratio = (value, list, key) => (value === null ? "–" : (value / peer(list, key)).toFixed(2));
const table = (head, rows) => {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => (column ? "---:" : "---"))), ...rows.map(line)].join("\n");
};

const tables = {
  native: table(
    ["natively", "ns a transfer", "of glibc", "MiB resident"],
    native.map((who) => {
      const { nanos, resident } = results.get(who);
      return [who[0], number(nanos), ratio(nanos, native, "nanos"), (resident / 1024).toFixed(1)];
    }),
  ),
  runtimes: table(
    ["inside a runtime", "module, KiB", "one block, µs", "of C", "pages", "1,000 blocks, ns a transfer", "of C", "pages"],
    runtimes.map((who) => {
      const { short, long } = results.get(who);
      const nanos = long === null ? null : (long * 1000) / TRANSFERS / LONG;
      return [
        who[0],
        (statSync(out(who[1])).size / 1024).toFixed(0),
        number(short),
        ratio(short, runtimes, "short"),
        number(pages(who, 1)),
        number(nanos),
        ratio(long, runtimes, "long"),
        number(pages(who, LONG)),
      ];
    }),
  ),
};

for (const text of Object.values(tables)) console.log(`${text}\n`);
if (process.argv.includes("--write")) {
  const page = new URL("../../docs/memory-study.md", here);
  let text = readFileSync(page, "utf8");
  for (const [name, table] of Object.entries(tables)) {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`docs/memory-study.md has no place for ${name}`);
    text = `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`;
  }
  writeFileSync(page, text);
}
