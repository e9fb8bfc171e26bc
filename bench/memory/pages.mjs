// Runs a runtime of the spec v1 in V8 and says what memory it touched: `pages.mjs MODULE TRANSFERS BLOCKS`.
//
// Prints the workload's sum, the pages of 4 KiB whose contents changed, and the pages that the memory has in the end.

import { readFileSync } from "node:fs";

const [file, ...numbers] = process.argv.slice(2);
const module = new WebAssembly.Module(readFileSync(file));

/** The instance and its memory, imported with `initial` pages of 64 KiB: an engine does not tell how many a module wants. */
function instantiate(initial) {
  const env = {};
  const failed = (text) => {
    throw new Error(Buffer.from(memory.buffer, Number(text & 0xffffffffn), Number(text >> 32n)).toString());
  };
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from !== "env") throw new Error(`${file} imports ${from}.${name}`);
    env[name] = kind === "memory" ? new WebAssembly.Memory({ initial }) : () => {
      throw new Error(`${file} called ${name}`);
    };
    if (name === "ext_panic_handler_abort_on_panic_version_1") env[name] = failed;
  }
  try {
    const { exports } = new WebAssembly.Instance(module, { env });
    return { exports, memory: env.memory ?? exports.memory };
  } catch (error) {
    if (!(error instanceof WebAssembly.LinkError) || initial > 8192) throw error;
    return instantiate(2 * initial);
  }
}

const { exports, memory } = instantiate(512);
const before = memory.buffer.slice(0);

const address = exports.alloc(8);
new Uint32Array(memory.buffer, address, 2).set(numbers.map(Number));
const answer = exports.workload_run(address, 8);
const sum = new DataView(memory.buffer).getUint32(Number(answer & 0xffffffffn), true);

const PAGE = 4096;
let touched = 0;
const zero = Buffer.alloc(PAGE);
for (let at = 0; at < memory.buffer.byteLength; at += PAGE) {
  const old = at < before.byteLength ? Buffer.from(before, at, PAGE) : zero;
  if (Buffer.compare(Buffer.from(memory.buffer, at, PAGE), old) !== 0) touched++;
}
console.log(sum, touched, memory.buffer.byteLength / PAGE);
