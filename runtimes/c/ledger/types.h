// What the ledger reads and writes: extrinsics, headers, blocks. `../LEDGER.md` decides every byte.
#pragma once

#include "../kit/scale.h"

enum { ID = 32, HASH = 32, SIGNATURE = 64 };

typedef struct {
    bool is_transfer;
    // The encoded call, as it is in the extrinsic.
    hb_bytes bytes;
    // Timestamp.set
    uint64_t now;
    // Balances.transfer_keep_alive
    const uint8_t *to;
    hb_u128 value;
} call;

// Borrows from the input that it was decoded from.
typedef struct {
    // As it stands in a block, its length in front.
    hb_bytes bytes;
    bool is_signed;
    // Those of a signed one.
    const uint8_t *from;
    const uint8_t *signature;
    bool is_sr25519;
    bool is_mortal;
    uint32_t nonce;
    hb_u128 tip;
    call call;
} extrinsic;

typedef struct {
    const uint8_t *parent_hash;
    uint32_t number;
    const uint8_t *state_root;
    const uint8_t *extrinsics_root;
    // The encoded `Vec<DigestItem>`.
    hb_bytes digest;
} header;

// Owns the list, whose elements borrow from the input; freed with `block_free`.
typedef struct {
    header header;
    extrinsic *extrinsics;
    uint32_t count;
} block;

extrinsic read_extrinsic(hb_reader *in);
header read_header(hb_reader *in);
block read_block(hb_reader *in);
void block_free(block *block);

void write_header(hb_buffer *out, const header *header);
// What the sender of a signed extrinsic signs.
void write_signed_payload(hb_buffer *out, const extrinsic *extrinsic, const uint8_t genesis_hash[static HASH]);
