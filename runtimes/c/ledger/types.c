#include "types.h"

#include "../kit/memory.h"
#include "version.h"

// The rest of what `in` reads from `start` on is a mistake.
static void fail(hb_reader *in) {
    in->failed = true;
    in->at = in->end;
}

static void expect(hb_reader *in, uint8_t byte) {
    if (hb_read_u8(in) != byte) fail(in);
}

static hb_bytes since(const uint8_t *start, const hb_reader *in) {
    return (hb_bytes){start, in->failed ? 0 : (size_t)(in->at - start)};
}

static call read_call(hb_reader *in) {
    call call = {0};
    const uint8_t *start = in->at;
    uint8_t pallet = hb_read_u8(in);
    uint8_t index = hb_read_u8(in);
    if (pallet == 1 && index == 0) {
        call.now = hb_read_compact(in);
    } else if (pallet == 2 && index == 3) {
        call.is_transfer = true;
        expect(in, 0);
        call.to = hb_read_array(in, ID);
        call.value = hb_read_compact_u128(in);
    } else {
        fail(in);
    }
    call.bytes = since(start, in);
    return call;
}

extrinsic read_extrinsic(hb_reader *in) {
    extrinsic extrinsic = {0};
    const uint8_t *start = in->at;
    hb_reader inner = hb_reader_of(hb_read_bytes(in));
    uint8_t version = hb_read_u8(&inner);
    if (version == 0x84) {
        extrinsic.is_signed = true;
        expect(&inner, 0);
        extrinsic.from = hb_read_array(&inner, ID);
        extrinsic.is_sr25519 = hb_read_bool(&inner);
        extrinsic.signature = hb_read_array(&inner, SIGNATURE);
        extrinsic.is_mortal = hb_read_u8(&inner) != 0;
        if (extrinsic.is_mortal) hb_read_u8(&inner);
        extrinsic.nonce = hb_read_compact_u32(&inner);
        extrinsic.tip = hb_read_compact_u128(&inner);
    } else if (version != 0x04) {
        fail(&inner);
    }
    extrinsic.call = read_call(&inner);
    if (inner.failed || hb_reader_left(&inner) != 0) fail(in);
    extrinsic.bytes = since(start, in);
    return extrinsic;
}

static void skip_digest_item(hb_reader *in) {
    switch (hb_read_u8(in)) {
    case 0:
        hb_read_bytes(in);
        break;
    case 4:
    case 5:
    case 6:
        hb_read_array(in, 4);
        hb_read_bytes(in);
        break;
    case 8:
        break;
    default:
        fail(in);
    }
}

header read_header(hb_reader *in) {
    header header;
    header.parent_hash = hb_read_array(in, HASH);
    header.number = hb_read_compact_u32(in);
    header.state_root = hb_read_array(in, HASH);
    header.extrinsics_root = hb_read_array(in, HASH);
    const uint8_t *start = in->at;
    uint32_t items = hb_read_compact_u32(in);
    while (items-- != 0 && !in->failed) skip_digest_item(in);
    header.digest = since(start, in);
    return header;
}

block read_block(hb_reader *in) {
    block block = {.header = read_header(in)};
    uint32_t count = hb_read_compact_u32(in);
    uint32_t capacity = 0;
    // The count is somebody's word: room is made as extrinsics arrive.
    while (block.count < count && !in->failed) {
        if (block.count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            block.extrinsics = hb_realloc(block.extrinsics, capacity * sizeof(extrinsic));
        }
        block.extrinsics[block.count++] = read_extrinsic(in);
    }
    return block;
}

void block_free(block *block) {
    free(block->extrinsics);
    block->extrinsics = NULL;
    block->count = 0;
}

void write_header(hb_buffer *out, const header *header) {
    hb_buffer_push(out, header->parent_hash, HASH);
    hb_write_compact(out, header->number);
    hb_buffer_push(out, header->state_root, HASH);
    hb_buffer_push(out, header->extrinsics_root, HASH);
    hb_buffer_push(out, header->digest.data, header->digest.len);
}

void write_signed_payload(hb_buffer *out, const extrinsic *extrinsic, const uint8_t genesis_hash[static HASH]) {
    hb_buffer_push(out, extrinsic->call.bytes.data, extrinsic->call.bytes.len);
    hb_write_u8(out, 0); // immortal
    hb_write_compact(out, extrinsic->nonce);
    hb_write_compact_u128(out, extrinsic->tip);
    hb_write_u32(out, SPEC_VERSION);
    hb_write_u32(out, TRANSACTION_VERSION);
    hb_buffer_push(out, genesis_hash, HASH);
    hb_buffer_push(out, genesis_hash, HASH);
}
