// The part of the benchmark that runs on V8; see engines.rs for what is measured. Prints figures as JSON.
import { readFileSync } from "node:fs";

const { guests, streams, effort, most_fresh, never, slow } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const modules = guests.map((path) => new WebAssembly.Module(readFileSync(path)));

const figures = streams.map((stream) => {
  const bytes = readFileSync(stream);
  const count = bytes.length / 8;
  const all = modules.map(() => ({ warm: never, cold: never }));
  const fresh = Math.max(effort.instances, Math.min(Math.floor(effort.least_ops / count), most_fresh));
  for (let round = 0; round < fresh; round += 1) {
    modules.forEach((module, index) => {
      if (round >= effort.instances && all[index].cold > slow) return;
      const { memory, ops, play } = new WebAssembly.Instance(module).exports;
      new Uint8Array(memory.buffer, ops(), bytes.length).set(bytes);
      const time = () => {
        const start = process.hrtime.bigint();
        const failed = play(count);
        const nanoseconds = Number(process.hrtime.bigint() - start);
        return failed === -1 ? nanoseconds / count : never;
      };
      // The memories of instances that are gone are collected now, not in the middle of a play that grows.
      globalThis.gc();
      const cold = time();
      if (cold === never) return;
      all[index].cold = Math.min(all[index].cold, cold);
      if (round >= effort.instances) return;
      const rounds = cold > slow ? 1 : Math.ceil(effort.least_ops / count);
      // Each round by itself: on a shared machine only a short stretch goes undisturbed.
      for (let again = 0; again < rounds; again += 1) all[index].warm = Math.min(all[index].warm, time());
    });
  }
  return all;
});
console.log(JSON.stringify(figures));
