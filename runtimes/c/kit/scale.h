// SCALE, Substrate's encoding: little-endian numbers, compact numbers, sequences with a compact length in front.
//
// A reader remembers its first failure: decode a whole structure, then ask `failed` once. After a failure every function returns
// zero or nothing, so no intermediate result can be out of bounds. What a reader returns borrows from its input.
//
//     hb_reader in = hb_reader_of(input);
//     uint64_t nonce = hb_read_compact(&in);
//     hb_bytes remark = hb_read_bytes(&in);
//     if (in.failed || hb_reader_left(&in) != 0) return REFUSED;
#pragma once

#include "bytes.h"

typedef unsigned __int128 hb_u128;

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
} hb_reader;

hb_reader hb_reader_of(hb_bytes input);
// Bytes not read yet.
size_t hb_reader_left(const hb_reader *in);

uint8_t hb_read_u8(hb_reader *in);
uint16_t hb_read_u16(hb_reader *in);
uint32_t hb_read_u32(hb_reader *in);
uint64_t hb_read_u64(hb_reader *in);
hb_u128 hb_read_u128(hb_reader *in);
// A byte that must be 0 or 1: also the tag of an `Option`.
bool hb_read_bool(hb_reader *in);
// Compact numbers up to the type's largest value, in their shortest form: others are failures.
uint32_t hb_read_compact_u32(hb_reader *in);
uint64_t hb_read_compact(hb_reader *in);
hb_u128 hb_read_compact_u128(hb_reader *in);
// `len` bytes where they are; null after a failure.
const uint8_t *hb_read_array(hb_reader *in, size_t len);
// A `Vec<u8>`.
hb_bytes hb_read_bytes(hb_reader *in);

void hb_write_u8(hb_buffer *out, uint8_t value);
void hb_write_u16(hb_buffer *out, uint16_t value);
void hb_write_u32(hb_buffer *out, uint32_t value);
void hb_write_u64(hb_buffer *out, uint64_t value);
void hb_write_u128(hb_buffer *out, hb_u128 value);
void hb_write_bool(hb_buffer *out, bool value);
void hb_write_compact(hb_buffer *out, uint64_t value);
void hb_write_compact_u128(hb_buffer *out, hb_u128 value);
void hb_write_bytes(hb_buffer *out, hb_bytes value);
