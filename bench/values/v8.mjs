// The rounds in V8: `../alloc/wasm-cargo build --release` in guest/, then `node v8.mjs [--smoke]`.
import { readFile } from "node:fs/promises";

const TURNS = 1 << 15;
const names = ["bare", "bare again", "bare, in a region", "borrowed", "borrowed heap of its own", "borrowed, nested in another", "owning"];
const made = 5;
const file = new URL("guest/target/wasm32v1-none/release/rounds.wasm", import.meta.url);
const { instance } = await WebAssembly.instantiate(await readFile(file), {});
if (instance.exports.start(made) !== made * names.length) throw new Error("the module has no memory");
const rounds = process.argv.includes("--smoke") ? 2 : 600;
const least = names.map(() => Infinity);
// The first rounds fill tables, and the engine compiles for speed meanwhile.
for (let round = -20; round < rounds; round++) {
  for (let subject = 0; subject < made * names.length; subject++) {
    const start = performance.now();
    instance.exports.run_round(subject);
    const time = performance.now() - start;
    const at = subject % names.length;
    if (round >= 0 && time < least[at]) least[at] = time;
  }
}
console.log("\n| flagship in V8 | ns for a free and an allocation | ratio |\n| --- | ---: | ---: |");
names.forEach((name, at) => {
  console.log(`| ${name} | ${((least[at] * 1e6) / TURNS).toFixed(2)} | ${(least[at] / least[0]).toFixed(3)} |`);
});
