// The state of the first block.

import { Bytes, Reader, U128 } from "../kit/scale";
import { EXISTENTIAL_DEPOSIT } from "./check";
import * as state from "./state";
import { Account } from "./state";
import { ID } from "./types";

const HEAD_LEN: u32 = 12;
/** `{"scale":"0x` */
const HEAD = memory.data<u8>([0x7b, 0x22, 0x73, 0x63, 0x61, 0x6c, 0x65, 0x22, 0x3a, 0x22, 0x30, 0x78]);
const TAIL_LEN: u32 = 2;
/** `"}` */
const TAIL = memory.data<u8>([0x22, 0x7d]);

/** Bytes of an account in the configuration: its id and its balance. */
const ENTRY: u32 = ID + 16;

/** A digit's value, or 16. */
function digit(byte: u32): u32 {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  byte |= 0x20;
  return byte >= 0x61 && byte <= 0x66 ? byte - 0x61 + 10 : 16;
}

/** Decodes `{"scale":"0xHEX"}`; null where the text has another form. */
function decodeText(text: Bytes): ArrayBuffer | null {
  if (text.len < HEAD_LEN + TAIL_LEN || (text.len - HEAD_LEN - TAIL_LEN) % 2 != 0) return null;
  const end = text.ptr + text.len - TAIL_LEN;
  if (memory.compare(text.ptr, HEAD, HEAD_LEN) != 0 || memory.compare(end, TAIL, TAIL_LEN) != 0) return null;
  const scale = new ArrayBuffer((text.len - HEAD_LEN - TAIL_LEN) / 2);
  let out = changetype<usize>(scale);
  for (let at = text.ptr + HEAD_LEN; at < end; at += 2) {
    const high = digit(load<u8>(at));
    const low = digit(load<u8>(at, 1));
    if ((high | low) > 15) return null;
    store<u8>(out++, u8((high << 4) | low));
  }
  return scale;
}

/** Writes the state that a configuration describes. Returns why nothing was written, or null. */
export function buildState(configuration: Bytes): string | null {
  const scale = decodeText(configuration);
  if (!scale) return 'genesis: not {"scale":"0x..."}';
  const reader = new Reader(changetype<usize>(scale), scale.byteLength);
  const count = reader.compact32();
  if (reader.failed || u64(reader.left) != u64(count) * ENTRY) return "genesis: the SCALE does not decode";
  const first = reader.position;
  const end = first + reader.left;

  let issuance = new U128(0);
  for (let at = first; at < end; at += ENTRY) {
    const free = U128.load(at + ID);
    if (at > first && memory.compare(at - ENTRY, at, ID) >= 0) return "genesis: the accounts are not in ascending order";
    if (free.lessThan(EXISTENTIAL_DEPOSIT)) return "genesis: a balance is below the existential deposit";
    issuance = issuance.plus(free);
    if (issuance.lessThan(free)) return "genesis: the balances overflow";
  }
  for (let at = first; at < end; at += ENTRY) {
    const account = new Account(at);
    account.free = U128.load(at + ID);
    account.store();
  }
  state.writeU128(state.TOTAL_ISSUANCE, state.KEY, issuance);
  return null;
}
