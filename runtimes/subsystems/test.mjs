// One part runs out of its budget, the other goes on, and the host sees a clean error: `node --test runtimes/subsystems/test.mjs`
// after `runtimes/subsystems/build`.

import assert from "node:assert";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Host } from "../kits/host.mjs";

const host = new Host(await readFile(new URL("out/subsystems.wasm", import.meta.url)));

function run(accounts, lines) {
  const input = Buffer.alloc(8);
  input.writeUInt32LE(accounts, 0);
  input.writeUInt32LE(lines, 4);
  return host.call("run", input).toString().trimEnd().split("\n");
}

const fine = "0 bytes left, within its budget: true";

test("both within their budgets", () => {
  const [journal, index] = run(100, 100);
  assert.equal(journal, `journal: 2190; ${fine}`);
  assert.equal(index, `index: 14850; ${fine}`);
});

test("the journal runs out, the index goes on", () => {
  const [journal, index] = run(100, 100_000);
  assert.match(journal, /^journal: a line was not written: number \d+: the subsystem's budget is used up \(\d+\); 0 bytes left, /);
  assert.ok(journal.endsWith(fine));
  assert.equal(index, `index: 14850; ${fine}`);
});

test("the index runs out, the journal goes on", () => {
  const [journal, index] = run(100_000, 100);
  assert.equal(journal, `journal: 2190; ${fine}`);
  assert.match(index, /^index: an account was not added: number \d+: the subsystem's budget is used up; /);
  assert.ok(index.endsWith(fine));
});

test("both run out, and the instance lives", () => {
  for (const line of run(100_000, 100_000)) assert.ok(line.includes("budget is used up") && line.endsWith(fine));
});

test("bad input is refused", () => {
  assert.equal(host.call("run", Buffer.from([1])).toString(), "the input is two numbers of four bytes");
});
