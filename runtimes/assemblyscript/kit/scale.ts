// SCALE, Substrate's encoding: little-endian numbers, compact numbers, sequences with a compact length in front.

/** An unsigned number of 128 bits. */
@final
export class U128 {
  constructor(
    readonly lo: u64,
    readonly hi: u64 = 0,
  ) {}

  /** From 16 bytes in memory. */
  static load(ptr: usize): U128 {
    return new U128(load<u64>(ptr), load<u64>(ptr, 8));
  }

  store(ptr: usize): void {
    store<u64>(ptr, this.lo);
    store<u64>(ptr, this.hi, 8);
  }

  @inline
  isZero(): bool {
    return (this.lo | this.hi) == 0;
  }

  @inline
  lessThan(other: U128): bool {
    return this.hi < other.hi || (this.hi == other.hi && this.lo < other.lo);
  }

  /** The sum modulo 2^128: less than either part where it overflowed. */
  plus(other: U128): U128 {
    const lo = this.lo + other.lo;
    return new U128(lo, this.hi + other.hi + u64(lo < this.lo));
  }

  /** The difference modulo 2^128. */
  minus(other: U128): U128 {
    return new U128(this.lo - other.lo, this.hi - other.hi - u64(this.lo < other.lo));
  }
}

/** Bytes that somebody else owns, such as a part of the input: never freed through this. */
@final
export class Bytes {
  constructor(
    readonly ptr: usize,
    readonly len: u32,
  ) {}

  equals(ptr: usize, len: u32): bool {
    return this.len == len && memory.compare(this.ptr, ptr, len) == 0;
  }
}

/**
 * Reads from bytes that somebody else owns. A reader remembers its first failure: decode a whole structure, then ask `isDone` once.
 * After a failure every method returns zero or nothing.
 */
@final
export class Reader {
  failed: bool = false;

  private end: usize;

  constructor(
    private at: usize,
    len: u32,
  ) {
    this.end = at + len;
  }

  /** Where it stands: to know later what was read `since`. */
  @inline
  get position(): usize {
    return this.at;
  }

  /** Bytes not read yet. */
  @inline
  get left(): u32 {
    return u32(this.end - this.at);
  }

  /** What was read since an earlier position. */
  since(start: usize): Bytes {
    return new Bytes(start, this.failed ? 0 : u32(this.at - start));
  }

  fail(): void {
    this.failed = true;
    this.at = this.end;
  }

  /** Whether everything was read, and well. */
  isDone(): bool {
    return !this.failed && this.at == this.end;
  }

  /** The address of the next `len` bytes; 0 after a failure. */
  take(len: u32): usize {
    if (this.failed || len > this.left) {
      this.fail();
      return 0;
    }
    const ptr = this.at;
    this.at += len;
    return ptr;
  }

  u8(): u8 {
    const ptr = this.take(1);
    return ptr ? load<u8>(ptr) : 0;
  }

  u16(): u16 {
    const ptr = this.take(2);
    return ptr ? load<u16>(ptr) : 0;
  }

  u32(): u32 {
    const ptr = this.take(4);
    return ptr ? load<u32>(ptr) : 0;
  }

  u64(): u64 {
    const ptr = this.take(8);
    return ptr ? load<u64>(ptr) : 0;
  }

  u128(): U128 {
    const ptr = this.take(16);
    return ptr ? U128.load(ptr) : new U128(0);
  }

  /** A byte that must be 0 or 1: also the tag of an `Option`. */
  bool(): bool {
    const byte = this.u8();
    if (byte > 1) this.fail();
    return byte == 1;
  }

  /** A compact u32. Compact numbers must be in their shortest form, so that no value has two encodings. */
  compact32(): u32 {
    return u32(this.compact(4).lo);
  }

  compact64(): u64 {
    return this.compact(8).lo;
  }

  compact128(): U128 {
    return this.compact(16);
  }

  /** A compact number that fits `size` bytes. Its lowest two bits are its form. */
  private compact(size: u32): U128 {
    const first = this.u8();
    let value: u32;
    switch (first & 3) {
      case 0:
        return new U128(first >> 2);
      case 1:
        value = (u32(this.u8()) << 6) | (first >> 2);
        if (value < 1 << 6) this.fail();
        break;
      case 2:
        value = (u32(this.u8()) << 6) | (first >> 2);
        value |= u32(this.u16()) << 14;
        if (value < 1 << 14) this.fail();
        break;
      default:
        return this.compactPayload((first >> 2) + 4, size);
    }
    return new U128(this.failed ? 0 : value);
  }

