// The runtime's entry points: each decodes its input, calls what does the work, encodes the output.

import { Span, span } from "../kit/host";
import { refuse } from "../kit/panic";
import { Bytes, Reader, Writer } from "../kit/scale";
import { applyExtrinsic, executeBlock, finalizeBlock, initializeBlock } from "./block";
import { Parties, Refusal, checkSigned, mustBeSigned } from "./check";
import { METADATA_14, METADATA_14_LEN, METADATA_15, METADATA_15_LEN, PRESET, PRESET_LEN } from "./embedded";
import { buildState } from "./genesis";
import * as state from "./state";
import { Account, KEY } from "./state";
import { Block, Extrinsic, HASH, Header, ID } from "./types";
import { writeVersion } from "./version";

/** Milliseconds by which a block may be ahead of the one who checks it. */
const MAX_DRIFT: u64 = 30_000;

const PRESET_NAME = "development";

/** Ends the call unless the input was read well and to its end. */
function expectDone(input: Reader, entry: string): void {
  if (!input.isDone()) refuse(`${entry}: the input does not decode`);
}

function returned(out: Writer): Span {
  return span(out.ptr, out.len);
}

export function Core_version(ptr: usize, len: u32): Span {
  expectDone(new Reader(ptr, len), "Core_version");
  const out = new Writer(256);
  writeVersion(out);
  return returned(out);
}

export function Core_execute_block(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const block = Block.read(input);
  expectDone(input, "Core_execute_block");
  executeBlock(block);
  return span(ptr, 0);
}

export function Core_initialize_block(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const header = Header.read(input);
  expectDone(input, "Core_initialize_block");
  initializeBlock(header);
  const out = new Writer();
  out.u8(0); // all extrinsics are allowed
  return returned(out);
}

export function BlockBuilder_apply_extrinsic(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const extrinsic = Extrinsic.read(input);
  expectDone(input, "BlockBuilder_apply_extrinsic");
  const refusal = applyExtrinsic(extrinsic);
  const out = new Writer();
  if (refusal) {
    writeRefusal(refusal, out);
  } else {
    out.u16(0); // applied, and the call went well
  }
  return returned(out);
}

export function BlockBuilder_finalize_block(ptr: usize, len: u32): Span {
  expectDone(new Reader(ptr, len), "BlockBuilder_finalize_block");
  return returned(finalizeBlock());
}

export function BlockBuilder_inherent_extrinsics(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const data = readInherentData(input);
  expectDone(input, "BlockBuilder_inherent_extrinsics");
  let now = timestampOf(data, "BlockBuilder_inherent_extrinsics");
  const last = state.readU64(state.NOW, KEY);
  if (now <= last) now = last == u64.MAX_VALUE ? last : last + 1;

  const extrinsic = new Writer();
  extrinsic.u8(4); // bare
  extrinsic.u8(1); // Timestamp
  extrinsic.u8(0); // set
  extrinsic.compact(now);
  const out = new Writer();
  out.compact(1);
  out.vec(extrinsic.ptr, extrinsic.len);
  return returned(out);
}

export function BlockBuilder_check_inherents(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const block = Block.read(input);
  const data = readInherentData(input);
  expectDone(input, "BlockBuilder_check_inherents");
  const now = timestampOf(data, "BlockBuilder_check_inherents");
  const latest = now > u64.MAX_VALUE - MAX_DRIFT ? u64.MAX_VALUE : now + MAX_DRIFT;
  const out = new Writer();
  if (bareTimestamp(block) > latest) {
    out.bool(false); // not okay
    out.bool(true); // fatal
    out.compact(1);
    out.text("timstap0");
    out.compact(1);
    out.u8(1); // too far in the future
  } else {
    out.bool(true);
    out.bool(false);
    out.compact(0);
  }
  return returned(out);
}

export function Metadata_metadata(ptr: usize, len: u32): Span {
  expectDone(new Reader(ptr, len), "Metadata_metadata");
  const out = new Writer(METADATA_14_LEN + 5);
  out.vec(METADATA_14, METADATA_14_LEN);
  return returned(out);
}

export function Metadata_metadata_at_version(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const version = input.u32();
  expectDone(input, "Metadata_metadata_at_version");
  const out = new Writer();
  if (version == 14) {
    writeSome(METADATA_14, METADATA_14_LEN, out);
  } else if (version == 15) {
    writeSome(METADATA_15, METADATA_15_LEN, out);
  } else {
    out.bool(false);
  }
  return returned(out);
}

