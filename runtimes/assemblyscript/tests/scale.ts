// What `scale.test.mjs` calls: decodes by kind, shows the value, and encodes it again.

import { Bytes, Reader, U128, Writer } from "../kit/scale";

function digits(value: u64): string {
  return value.toString(16).padStart(16, "0");
}

function hex(bytes: Bytes): string {
  let text = "";
  for (let i: u32 = 0; i < bytes.len; i++) text += load<u8>(bytes.ptr + i).toString(16).padStart(2, "0");
  return text;
}

function number(value: U128): string {
  return "0x" + digits(value.hi) + digits(value.lo);
}

/** Returns `!`, or the value (numbers in hexadecimal digits) and the bytes that it is encoded as. */
export function decode(kind: string, input: Uint8Array): string {
  const reader = new Reader(input.dataStart, input.length);
  const again = new Writer(0);
  let shown = "";
  if (kind == "bytes") {
    const value = reader.vec();
    again.vec(value.ptr, value.len);
    shown = hex(value);
  } else if (kind == "option32") {
    const some = reader.bool();
    again.bool(some);
    shown = "none";
    if (some) {
      const value = reader.u32();
      again.u32(value);
      shown = number(new U128(value));
    }
  } else if (kind == "u8") {
    const value = reader.u8();
    again.u8(value);
    shown = number(new U128(value));
  } else if (kind == "u16") {
    const value = reader.u16();
    again.u16(value);
    shown = number(new U128(value));
  } else if (kind == "u32") {
    const value = reader.u32();
    again.u32(value);
    shown = number(new U128(value));
  } else if (kind == "u64") {
    const value = reader.u64();
    again.u64(value);
    shown = number(new U128(value));
  } else if (kind == "u128") {
    const value = reader.u128();
    again.u128(value);
    shown = number(value);
  } else if (kind == "bool") {
    const value = reader.bool();
    again.bool(value);
    shown = number(new U128(u64(value)));
  } else if (kind == "compact32") {
    const value = reader.compact32();
    again.compact(value);
    shown = number(new U128(value));
  } else if (kind == "compact64") {
    const value = reader.compact64();
    again.compact(value);
    shown = number(new U128(value));
  } else if (kind == "compact128") {
    const value = reader.compact128();
    again.compact128(value);
    shown = number(value);
  } else {
    throw new Error("no kind " + kind);
  }
  return reader.isDone() ? shown + " " + hex(new Bytes(again.ptr, again.len)) : "!";
}

/** a + b, a - b, and whether a < b, in hexadecimal digits. */
export function arithmetic(aHi: u64, aLo: u64, bHi: u64, bLo: u64): string {
  const a = new U128(aLo, aHi);
  const b = new U128(bLo, bHi);
  return number(a.plus(b)) + " " + number(a.minus(b)) + " " + a.lessThan(b).toString();
}
