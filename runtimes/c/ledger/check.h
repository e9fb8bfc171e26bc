// Whether an extrinsic may be applied.
#pragma once

#include "state.h"

typedef struct {
    // Null where nothing speaks against it.
    const char *reason;
    // The encoded TransactionValidityError.
    uint8_t error[2];
} refusal;

// Checks a bare extrinsic with this index in a block being made.
refusal check_bare(const extrinsic *extrinsic, uint32_t index);

// Who takes part in a transfer, as they are before it. Where both are one, only `from` counts.
typedef struct {
    account from;
    account to;
    bool is_to_self;
} parties;

// Checks a signed extrinsic, whose accounts are in `parties` then. In a block being made `pool_block` is null; in the pool, where the
// nonce may lie ahead, it is the hash of the block that the state is of.
refusal check_signed(const extrinsic *extrinsic, const uint8_t *pool_block, parties *parties);
