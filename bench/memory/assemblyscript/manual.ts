// The workload as an entry point, with blocks that are freed by hand: `heap.alloc` and `heap.free`, the allocator below the collectors.

import { Span, span } from "../../../runtimes/assemblyscript/kit/host";
import { refuse } from "../../../runtimes/assemblyscript/kit/panic";
import { Reader, Writer } from "../../../runtimes/assemblyscript/kit/scale";

const ACCOUNT = 80;
const OVERLAY: u32 = 512;

let state: u32 = 0;
let sum: u32 = 0;
const overlay = memory.data(2048, 4); // a pointer for each of OVERLAY

function next(): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

function filled(len: usize): usize {
  const block = heap.alloc(len);
  memory.fill(block, u8(next()), len);
  return block;
}

function look(ptr: usize, len: usize): void {
  sum = sum * 31 + load<u8>(ptr);
  sum = sum * 31 + load<u8>(ptr + len / 2);
  sum = sum * 31 + load<u8>(ptr + len - 1);
}

/** What a host function returned, copied to where it is worked on. */
function loadAccount(): usize {
  const value = filled(ACCOUNT + 3);
  const info = heap.alloc(2 * ACCOUNT);
  memory.copy(info, value + 3, ACCOUNT);
  memory.fill(info + ACCOUNT, 0, ACCOUNT);
  heap.free(value);
  return info;
}

function event(): void {
  const block = heap.realloc(filled(64), 128);
  memory.fill(block + 64, u8(next()), 64);
  look(block, 128);
  heap.free(block);
}

function storeAccount(info: usize): void {
  const slot = overlay + usize(next() % OVERLAY) * sizeof<usize>();
  const value = heap.alloc(ACCOUNT);
  memory.copy(value, info, ACCOUNT);
  const old = load<usize>(slot);
  if (old) heap.free(old);
  store<usize>(slot, value);
}

/** The address in the lower half, the length in the upper. */
function transfer(): u64 {
  const len: usize = 100 + (next() % 96);
  const extrinsic = filled(len);
  const keyA = filled(ACCOUNT);
  const keyB = filled(ACCOUNT);
  const a = loadAccount();
  const b = loadAccount();
  const payload = filled(256);
  look(payload, 140);
  heap.free(payload);
  look(a, ACCOUNT);
  look(b, ACCOUNT);
  for (let i = 0; i < 3; i++) event();
  storeAccount(a);
  storeAccount(b);
  heap.free(keyA);
  heap.free(keyB);
  heap.free(a);
  heap.free(b);
  return span(extrinsic, u32(len));
}

function block(transfers: u32): void {
  let list: usize = 0;
  let capacity: u32 = 0;
  for (let i: u32 = 0; i < transfers; i++) {
    if (i == capacity) {
      capacity = capacity ? 2 * capacity : 16;
      list = list ? heap.realloc(list, capacity * 8) : heap.alloc(capacity * 8);
    }
    const extrinsic = transfer();
    store<u64>(list + i * 8, extrinsic);
  }
  for (let i: u32 = 0; i < transfers; i++) {
    const extrinsic = load<u64>(list + i * 8);
    look(usize(u32(extrinsic)), usize(extrinsic >> 32));
    heap.free(usize(u32(extrinsic)));
  }
  if (list) heap.free(list);
  for (let slot = overlay; slot < overlay + OVERLAY * sizeof<usize>(); slot += sizeof<usize>()) {
    const value = load<usize>(slot);
    if (!value) continue;
    look(value, ACCOUNT);
    heap.free(value);
    store<usize>(slot, 0);
  }
}

export function workload_run(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const transfers = input.u32();
  const blocks = input.u32();
  if (!input.isDone()) refuse("the input is not two u32");
  state = 2463534242;
  sum = 0;
  for (let i: u32 = 0; i < blocks; i++) block(transfers);
  const out = new Writer(4);
  out.u32(sum);
  return span(out.ptr, out.len);
}
