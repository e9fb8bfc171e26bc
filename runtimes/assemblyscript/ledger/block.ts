// The life of a block: initialised, filled, finalised.

import { blake2_256, orderedRoot, storageAppend, storageClear, storageGet, storageRoot, storageSet } from "../kit/host";
import { refuse } from "../kit/panic";
import { Bytes, Writer } from "../kit/scale";
import { Parties, Refusal, checkSigned, checkTimestamp, mustBeSigned } from "./check";
import * as state from "./state";
import { KEY } from "./state";
import { Block, Extrinsic, HASH, Header } from "./types";
import { EXTRINSICS_ROOT_VERSION, STATE_VERSION } from "./version";

/** The root of a trie without entries. */
const EMPTY_ROOT = memory.data<u8>([
  0x03, 0x17, 0x0a, 0x2e, 0x75, 0x97, 0xb7, 0xb7, 0xe3, 0xd8, 0x4c, 0x05, 0x39, 0x1d, 0x13, 0x9a,
  0x62, 0xb1, 0x57, 0xe7, 0x87, 0x86, 0xd8, 0xc0, 0x82, 0xf2, 0x9d, 0xcf, 0x4c, 0x11, 0x13, 0x14,
]);
/** An encoded sequence without elements. */
const NOTHING = memory.data<u8>([0]);
const DONE = memory.data<u8>([1]);

// The parts of the one header that is made at a time.
const PARENT_HASH_ROOM = memory.data(32);
const STATE_ROOT_ROOM = memory.data(32);
const EXTRINSICS_ROOT_ROOM = memory.data(32);
const HASH_ROOM = memory.data(32);

/** The header of the block that the state is in, with the state root of now, encoded. */
function headerOfState(number: u32): Writer {
  const header = new Header();
  header.number = number;
  header.parentHash = PARENT_HASH_ROOM;
  memory.fill(PARENT_HASH_ROOM, 0, HASH);
  state.read(state.PARENT_HASH, KEY, PARENT_HASH_ROOM, HASH);
  header.stateRoot = STATE_ROOT_ROOM;
  storageRoot(STATE_VERSION, STATE_ROOT_ROOM);
  header.extrinsicsRoot = EXTRINSICS_ROOT_ROOM;
  memory.copy(EXTRINSICS_ROOT_ROOM, EMPTY_ROOT, HASH);
  state.read(state.EXTRINSICS_ROOT, KEY, EXTRINSICS_ROOT_ROOM, HASH);
  const digest = storageGet(state.DIGEST, KEY);
  header.digest = digest ? digest.bytes : new Bytes(NOTHING, 1);
  const encoded = new Writer(256);
  header.write(encoded);
  if (digest) digest.free();
  return encoded;
}

export function initializeBlock(header: Header): void {
  const last = state.readU32(state.NUMBER, KEY);
  if (header.number == 0 || header.number - 1 != last) refuse("block: the number does not follow the parent's");
  const encoded = headerOfState(last);
  blake2_256(encoded.ptr, encoded.len, HASH_ROOM);
  if (memory.compare(HASH_ROOM, header.parentHash, HASH) != 0) refuse("block: the parent is another block");

  state.writeU32(state.NUMBER, KEY, header.number);
  storageSet(state.PARENT_HASH, KEY, header.parentHash, HASH);
  storageSet(state.DIGEST, KEY, header.digest.ptr, header.digest.len);
  if (header.number == 1) storageSet(state.GENESIS_HASH, state.GENESIS_HASH_KEY, header.parentHash, HASH);
  storageClear(state.EVENTS, KEY);
}

/** Applies an extrinsic. Where it is refused, nothing was written. */
export function applyExtrinsic(extrinsic: Extrinsic): Refusal | null {
  const index = state.readU32(state.EXTRINSIC_INDEX, state.EXTRINSIC_INDEX_KEY);
  if (extrinsic.isSigned) {
    const parties = new Parties();
    const refusal = checkSigned(extrinsic, 0, parties);
    if (refusal) return refusal;
    transfer(extrinsic, index, parties);
  } else {
    if (extrinsic.call.isTransfer) return mustBeSigned();
    const refusal = checkTimestamp(extrinsic.call.now, index);
    if (refusal) return refusal;
    state.writeU64(state.NOW, KEY, extrinsic.call.now);
    storageSet(state.DID_UPDATE, KEY, DONE, 1);
    state.depositSuccess(index, true);
  }
  const element = new Writer(extrinsic.bytes.len + 5);
  element.vec(extrinsic.bytes.ptr, extrinsic.bytes.len);
  storageAppend(state.EXTRINSIC_DATA, KEY, element.ptr, element.len);
  state.writeU32(state.EXTRINSIC_INDEX, state.EXTRINSIC_INDEX_KEY, index + 1);
  return null;
}

function transfer(extrinsic: Extrinsic, index: u32, parties: Parties): void {
  const call = extrinsic.call;
  const from = parties.from;
  const to = parties.to;
  from.nonce = from.nonce + 1;
  if (to) {
    from.free = from.free.minus(call.value);
    to.free = to.free.plus(call.value);
    to.store();
    if (!to.exists) {
      state.depositNewAccount(index, call.to);
      state.depositEndowed(index, call.to, call.value);
    }
  }
  from.store();
  state.depositTransfer(index, extrinsic.from, call.to, call.value);
  state.depositSuccess(index, false);
}

/** The header, encoded. Its roots are at EXTRINSICS_ROOT_ROOM and STATE_ROOT_ROOM. */
export function finalizeBlock(): Writer {
  if (!state.hasTimestamp()) refuse("block: the timestamp is missing");
  const data = storageGet(state.EXTRINSIC_DATA, KEY);
  if (data) {
    orderedRoot(data.ptr, data.len, EXTRINSICS_ROOT_VERSION, HASH_ROOM);
    data.free();
  } else {
    orderedRoot(NOTHING, 1, EXTRINSICS_ROOT_VERSION, HASH_ROOM);
  }
  storageSet(state.EXTRINSICS_ROOT, KEY, HASH_ROOM, HASH);
  storageClear(state.DID_UPDATE, KEY);
  storageClear(state.EXTRINSIC_INDEX, state.EXTRINSIC_INDEX_KEY);
  storageClear(state.EXTRINSIC_DATA, KEY);
  return headerOfState(state.readU32(state.NUMBER, KEY));
}

/** Executes a block that somebody made; ends the call where anything about it is wrong. */
export function executeBlock(block: Block): void {
  const header = block.header;
  initializeBlock(header);
  const extrinsics = block.reader();
  for (let index: u32 = 0; index < block.count; index++) {
    const refusal = applyExtrinsic(Extrinsic.read(extrinsics));
    if (refusal) refuse(`extrinsic ${index}: ${refusal.reason}`);
  }
  finalizeBlock();
  if (memory.compare(EXTRINSICS_ROOT_ROOM, header.extrinsicsRoot, HASH) != 0) {
    refuse("block: the extrinsics root differs");
  }
  if (memory.compare(STATE_ROOT_ROOM, header.stateRoot, HASH) != 0) refuse("block: the state root differs");
}