  private compactPayload(len: u32, size: u32): U128 {
    const ptr: usize = len > size ? 0 : this.take(len);
    // The shortest form: four bytes have more than 30 bits in use, more bytes have the last one in use.
    if (!ptr || load<u8>(ptr + len - 1) < (len == 4 ? 1 << 6 : 1)) {
      this.fail();
      return new U128(0);
    }
    let lo: u64 = 0;
    let hi: u64 = 0;
    for (let i: u32 = len; i-- > 0; ) {
      hi = (hi << 8) | (lo >> 56);
      lo = (lo << 8) | load<u8>(ptr + i);
    }
    return new U128(lo, hi);
  }

  /** A `Vec<u8>`, where it is. */
  vec(): Bytes {
    const len = this.compact32();
    const ptr = this.take(len);
    return new Bytes(ptr, ptr ? len : 0);
  }
}

/** Writes into memory of its own, which the collector frees. */
@final
export class Writer {
  len: u32 = 0;

  private buffer: ArrayBuffer;

  constructor(capacity: i32 = 64) {
    this.buffer = new ArrayBuffer(capacity);
  }

  /** The address of what was written, until more is. */
  @inline
  get ptr(): usize {
    return changetype<usize>(this.buffer);
  }

  /** Room for `more` bytes at the end, which are then part of the contents. */
  private extend(more: u32): usize {
    const needed = u64(this.len) + more;
    if (needed > u32(this.buffer.byteLength)) {
      assert(needed <= <u64>i32.MAX_VALUE, "a buffer of more than 2 GiB");
      const doubled = min<u64>(u64(this.buffer.byteLength) * 2, <u64>i32.MAX_VALUE);
      const grown = new ArrayBuffer(i32(max(needed, doubled)));
      memory.copy(changetype<usize>(grown), this.ptr, this.len);
      this.buffer = grown;
    }
    const at = this.ptr + this.len;
    this.len = u32(needed);
    return at;
  }

  /** Bytes as they are. */
  raw(ptr: usize, len: u32): void {
    memory.copy(this.extend(len), ptr, len);
  }

  /** A text's characters as they are: ASCII only. */
  text(text: string): void {
    const at = this.extend(text.length);
    for (let i = 0; i < text.length; i++) {
      store<u8>(at + i, u8(text.charCodeAt(i)));
    }
  }

  u8(value: u8): void {
    store<u8>(this.extend(1), value);
  }

  u16(value: u16): void {
    store<u16>(this.extend(2), value);
  }

  u32(value: u32): void {
    store<u32>(this.extend(4), value);
  }

  u64(value: u64): void {
    store<u64>(this.extend(8), value);
  }

  u128(value: U128): void {
    value.store(this.extend(16));
  }

  bool(value: bool): void {
    this.u8(u8(value));
  }

  compact(value: u64): void {
    if (value < 1 << 6) {
      this.u8(u8(value << 2));
    } else if (value < 1 << 14) {
      this.u16(u16((value << 2) | 1));
    } else if (value < 1 << 30) {
      this.u32(u32((value << 2) | 2));
    } else {
      this.payload(value, 0, max<u32>(4, 8 - u32(clz(value) >> 3)));
    }
  }

  compact128(value: U128): void {
    if (value.hi == 0) {
      this.compact(value.lo);
    } else {
      this.payload(value.lo, value.hi, 16 - u32(clz(value.hi) >> 3));
    }
  }

  private payload(lo: u64, hi: u64, len: u32): void {
    this.u8(u8(((len - 4) << 2) | 3));
    for (let i: u32 = 0; i < len; i++) {
      this.u8(u8(i < 8 ? lo >> (8 * i) : hi >> (8 * (i - 8))));
    }
  }

  /** A `Vec<u8>`. */
  vec(ptr: usize, len: u32): void {
    this.compact(len);
    this.raw(ptr, len);
  }

  /** A `Vec<u8>` of a text's characters: ASCII only. */
  vecText(text: string): void {
    this.compact(text.length);
    this.text(text);
  }
}
