// What the host gives: its functions as they are declared, and forms of them that say who owns what comes back.

import { Bytes, Reader } from "./scale";

/** An address in the lower half, a length in the upper. */
export type Span = u64;

@inline
export function span(ptr: usize, len: u32): Span {
  return (u64(len) << 32) | u64(ptr);
}

@external("env", "ext_storage_get_version_1")
export declare function ext_storage_get_version_1(key: Span): Span;
@external("env", "ext_storage_set_version_1")
export declare function ext_storage_set_version_1(key: Span, value: Span): void;
@external("env", "ext_storage_clear_version_1")
export declare function ext_storage_clear_version_1(key: Span): void;
@external("env", "ext_storage_append_version_1")
export declare function ext_storage_append_version_1(key: Span, item: Span): void;
@external("env", "ext_storage_root_version_2")
export declare function ext_storage_root_version_2(stateVersion: u32): Span;
@external("env", "ext_storage_exists_version_1")
export declare function ext_storage_exists_version_1(key: Span): u32;
@external("env", "ext_storage_next_key_version_1")
export declare function ext_storage_next_key_version_1(key: Span): Span;
@external("env", "ext_storage_clear_prefix_version_2")
export declare function ext_storage_clear_prefix_version_2(prefix: Span, limit: Span): Span;
@external("env", "ext_storage_start_transaction_version_1")
export declare function ext_storage_start_transaction_version_1(): void;
@external("env", "ext_storage_rollback_transaction_version_1")
export declare function ext_storage_rollback_transaction_version_1(): void;
@external("env", "ext_storage_commit_transaction_version_1")
export declare function ext_storage_commit_transaction_version_1(): void;
@external("env", "ext_trie_blake2_256_ordered_root_version_2")
export declare function ext_trie_blake2_256_ordered_root_version_2(values: Span, stateVersion: u32): usize;
@external("env", "ext_hashing_blake2_128_version_1")
export declare function ext_hashing_blake2_128_version_1(data: Span): usize;
@external("env", "ext_hashing_blake2_256_version_1")
export declare function ext_hashing_blake2_256_version_1(data: Span): usize;
@external("env", "ext_hashing_twox_64_version_1")
export declare function ext_hashing_twox_64_version_1(data: Span): usize;
@external("env", "ext_hashing_twox_128_version_1")
export declare function ext_hashing_twox_128_version_1(data: Span): usize;
@external("env", "ext_crypto_ed25519_verify_version_1")
export declare function ext_crypto_ed25519_verify_version_1(signature: usize, message: Span, publicKey: usize): u32;
@external("env", "ext_crypto_sr25519_verify_version_2")
export declare function ext_crypto_sr25519_verify_version_2(signature: usize, message: Span, publicKey: usize): u32;
@external("env", "ext_logging_log_version_1")
export declare function ext_logging_log_version_1(level: Level, target: Span, message: Span): void;
@external("env", "ext_logging_max_level_version_1")
export declare function ext_logging_max_level_version_1(): u32;
@external("env", "ext_panic_handler_abort_on_panic_version_1")
export declare function ext_panic_handler_abort_on_panic_version_1(message: Span): void;

/**
 * Frees what a host function returned. Such a buffer never lies in this language's heap: under `local` it is the host's, under `v1`
 * the adapted module's own, which `heapbase adapt` leads this function to.
 */
@external("env", "ext_allocator_free_version_1")
export declare function ext_allocator_free_version_1(ptr: usize): void;

/** A buffer that a host function returned, and the part of it that is the value. */
@final
export class Value {
  constructor(
    private buffer: usize,
    readonly bytes: Bytes,
  ) {}

  @inline
  get ptr(): usize {
    return this.bytes.ptr;
  }

  @inline
  get len(): u32 {
    return this.bytes.len;
  }

  free(): void {
    ext_allocator_free_version_1(this.buffer);
  }
}

