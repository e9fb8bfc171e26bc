// The collector inside of a module, on the host's allocator and on its own: `node --test` after `build`. The host knows of each block that it
// gave out whether it came back.

import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Host } from "../../../../runtimes/kits/host.mjs";

const walk = async (spec) => {
  const host = new Host(await readFile(new URL(`out/${spec}.wasm`, import.meta.url)));
  return [host, host.call("walk", Buffer.from([6])).toString()];
};

test("the same walk, to the last collection", async () => {
  const [host, legacy] = await walk("legacy");
  const [, v1] = await walk("v1");
  assert.match(legacy, /^\d+ collections$/);
  assert.equal(v1, legacy);
  assert.ok(host.given > 1000, "the host was asked");
  // What is left is the answer.
  assert.deepEqual([...host.live.values()], ["runtime"]);
});