export function Metadata_metadata_versions(ptr: usize, len: u32): Span {
  expectDone(new Reader(ptr, len), "Metadata_metadata_versions");
  const out = new Writer();
  out.compact(2);
  out.u32(14);
  out.u32(15);
  return returned(out);
}

export function TaggedTransactionQueue_validate_transaction(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  if (input.u8() > 2) input.fail();
  const extrinsic = Extrinsic.read(input);
  const hash = input.take(HASH);
  expectDone(input, "TaggedTransactionQueue_validate_transaction");

  const out = new Writer(128);
  const parties = new Parties();
  const refusal = extrinsic.isSigned
    ? checkSigned(extrinsic, hash, parties)
    : extrinsic.call.isTransfer
      ? mustBeSigned()
      : new Refusal("a block's author sets the timestamp", 0, 9);
  if (refusal) {
    writeRefusal(refusal, out);
    return returned(out);
  }
  const isAhead = extrinsic.nonce > parties.from.nonce;
  out.u8(0);
  out.u64(0); // priority
  out.compact(isAhead ? 1 : 0); // requires
  if (isAhead) writeTag(extrinsic.from, extrinsic.nonce - 1, out);
  out.compact(1); // provides
  writeTag(extrinsic.from, extrinsic.nonce, out);
  out.u64(u64.MAX_VALUE); // longevity
  out.bool(true); // propagate
  return returned(out);
}

export function AccountNonceApi_account_nonce(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const id = input.take(ID);
  expectDone(input, "AccountNonceApi_account_nonce");
  const out = new Writer();
  out.u32(new Account(id).nonce);
  return returned(out);
}

export function GenesisBuilder_build_state(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const configuration = input.vec();
  expectDone(input, "GenesisBuilder_build_state");
  const problem = buildState(configuration);
  const out = new Writer();
  out.bool(problem != null);
  if (problem) out.vecText(problem);
  return returned(out);
}

export function GenesisBuilder_get_preset(ptr: usize, len: u32): Span {
  const input = new Reader(ptr, len);
  const isNamed = input.bool();
  const name = isNamed ? input.vec() : new Bytes(0, 0);
  expectDone(input, "GenesisBuilder_get_preset");
  const out = new Writer();
  if (!isNamed) {
    out.bool(true);
    out.vecText('{"scale":"0x00"}');
  } else if (isText(name, PRESET_NAME)) {
    writeSome(PRESET, PRESET_LEN, out);
  } else {
    out.bool(false);
  }
  return returned(out);
}

export function GenesisBuilder_preset_names(ptr: usize, len: u32): Span {
  expectDone(new Reader(ptr, len), "GenesisBuilder_preset_names");
  const out = new Writer();
  out.compact(1);
  out.vecText(PRESET_NAME);
  return returned(out);
}

/** A byte 1 and bytes with their length: `Some` of an option. */
function writeSome(ptr: usize, len: u32, out: Writer): void {
  out.bool(true);
  out.vec(ptr, len);
}

function writeRefusal(refusal: Refusal, out: Writer): void {
  out.u8(1);
  out.u8(refusal.first);
  out.u8(refusal.second);
}

/** What a transaction provides, and the next one of its sender requires. */
function writeTag(from: usize, nonce: u32, out: Writer): void {
  out.compact(ID + 4);
  out.raw(from, ID);
  out.u32(nonce);
}

/** Whether bytes are the characters of a text: ASCII only. */
function isText(bytes: Bytes, text: string): bool {
  if (bytes.len != u32(text.length)) return false;
  for (let i = 0; i < text.length; i++) {
    if (load<u8>(bytes.ptr + i) != text.charCodeAt(i)) return false;
  }
  return true;
}

/** Reads `Vec<([8], Bytes)>` and returns the first that is the timestamp's, or nothing. */
function readInherentData(input: Reader): Bytes | null {
  let found: Bytes | null = null;
  for (let count = input.compact32(); count && !input.failed; count--) {
    const id = new Bytes(input.take(8), 8);
    const data = input.vec();
    if (!input.failed && !found && isText(id, "timstap0")) found = data;
  }
  return found;
}

function timestampOf(data: Bytes | null, entry: string): u64 {
  if (!data || data.len != 8) {
    refuse(`${entry}: no timestamp among the inherent data`);
    return 0;
  }
  return load<u64>(data.ptr);
}

/** The timestamp of a block that begins with one, otherwise 0. */
function bareTimestamp(block: Block): u64 {
  if (block.count == 0) return 0;
  const first = Extrinsic.read(block.reader());
  return first.isSigned || first.call.isTransfer ? 0 : first.call.now;
}
