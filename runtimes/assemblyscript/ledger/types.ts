// What the ledger reads and writes: extrinsics, headers, blocks. `../../LEDGER.md` decides every byte.
// Addresses point into the input.

import { Bytes, Reader, U128, Writer } from "../kit/scale";
import { SPEC_VERSION, TRANSACTION_VERSION } from "./version";

export const ID: u32 = 32;
export const HASH: u32 = 32;
const SIGNATURE: u32 = 64;
const ZERO = new U128(0);

@final
export class Call {
  isTransfer: bool = false;
  /** The encoded call, as it is in the extrinsic. */
  bytes!: Bytes;
  /** Timestamp.set */
  now: u64 = 0;
  /** Balances.transfer_keep_alive */
  to: usize = 0;
  value: U128 = ZERO;

  static read(input: Reader): Call {
    const call = new Call();
    const start = input.position;
    const pallet = input.u8();
    const index = input.u8();
    if (pallet == 1 && index == 0) {
      call.now = input.compact64();
    } else if (pallet == 2 && index == 3) {
      call.isTransfer = true;
      if (input.u8() != 0) input.fail();
      call.to = input.take(ID);
      call.value = input.compact128();
    } else {
      input.fail();
    }
    call.bytes = input.since(start);
    return call;
  }
}

@final
export class Extrinsic {
  /** As it stands in a block, its length in front. */
  bytes!: Bytes;
  call!: Call;
  isSigned: bool = false;
  // Those of a signed one.
  from: usize = 0;
  signature: usize = 0;
  isSr25519: bool = false;
  isMortal: bool = false;
  nonce: u32 = 0;
  tip: U128 = ZERO;

  static read(input: Reader): Extrinsic {
    const extrinsic = new Extrinsic();
    const start = input.position;
    const bytes = input.vec();
    const inner = new Reader(bytes.ptr, bytes.len);
    const version = inner.u8();
    if (version == 0x84) {
      extrinsic.isSigned = true;
      if (inner.u8() != 0) inner.fail();
      extrinsic.from = inner.take(ID);
      extrinsic.isSr25519 = inner.bool();
      extrinsic.signature = inner.take(SIGNATURE);
      extrinsic.isMortal = inner.u8() != 0;
      if (extrinsic.isMortal) inner.u8();
      extrinsic.nonce = inner.compact32();
      extrinsic.tip = inner.compact128();
    } else if (version != 0x04) {
      inner.fail();
    }
    extrinsic.call = Call.read(inner);
    if (!inner.isDone()) input.fail();
    extrinsic.bytes = input.since(start);
    return extrinsic;
  }

  /** What the sender signs. */
  payload(genesisHash: usize): Writer {
    const out = new Writer(256);
    out.raw(this.call.bytes.ptr, this.call.bytes.len);
    out.u8(0); // immortal
    out.compact(this.nonce);
    out.compact128(this.tip);
    out.u32(SPEC_VERSION);
    out.u32(TRANSACTION_VERSION);
    out.raw(genesisHash, HASH);
    out.raw(genesisHash, HASH);
    return out;
  }
}

@final
export class Header {
  parentHash: usize = 0;
  number: u32 = 0;
  stateRoot: usize = 0;
  extrinsicsRoot: usize = 0;
  /** The encoded `Vec<DigestItem>`. */
  digest!: Bytes;

  static read(input: Reader): Header {
    const header = new Header();
    header.parentHash = input.take(HASH);
    header.number = input.compact32();
    header.stateRoot = input.take(HASH);
    header.extrinsicsRoot = input.take(HASH);
    const start = input.position;
    for (let items = input.compact32(); items && !input.failed; items--) skipDigestItem(input);
    header.digest = input.since(start);
    return header;
  }

  write(out: Writer): void {
    out.raw(this.parentHash, HASH);
    out.compact(this.number);
    out.raw(this.stateRoot, HASH);
    out.raw(this.extrinsicsRoot, HASH);
    out.raw(this.digest.ptr, this.digest.len);
  }
}

function skipDigestItem(input: Reader): void {
  switch (input.u8()) {
    case 0:
      input.vec();
      break;
    case 4:
    case 5:
    case 6:
      input.take(4);
      input.vec();
      break;
    case 8:
      break;
    default:
      input.fail();
  }
}

/**
 * A block whose extrinsics decode. They are not kept: whoever wants one reads it again, so that of a large block little is alive at a time
 * and the rest is the collector's.
 */
@final
export class Block {
  header!: Header;
  count: u32 = 0;
  private extrinsics!: Bytes;

  static read(input: Reader): Block {
    const block = new Block();
    block.header = Header.read(input);
    block.count = input.compact32();
    const start = input.position;
    for (let left = block.count; left && !input.failed; left--) Extrinsic.read(input);
    block.extrinsics = input.since(start);
    return block;
  }

  /** Reads the extrinsics, one after the other. */
  reader(): Reader {
    return new Reader(this.extrinsics.ptr, this.extrinsics.len);
  }
}
