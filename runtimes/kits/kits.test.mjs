// What the kits promise, on a host that watches: every buffer of the host is given back, once; a panic arrives as the host's error; the
// arena of `local` goes on in the host's heap when it is full.
//
//     node --test runtimes/kits/      (after the ledgers were built)

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { Aborted, Host, bytes, compact, hashOf } from "./host.mjs";

// `panic`: what the message begins with when the host answers what it may not.
const LANGUAGES = [
  { folder: "c", panic: /^panicked at kit\/host\.c:\d+: the host's answer/ },
  { folder: "zig", panic: /^panicked: host\.zig:\d+: the host's answer/ },
  { folder: "assemblyscript", panic: /^panicked at kit\/host\.ts:\d+:\d+: the host's answer/ },
  { folder: "rust" },
  { folder: "go" },
];

/** The ledger of a language for a spec; nothing, said loudly, where it was not built. */
function ledger(folder, spec) {
  const file = new URL(`../${folder}/out/ledger-${spec}.wasm`, import.meta.url);
  if (existsSync(file)) return readFileSync(file);
  const message = `runtimes/${folder}/build was not run`;
  assert(process.env.HEAPBASE_REQUIRE_ALL !== "1", message);
  console.log(`SKIPPED: ${message}`);
  return null;
}

function forEach(specs, title, body, languages = LANGUAGES) {
  for (const language of languages) {
    for (const spec of specs) {
      test(`${language.folder} ${spec}: ${title}`, () => {
        const code = ledger(language.folder, spec);
        if (code) body(code, language, spec);
      });
    }
  }
}

const u32 = (value) => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value) => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
const id = (seed) => Buffer.alloc(32, seed);
const ZEROS = Buffer.alloc(32);
const EMPTY_ROOT = Buffer.from("03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314", "hex");

/** SCALE of a configuration with these accounts, as the ledger wants it: JSON around hexadecimal digits. */
function configuration(accounts) {
  const scale = Buffer.concat([compact(accounts.length), ...accounts.map(([who, free]) => Buffer.concat([who, u64(free), u64(0)]))]);
  return bytes(Buffer.from(`{"scale":"0x${scale.toString("hex")}"}`));
}

const timestamp = (now) => bytes(Buffer.concat([Buffer.from([4, 1, 0]), compact(now)]));

function transfer(from, to, nonce, value) {
  const signed = [Buffer.from([0x84, 0]), from, Buffer.from([1]), Buffer.alloc(64, 9), Buffer.from([0]), compact(nonce), compact(0)];
  return bytes(Buffer.concat([...signed, Buffer.from([2, 3, 0]), to, compact(value)]));
}

/** Builds a state and a block on it, through every entry that asks the host for something. `check` is called after each call. */
function makeBlock(host, check) {
  const call = (entry, input) => {
    const output = host.call(entry, input);
    check(entry);
    return output;
  };
  const [alice, bob, carol] = [id(1), id(2), id(3)];
  assert.deepEqual(call("GenesisBuilder_build_state", configuration([[alice, 1_000_000], [bob, 5_000]])), Buffer.from([0]));

  // The parent's header, whose state root only the host can say.
  const parts = (root) => Buffer.concat([ZEROS, compact(0), root, EMPTY_ROOT, Buffer.from([0])]);
  const state = [...host.storage].map(([key, value]) => `${key}=${value.toString("hex")}`).sort();
  const parent = hashOf(parts(hashOf(state.join())));
  const digest = Buffer.concat([compact(1), Buffer.from([6]), Buffer.from("aura"), bytes(Buffer.alloc(8, 7))]);
  const header = Buffer.concat([parent, compact(1), ZEROS, ZEROS, digest]);
  call("Core_initialize_block", header);

  const inherents = call("BlockBuilder_inherent_extrinsics", Buffer.concat([compact(1), Buffer.from("timstap0"), bytes(u64(5_000))]));
  assert.deepEqual(inherents, Buffer.concat([compact(1), timestamp(5_000)]));
  const applied = Buffer.from([0, 0]);
  assert.deepEqual(call("BlockBuilder_apply_extrinsic", timestamp(5_000)), applied);
  const first = transfer(alice, bob, 0, 1_000);
  const validity = call("TaggedTransactionQueue_validate_transaction", Buffer.concat([Buffer.from([2]), first, parent]));
  assert.equal(validity[0], 0);
  assert.deepEqual(call("BlockBuilder_apply_extrinsic", first), applied);
  // To an account that does not exist, to oneself, and one that is refused late.
  assert.deepEqual(call("BlockBuilder_apply_extrinsic", transfer(alice, carol, 1, 2_000)), applied);
  assert.deepEqual(call("BlockBuilder_apply_extrinsic", transfer(alice, alice, 2, 3_000)), applied);
  assert.deepEqual(call("BlockBuilder_apply_extrinsic", transfer(bob, id(4), 0, 10)), Buffer.from([1, 0, 1]));
  assert.deepEqual(call("AccountNonceApi_account_nonce", alice), u32(3));
  const made = call("BlockBuilder_finalize_block");
  assert.deepEqual(made.subarray(0, 32), parent);
  assert.deepEqual(made.subarray(97), digest);
  return made;
}

forEach(["local"], "every buffer of the host is given back, once", (code) => {
  const host = new Host(code);
  makeBlock(host, (entry) => assert.equal(host.kept, 0, `${entry} kept what the host returned`));
});

forEach(["v1"], "makes the same block as under local", (code, { folder }) => {
  const made = makeBlock(new Host(code), () => {});
  const other = ledger(folder, "local");
  if (other) assert.deepEqual(made, makeBlock(new Host(other), () => {}));
});

forEach(
  ["v1", "local"],
  "an answer that the host may not give is a panic with its place",
  (code, { panic }) => {
    for (const maxLevel of [0, 1]) {
      const host = new Host(code);
      Object.assign(host, { lie: Buffer.from([2]), maxLevel });
      const error = assertAborts(() => host.call("AccountNonceApi_account_nonce", id(1)));
      assert.match(error, panic);
      // Logged as an error first, where somebody listens.
      assert.deepEqual(host.log, maxLevel ? [[0, "runtime", error]] : []);
    }
  },
  LANGUAGES.filter(({ panic }) => panic),
);

function assertAborts(call) {
  try {
    call();
  } catch (error) {
    if (error instanceof Aborted) return error.message;
    throw error;
  }
  assert.fail("the call returned");
}

forEach(["v1"], "the exported allocator is as RFC-0061 has it", (code) => {
  const host = new Host(code);
  host.start();
  const { alloc, dealloc, realloc } = host.exports;
  const at = (ptr, len) => Buffer.from(host.memory.buffer, ptr, len);
  const blocks = [1, 7, 8, 80, 129, 4_096, 70_000, 1 << 20].map((size, index) => {
    const ptr = alloc(size) >>> 0;
    assert.notEqual(ptr, 0);
    assert.equal(ptr % 8, 0, `${size} bytes at ${ptr}`);
    at(ptr, size).fill(index + 1);
    return { ptr, size };
  });
  for (const [index, block] of blocks.entries()) {
    const { size } = block;
    for (const wanted of [size * 3, Math.ceil(size / 2)]) {
      const ptr = realloc(block.ptr, block.size, wanted) >>> 0;
      assert.notEqual(ptr, 0);
      const kept = Math.min(block.size, wanted, size);
      assert(at(ptr, kept).every((byte) => byte === index + 1), `${block.size} bytes made ${wanted}`);
      Object.assign(block, { ptr, size: wanted });
    }
  }
  for (const { ptr, size } of blocks) dealloc(ptr, size);
  dealloc(0, 8);
  assert.notEqual(realloc(0, 0, 100) >>> 0, 0, "a null block is allocated anew");
  // What cannot be is null, and what was asked to grow stays.
  assert.equal(alloc(0xffff_0000) >>> 0, 0);
  const stays = alloc(16) >>> 0;
  at(stays, 16).fill(9);
  assert.equal(realloc(stays, 16, 0xffff_0000) >>> 0, 0);
  assert(at(stays, 16).every((byte) => byte === 9));
});

/** A block of this many timestamps, of which all but the first are refused. Its header follows a state that is empty. */
function timestamps(count, host) {
  const parent = hashOf(Buffer.concat([ZEROS, compact(0), hashOf(""), EMPTY_ROOT, Buffer.from([0])]));
  assert.equal(host.storage.size, 0);
  const one = timestamp(1);
  const header = Buffer.concat([parent, compact(1), ZEROS, ZEROS, Buffer.from([0])]);
  return Buffer.concat([header, compact(count), ...Array(count).fill(one)]);
}

const WITHOUT_MEMORY = {
  c: /^panicked at kit\/memory\.c:\d+: out of memory$/,
  zig: /^panicked: Core_execute_block: out of memory$/,
};

for (const [folder, message] of Object.entries(WITHOUT_MEMORY)) {
  test(`${folder} local: what does not fit the arena comes from the host, always further up`, () => {
    const code = ledger(folder, "local");
    if (!code) return;
    const host = new Host(code);
    const small = timestamps(1_000, host);
    assert.equal(assertAborts(() => host.call("Core_execute_block", small)), "extrinsic 1: the timestamp is set twice");
    assert.equal([...host.live.values()].filter((owner) => owner === "runtime").length, 0);

    // Room below, in each order that the runtime may ask for: it must not be taken after what lies above.
    host.beforeCall = () => {
      const sizes = [20, 21, 22, 23, 24, 25].map((power) => 1 << power);
      const low = sizes.map((size) => host.malloc(size, "test"));
      const high = sizes.map((size) => host.malloc(size, "test"));
      for (const ptr of [...low, ...high]) host.free(ptr, "test");
    };
    host.storage.clear();
    const large = timestamps(150_000, host);
    assert.equal(assertAborts(() => host.call("Core_execute_block", large)), "extrinsic 1: the timestamp is set twice");
    const pieces = [...host.live].filter(([, owner]) => owner === "runtime").map(([ptr]) => ptr);
    assert(pieces.length > 0, "the arena was large enough");
    assert.deepEqual(pieces, [...pieces].sort((a, b) => a - b));
  });

  test(`${folder} local: a block that no host would serve is refused, and the host is not asked in vain`, () => {
    const code = ledger(folder, "local");
    if (!code) return;
    const host = new Host(code);
    assert.match(assertAborts(() => host.call("Core_execute_block", timestamps(600_000, host))), message);
    const pieces = [...host.live.values()].filter((owner) => owner === "runtime").length;
    assert(pieces <= 6, `${pieces} pieces`);
  });
}
