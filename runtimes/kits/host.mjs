// A host that watches: it answers the ledgers' host functions from a map, keeps the heap of the spec `local` as nodes do, and knows of every
// buffer that it handed out whether it came back.
//
// Hashes are SHA-256 cut to length and every signature is right: what is tested here is who owns what, not what the chain computes. For
// that there is ../agreement.

import { createHash } from "node:crypto";

/** What a call ended with that did not return. */
export class Aborted extends Error {}

/** Pages of 64 KiB: room for everything a test asks for. */
const PAGES = 12288;

const hash = (bytes, len) => createHash("sha256").update(bytes).digest().subarray(0, len);
const span = (ptr, len) => (BigInt(len) << 32n) | BigInt(ptr);

export function compact(value) {
  if (value < 1 << 6) return Buffer.from([value << 2]);
  const out = Buffer.alloc(value < 1 << 14 ? 2 : 4);
  if (value < 1 << 14) out.writeUInt16LE((value << 2) | 1);
  else out.writeUInt32LE(((value << 2) | 2) >>> 0);
  return out;
}

export const bytes = (content) => Buffer.concat([compact(content.length), content]);

/** Reads a compact number of at most four bytes: the value, and how many bytes it took. */
function readCompact(from) {
  switch (from[0] & 3) {
    case 0:
      return [from[0] >> 2, 1];
    case 1:
      return [from.readUInt16LE() >> 2, 2];
    default:
      return [from.readUInt32LE() >>> 2, 4];
  }
}

export class Host {
  /** Key to value, both hexadecimal. It outlives a call. */
  storage = new Map();
  /** Lines of the log: level, target, message. */
  log = [];
  maxLevel = 5;
  /** If set, what `ext_storage_get_version_1` answers whatever the key. */
  lie = null;

  constructor(module) {
    this.module = new WebAssembly.Module(module);
    this.ownsHeap = !WebAssembly.Module.exports(this.module).some(({ name }) => name === "v1");
  }

  /** Calls an entry in a fresh instance, as nodes do, and returns its output. Throws what the call ended with. */
  call(entry, input = Buffer.alloc(0)) {
    this.start();
    const ptr = input.length === 0 ? 8 : this.#give(input, "input");
    const answer = BigInt.asUintN(64, this.exports[entry](ptr, input.length));
    const output = Buffer.from(this.#bytes(answer));
    if (this.ownsHeap && input.length !== 0) this.free(ptr, "input");
    return output;
  }

  /** The buffers that host functions returned in the latest call and that nobody gave back. */
  get kept() {
    return [...this.live.values()].filter((owner) => owner === "returned").length;
  }

  /** A block of the host's heap: orders of powers of two, those freed last first, else from the top. */
  malloc(size, owner) {
    if (size > 32 << 20) throw new Error(`the host serves no ${size} bytes`);
    const order = Math.max(0, Math.ceil(Math.log2(Math.max(size, 1))) - 3);
    const freed = (this.freed[order] ??= []);
    let ptr = freed.pop();
    if (ptr === undefined) {
      ptr = this.top + 8;
      this.top = ptr + (8 << order);
      if (this.top > this.memory.buffer.byteLength) throw new Error("the host has no memory left");
    }
    this.orders.set(ptr, order);
    this.live.set(ptr, owner);
    this.given++;
    return ptr;
  }

  free(ptr, ...owners) {
    if (!owners.includes(this.live.get(ptr))) throw new Error(`freed what is not in use, or not its own: ${ptr}`);
    this.live.delete(ptr);
    this.freed[this.orders.get(ptr)].push(ptr);
  }

  /** A fresh instance, in `exports`, with the memory in `memory`. */
  start() {
    this.live = new Map();
    this.orders = new Map();
    this.freed = [];
    this.given = 0;
    this.memory = new WebAssembly.Memory({ initial: PAGES });
    const env = { memory: this.memory };
    for (const { module: from, name, kind } of WebAssembly.Module.imports(this.module)) {
      if (from !== "env") throw new Error(`it imports ${from}.${name}`);
      if (kind !== "function") continue;
      if (!(name in this.#functions)) throw new Error(`it imports ${name}, which a ledger has no use for`);
      env[name] = this.#functions[name];
    }
    this.exports = new WebAssembly.Instance(this.module, { env }).exports;
    if (this.ownsHeap) this.top = Math.ceil(this.exports.__heap_base.value / 8) * 8;
    this.beforeCall?.(this);
  }

  #bytes(fat) {
    const value = BigInt.asUintN(64, fat);
    return Buffer.from(this.memory.buffer, Number(value & 0xffffffffn), Number(value >> 32n));
  }

  /** Puts bytes into a new buffer, in the heap of whoever owns it. */
  #give(content, owner) {
    const ptr = this.ownsHeap ? this.malloc(content.length, owner) : this.exports.alloc(content.length) >>> 0;
    if (ptr === 0) throw new Error("`alloc` returned null");
    Buffer.from(this.memory.buffer).set(content, ptr);
    return ptr;
  }

  #returned(content) {
    return span(this.#give(content, "returned"), content.length);
  }

  #key(fat) {
    return this.#bytes(fat).toString("hex");
  }

  #functions = {
    ext_allocator_malloc_version_1: (size) => this.malloc(size >>> 0, "runtime"),
    ext_allocator_free_version_1: (ptr) => this.free(ptr >>> 0, "runtime", "returned"),
    ext_storage_get_version_1: (key) => {
      if (this.lie) return this.#returned(this.lie);
      const value = this.storage.get(this.#key(key));
      return this.#returned(value ? Buffer.concat([Buffer.from([1]), bytes(value)]) : Buffer.from([0]));
    },
    ext_storage_set_version_1: (key, value) => void this.storage.set(this.#key(key), Buffer.from(this.#bytes(value))),
    ext_storage_clear_version_1: (key) => void this.storage.delete(this.#key(key)),
    ext_storage_append_version_1: (key, item) => {
      const old = this.storage.get(this.#key(key)) ?? Buffer.from([0]);
      const [count, len] = readCompact(old);
      this.storage.set(this.#key(key), Buffer.concat([compact(count + 1), old.subarray(len), this.#bytes(item)]));
    },
    ext_storage_root_version_2: () => {
      const state = [...this.storage].map(([key, value]) => `${key}=${value.toString("hex")}`).sort();
      return this.#returned(hash(state.join(), 32));
    },
    ext_trie_blake2_256_ordered_root_version_2: (values) => this.#give(hash(this.#bytes(values), 32), "returned"),
    ext_hashing_blake2_128_version_1: (data) => this.#give(hash(this.#bytes(data), 16), "returned"),
    ext_hashing_blake2_256_version_1: (data) => this.#give(hash(this.#bytes(data), 32), "returned"),
    ext_crypto_ed25519_verify_version_1: () => 1,
    ext_crypto_sr25519_verify_version_2: () => 1,
    ext_logging_max_level_version_1: () => this.maxLevel,
    ext_logging_log_version_1: (level, target, message) =>
      void this.log.push([level, this.#bytes(target).toString(), this.#bytes(message).toString()]),
    ext_panic_handler_abort_on_panic_version_1: (message) => {
      throw new Aborted(this.#bytes(message).toString());
    },
  };
}

/** The fake host's hash of 32 bytes: that of a header. */
export const hashOf = (content) => hash(content, 32);