/** The value under a key. */
export function storageGet(key: usize, keyLen: u32): Value | null {
  const answer = ext_storage_get_version_1(span(key, keyLen));
  const buffer = usize(u32(answer));
  const reader = new Reader(buffer, u32(answer >> 32));
  if (reader.bool()) {
    const bytes = reader.vec();
    assert(!reader.failed, "the host's answer is no encoded Option<Vec<u8>>");
    return new Value(buffer, bytes);
  }
  assert(!reader.failed, "the host's answer is no encoded Option<Vec<u8>>");
  ext_allocator_free_version_1(buffer);
  return null;
}

export function storageExists(key: usize, keyLen: u32): bool {
  const value = storageGet(key, keyLen);
  if (!value) return false;
  value.free();
  return true;
}

@inline
export function storageSet(key: usize, keyLen: u32, value: usize, len: u32): void {
  ext_storage_set_version_1(span(key, keyLen), span(value, len));
}

@inline
export function storageClear(key: usize, keyLen: u32): void {
  ext_storage_clear_version_1(span(key, keyLen));
}

/** Adds one encoded item to the encoded sequence under a key. */
@inline
export function storageAppend(key: usize, keyLen: u32, item: usize, len: u32): void {
  ext_storage_append_version_1(span(key, keyLen), span(item, len));
}

/** Writes the root of the state as it is now, 32 bytes, to `out`. */
export function storageRoot(stateVersion: u32, out: usize): void {
  const answer = ext_storage_root_version_2(stateVersion);
  assert(answer >> 32 == 32, "the host's state root is not 32 bytes long");
  take(usize(u32(answer)), out, 32);
}

/** Copies what the host returned and frees the host's. */
function take(buffer: usize, out: usize, len: u32): void {
  memory.copy(out, buffer, len);
  ext_allocator_free_version_1(buffer);
}

/** Writes the root of a trie of values under compact indices, 32 bytes, to `out`; `values` is an encoded `Vec<Vec<u8>>`. */
export function orderedRoot(values: usize, len: u32, stateVersion: u32, out: usize): void {
  take(ext_trie_blake2_256_ordered_root_version_2(span(values, len), stateVersion), out, 32);
}

/** Writes a hash of 16 bytes to `out`. */
export function blake2_128(data: usize, len: u32, out: usize): void {
  take(ext_hashing_blake2_128_version_1(span(data, len)), out, 16);
}

/** Writes a hash of 32 bytes to `out`. */
export function blake2_256(data: usize, len: u32, out: usize): void {
  take(ext_hashing_blake2_256_version_1(span(data, len)), out, 32);
}

/** Writes a hash of 16 bytes to `out`. */
export function twox_128(data: usize, len: u32, out: usize): void {
  take(ext_hashing_twox_128_version_1(span(data, len)), out, 16);
}

@inline
export function ed25519Verify(signature: usize, message: usize, len: u32, publicKey: usize): bool {
  return ext_crypto_ed25519_verify_version_1(signature, span(message, len), publicKey) != 0;
}

@inline
export function sr25519Verify(signature: usize, message: usize, len: u32, publicKey: usize): bool {
  return ext_crypto_sr25519_verify_version_2(signature, span(message, len), publicKey) != 0;
}

/** Levels as the host numbers them. */
export enum Level {
  Error,
  Warn,
  Info,
  Debug,
  Trace,
}

/** Room for a log line's target. */
const TARGET = memory.data(64);

/** One line to the node's log, if it listens at that level. The target has at most 21 characters. */
export function log(level: Level, target: string, message: usize, len: u32): void {
  // The host answers 0 for none, 1 for errors only, and so on.
  if (u32(level) >= ext_logging_max_level_version_1()) return;
  const characters = min<i32>(target.length, 21);
  const bytes = u32(String.UTF8.encodeUnsafe(changetype<usize>(target), characters, TARGET));
  ext_logging_log_version_1(level, span(TARGET, bytes), span(message, len));
}
