// Runs threads.wasm in several workers that share one memory. Exit status 1 if a block was damaged or a thread trapped.
//   node run.mjs MODULE [COUNT]
import { readFileSync } from "node:fs";
import { Worker, isMainThread, workerData } from "node:worker_threads";

const THREADS = 4;

if (isMainThread) {
  const module = new WebAssembly.Module(readFileSync(process.argv[2]));
  const count = Number(process.argv[3] ?? 1_000_000);
  const memory = new WebAssembly.Memory({ initial: 32, maximum: 1024, shared: true });
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const ends = [];
  for (let number = 1; number <= THREADS; number += 1) {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { module, memory, count, number, stack: exports.stack(65_536) },
    });
    ends.push(new Promise((resolve) => {
      worker.once("message", resolve);
      worker.once("error", (error) => resolve(`thread ${number}: ${error.message}`));
    }));
  }
  const damaged = await Promise.all(ends);
  const bad = damaged.filter((count) => count !== 0);
  if (bad.length === 0) bad.push(...[exports.finish()].filter((count) => count !== 0));
  console.log(`${THREADS} threads on one heap, ${count} blocks each: ${bad.length ? `damaged ${bad.join(", ")}` : "whole"}`);
  process.exit(bad.length ? 1 : 0);
} else {
  const { parentPort } = await import("node:worker_threads");
  const { module, memory, count, number, stack } = workerData;
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  exports.__stack_pointer.value = stack;
  parentPort.postMessage(exports.hammer(number * 0x9e3779b9, count));
}
