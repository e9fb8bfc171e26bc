// The workload as an entry point, with what the language collects.

import { Span, span } from "../../../runtimes/assemblyscript/kit/host";
import { refuse } from "../../../runtimes/assemblyscript/kit/panic";
import { Reader, Writer } from "../../../runtimes/assemblyscript/kit/scale";

const ACCOUNT = 80;
const OVERLAY: u32 = 512;

let state: u32 = 0;
let sum: u32 = 0;
const overlay = new Array<ArrayBuffer | null>(OVERLAY);

function next(): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

function filled(len: i32): ArrayBuffer {
  const block = new ArrayBuffer(len);
  memory.fill(changetype<usize>(block), u8(next()), len);
  return block;
}

function look(block: ArrayBuffer, len: i32): void {
  const ptr = changetype<usize>(block);
  sum = sum * 31 + load<u8>(ptr);
  sum = sum * 31 + load<u8>(ptr + len / 2);
  sum = sum * 31 + load<u8>(ptr + len - 1);
}

/** What a host function returned, copied to where it is worked on. */
function loadAccount(): ArrayBuffer {
  const value = filled(ACCOUNT + 3);
  const info = new ArrayBuffer(2 * ACCOUNT);
  memory.copy(changetype<usize>(info), changetype<usize>(value) + 3, ACCOUNT);
  return info;
}

function event(): void {
  const small = filled(64);
  const block = new ArrayBuffer(128);
  memory.copy(changetype<usize>(block), changetype<usize>(small), 64);
  memory.fill(changetype<usize>(block) + 64, u8(next()), 64);
  look(block, 128);
}

function storeAccount(info: ArrayBuffer): void {
  const slot = next() % OVERLAY;
  overlay[slot] = info.slice(0, ACCOUNT);
}

function transfer(): ArrayBuffer {
  const extrinsic = filled(100 + (next() % 96));
  filled(ACCOUNT);
  filled(ACCOUNT);
  const a = loadAccount();
  const b = loadAccount();
  look(filled(256), 140);
  look(a, ACCOUNT);
  look(b, ACCOUNT);
  for (let i = 0; i < 3; i++) event();
  storeAccount(a);
  storeAccount(b);
  return extrinsic;
}

function block(transfers: u32): void {
  const list: ArrayBuffer[] = [];
  for (let i: u32 = 0; i < transfers; i++) list.push(transfer());
  for (let i: u32 = 0; i < transfers; i++) look(list[i], list[i].byteLength);
  for (let i: u32 = 0; i < OVERLAY; i++) {
    const value = overlay[i];
    if (value) look(value, ACCOUNT);
    overlay[i] = null;
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
