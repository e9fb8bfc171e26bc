#include "check.h"

#include "../kit/memory.h"

enum { EXISTENTIAL_DEPOSIT = 1000 };

#define REFUSE(reason, first, second) return (refusal){reason, {first, second}}

refusal check_bare(const extrinsic *extrinsic, uint32_t index) {
    if (extrinsic->call.is_transfer) REFUSE("a transfer must be signed", 1, 1);
    if (state_exists(DID_UPDATE)) REFUSE("the timestamp is set twice", 0, 8);
    if (index != 0) REFUSE("the timestamp is not the first extrinsic", 0, 8);
    if (extrinsic->call.now <= state_read_u64(NOW)) REFUSE("the timestamp is not later than the last", 0, 8);
    return (refusal){0};
}

// In the pool of a chain without blocks the genesis is the block asked about.
static void read_genesis_hash(const uint8_t *pool_block, uint8_t hash[static HASH]) {
    if (pool_block && state_read_u32(NUMBER) == 0) {
        memcpy(hash, pool_block, HASH);
    } else {
        memset(hash, 0, HASH);
        state_read(GENESIS_HASH, hash, HASH);
    }
}

static bool is_signature_right(const extrinsic *extrinsic, const uint8_t *pool_block) {
    uint8_t genesis_hash[HASH];
    read_genesis_hash(pool_block, genesis_hash);
    hb_buffer payload = {0};
    write_signed_payload(&payload, extrinsic, genesis_hash);
    hb_bytes message = hb_buffer_bytes(&payload);
    bool right = extrinsic->is_sr25519 ? hb_sr25519_verify(extrinsic->signature, message, extrinsic->from)
                                       : hb_ed25519_verify(extrinsic->signature, message, extrinsic->from);
    hb_buffer_free(&payload);
    return right;
}

refusal check_signed(const extrinsic *extrinsic, const uint8_t *pool_block, parties *parties) {
    const call *call = &extrinsic->call;
    if (!call->is_transfer) REFUSE("the timestamp must not be signed", 0, 0);
    if (extrinsic->is_mortal) REFUSE("the era is mortal", 0, 5);
    if (extrinsic->tip != 0) REFUSE("the tip is not zero", 0, 1);
    if (!is_signature_right(extrinsic, pool_block)) REFUSE("the signature is wrong", 0, 4);

    parties->from = account_load(extrinsic->from);
    uint32_t nonce = account_nonce(&parties->from);
    if (extrinsic->nonce < nonce || extrinsic->nonce == UINT32_MAX) REFUSE("the nonce is used", 0, 3);
    if (!pool_block && extrinsic->nonce != nonce) REFUSE("the nonce is too high", 0, 2);

    hb_u128 free = account_free(&parties->from);
    if (call->value > free) REFUSE("the balance is too low", 0, 1);
    parties->is_to_self = memcmp(extrinsic->from, call->to, ID) == 0;
    if (parties->is_to_self) return (refusal){0};
    if (free - call->value < EXISTENTIAL_DEPOSIT) REFUSE("the sender would fall below the existential deposit", 0, 1);

    parties->to = account_load(call->to);
    hb_u128 after;
    if (__builtin_add_overflow(account_free(&parties->to), call->value, &after)) {
        REFUSE("the recipient's balance would overflow", 0, 1);
    }
    if (after < EXISTENTIAL_DEPOSIT) REFUSE("the recipient would stay below the existential deposit", 0, 1);
    return (refusal){0};
}
