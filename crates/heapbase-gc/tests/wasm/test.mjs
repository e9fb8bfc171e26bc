// The collector inside of a module, on the host's allocator and on its own: `node --test` after `build`. The host knows of each block that it
// gave out whether it came back.

import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Host } from "../../../../runtimes/kits/host.mjs";

const load = async (spec) => new Host(await readFile(new URL(`out/${spec}.wasm`, import.meta.url)));

const walk = async (spec) => {
  const host = await load(spec);
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

for (const spec of ["legacy", "v1"]) {
  test(`the cases of the native tests, under ${spec}`, async (t) => {
    let names = 0;
    for (;;) {
      // A fresh instance for each, as for native tests; nothing is left of one but what the call gave.
      const host = await load(spec);
      const name = host.call("case", Buffer.from([names])).toString();
      if (name === "") break;
      t.diagnostic(name);
      names += 1;
    }
    assert.ok(names > 15, `${names} cases`);
  });
}
