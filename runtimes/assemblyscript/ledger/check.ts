// Whether an extrinsic may be applied.

import { ed25519Verify, sr25519Verify } from "../kit/host";
import { U128 } from "../kit/scale";
import * as state from "./state";
import { Account } from "./state";
import { Extrinsic, HASH, ID } from "./types";

export const EXISTENTIAL_DEPOSIT = new U128(1000);

/** Why an extrinsic is refused: in words, and as the encoded TransactionValidityError. */
@final
export class Refusal {
  constructor(
    readonly reason: string,
    readonly first: u8,
    readonly second: u8,
  ) {}
}

/** A bare extrinsic that is no timestamp. */
export function mustBeSigned(): Refusal {
  return new Refusal("a transfer must be signed", 1, 1);
}

/** Checks a timestamp as the extrinsic with this index in a block being made; null where nothing speaks against it. */
export function checkTimestamp(now: u64, index: u32): Refusal | null {
  if (state.hasTimestamp()) return new Refusal("the timestamp is set twice", 0, 8);
  if (index != 0) return new Refusal("the timestamp is not the first extrinsic", 0, 8);
  if (now <= state.readU64(state.NOW, state.KEY)) return new Refusal("the timestamp is not later than the last", 0, 8);
  return null;
}

/** Who takes part in a transfer, as they are before it. */
@final
export class Parties {
  from!: Account;
  /** Null where it is the same. */
  to: Account | null = null;
}

/**
 * Checks a signed extrinsic, whose accounts are in `parties` then. In a block being made `poolBlock` is 0; in the pool, where the nonce
 * may lie ahead, it is the address of the hash of the block that the state is of.
 */
export function checkSigned(extrinsic: Extrinsic, poolBlock: usize, parties: Parties): Refusal | null {
  const call = extrinsic.call;
  if (!call.isTransfer) return new Refusal("the timestamp must not be signed", 0, 0);
  if (extrinsic.isMortal) return new Refusal("the era is mortal", 0, 5);
  if (!extrinsic.tip.isZero()) return new Refusal("the tip is not zero", 0, 1);
  if (!isSignatureRight(extrinsic, poolBlock)) return new Refusal("the signature is wrong", 0, 4);

  const from = new Account(extrinsic.from);
  parties.from = from;
  const nonce = from.nonce;
  if (extrinsic.nonce < nonce || extrinsic.nonce == u32.MAX_VALUE) return new Refusal("the nonce is used", 0, 3);
  if (!poolBlock && extrinsic.nonce != nonce) return new Refusal("the nonce is too high", 0, 2);

  const free = from.free;
  if (free.lessThan(call.value)) return new Refusal("the balance is too low", 0, 1);
  if (memory.compare(extrinsic.from, call.to, ID) == 0) return null;
  if (free.minus(call.value).lessThan(EXISTENTIAL_DEPOSIT)) {
    return new Refusal("the sender would fall below the existential deposit", 0, 1);
  }

  const to = new Account(call.to);
  parties.to = to;
  const after = to.free.plus(call.value);
  if (after.lessThan(call.value)) return new Refusal("the recipient's balance would overflow", 0, 1);
  if (after.lessThan(EXISTENTIAL_DEPOSIT)) {
    return new Refusal("the recipient would stay below the existential deposit", 0, 1);
  }
  return null;
}

const GENESIS_HASH_ROOM = memory.data(32);

/** The address of the genesis hash. In the pool of a chain without blocks it is the block asked about. */
function genesisHash(poolBlock: usize): usize {
  if (poolBlock && state.readU32(state.NUMBER, state.KEY) == 0) return poolBlock;
  memory.fill(GENESIS_HASH_ROOM, 0, HASH);
  state.read(state.GENESIS_HASH, state.GENESIS_HASH_KEY, GENESIS_HASH_ROOM, HASH);
  return GENESIS_HASH_ROOM;
}

function isSignatureRight(extrinsic: Extrinsic, poolBlock: usize): bool {
  const payload = extrinsic.payload(genesisHash(poolBlock));
  return extrinsic.isSr25519
    ? sr25519Verify(extrinsic.signature, payload.ptr, payload.len, extrinsic.from)
    : ed25519Verify(extrinsic.signature, payload.ptr, payload.len, extrinsic.from);
}
