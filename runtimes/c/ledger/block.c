#include "block.h"

#include "../kit/memory.h"
#include "../kit/panic.h"
#include "version.h"

// The root of a trie without entries.
static const uint8_t EMPTY_ROOT[HASH] = {0x03, 0x17, 0x0a, 0x2e, 0x75, 0x97, 0xb7, 0xb7, 0xe3, 0xd8, 0x4c,
                                         0x05, 0x39, 0x1d, 0x13, 0x9a, 0x62, 0xb1, 0x57, 0xe7, 0x87, 0x86,
                                         0xd8, 0xc0, 0x82, 0xf2, 0x9d, 0xcf, 0x4c, 0x11, 0x13, 0x14};
// An encoded sequence without elements.
static const uint8_t NOTHING[1] = {0};

// The header of the block that the state is in, but for its number and its state root.
static void read_header_of_state(made_header *made) {
    memset(made->parent_hash, 0, HASH);
    state_read(PARENT_HASH, made->parent_hash, HASH);
    memcpy(made->extrinsics_root, EMPTY_ROOT, HASH);
    state_read(EXTRINSICS_ROOT, made->extrinsics_root, HASH);
    if (!hb_storage_get(key_of(DIGEST), &made->digest)) {
        made->digest = (hb_value){NULL, HB_BYTES(NOTHING)};
    }
    made->header.parent_hash = made->parent_hash;
    made->header.state_root = made->state_root;
    made->header.extrinsics_root = made->extrinsics_root;
    made->header.digest = made->digest.bytes;
}

void made_header_free(made_header *made) { hb_value_free(&made->digest); }

void initialize_block(const header *header) {
    made_header parent;
    parent.header.number = state_read_u32(NUMBER);
    if (header->number == 0 || header->number - 1 != parent.header.number) {
        hb_abort(HB_TEXT("block: the number does not follow the parent's"));
    }
    read_header_of_state(&parent);
    hb_storage_root(STATE_VERSION, parent.state_root);
    hb_buffer encoded = {0};
    write_header(&encoded, &parent.header);
    uint8_t hash[HASH];
    hb_blake2_256(hb_buffer_bytes(&encoded), hash);
    hb_buffer_free(&encoded);
    made_header_free(&parent);
    if (memcmp(hash, header->parent_hash, HASH) != 0) hb_abort(HB_TEXT("block: the parent is another block"));

    state_write(NUMBER, &header->number, sizeof header->number);
    state_write(PARENT_HASH, header->parent_hash, HASH);
    state_write(DIGEST, header->digest.data, header->digest.len);
    if (header->number == 1) state_write(GENESIS_HASH, header->parent_hash, HASH);
    hb_storage_clear(key_of(EVENTS));
}

static void transfer(const extrinsic *extrinsic, uint32_t index, parties *parties) {
    const call *call = &extrinsic->call;
    account_set_nonce(&parties->from, account_nonce(&parties->from) + 1);
    if (!parties->is_to_self) {
        account_set_free(&parties->from, account_free(&parties->from) - call->value);
        account_set_free(&parties->to, account_free(&parties->to) + call->value);
        account_store(&parties->to);
        if (!parties->to.exists) {
            event_new_account(index, call->to);
            event_endowed(index, call->to, call->value);
        }
    }
    account_store(&parties->from);
    event_transfer(index, extrinsic->from, call->to, call->value);
    event_success(index, false);
}

refusal apply_extrinsic(const extrinsic *extrinsic) {
    uint32_t index = state_read_u32(EXTRINSIC_INDEX);
    if (extrinsic->is_signed) {
        parties parties;
        refusal refused = check_signed(extrinsic, NULL, &parties);
        if (refused.reason) return refused;
        transfer(extrinsic, index, &parties);
    } else {
        refusal refused = check_bare(extrinsic, index);
        if (refused.reason) return refused;
        static const uint8_t done[1] = {1};
        state_write(NOW, &extrinsic->call.now, sizeof extrinsic->call.now);
        state_write(DID_UPDATE, done, sizeof done);
        event_success(index, true);
    }
    hb_buffer element = {0};
    hb_write_bytes(&element, extrinsic->bytes);
    hb_storage_append(key_of(EXTRINSIC_DATA), hb_buffer_bytes(&element));
    hb_buffer_free(&element);
    index++;
    state_write(EXTRINSIC_INDEX, &index, sizeof index);
    return (refusal){0};
}

void finalize_block(made_header *made) {
    if (!state_exists(DID_UPDATE)) hb_abort(HB_TEXT("block: the timestamp is missing"));
    hb_value data = {0};
    bool any = hb_storage_get(key_of(EXTRINSIC_DATA), &data);
    uint8_t root[HASH];
    hb_ordered_root(any ? data.bytes : HB_BYTES(NOTHING), EXTRINSICS_ROOT_VERSION, root);
    hb_value_free(&data);
    state_write(EXTRINSICS_ROOT, root, HASH);
    hb_storage_clear(key_of(DID_UPDATE));
    hb_storage_clear(key_of(EXTRINSIC_INDEX));
    hb_storage_clear(key_of(EXTRINSIC_DATA));
    made->header.number = state_read_u32(NUMBER);
    read_header_of_state(made);
    hb_storage_root(STATE_VERSION, made->state_root);
}

// Ends the call with `extrinsic INDEX: REASON`.
static _Noreturn void refuse(uint32_t index, const char *reason) {
    hb_buffer message = {0};
    hb_buffer_text(&message, "extrinsic ");
    hb_buffer_number(&message, index);
    hb_buffer_text(&message, ": ");
    hb_buffer_text(&message, reason);
    hb_abort(hb_buffer_bytes(&message));
}

void execute_block(const block *block) {
    initialize_block(&block->header);
    for (uint32_t index = 0; index < block->count; index++) {
        refusal refused = apply_extrinsic(&block->extrinsics[index]);
        if (refused.reason) refuse(index, refused.reason);
    }
    made_header made;
    finalize_block(&made);
    if (memcmp(made.extrinsics_root, block->header.extrinsics_root, HASH) != 0) {
        hb_abort(HB_TEXT("block: the extrinsics root differs"));
    }
    if (memcmp(made.state_root, block->header.state_root, HASH) != 0) {
        hb_abort(HB_TEXT("block: the state root differs"));
    }
    made_header_free(&made);
}
