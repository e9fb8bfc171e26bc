// The life of a block: initialised, filled, finalised.
#pragma once

#include "check.h"

void initialize_block(const header *header);
// Applies an extrinsic. Where it is refused, nothing was written.
refusal apply_extrinsic(const extrinsic *extrinsic);

// A header whose parts lie in the structure itself; freed with `made_header_free`.
typedef struct {
    header header;
    uint8_t parent_hash[HASH];
    uint8_t state_root[HASH];
    uint8_t extrinsics_root[HASH];
    hb_value digest;
} made_header;

// Points the header's parts at `made` itself: it must not be moved afterwards.
void finalize_block(made_header *made);
void made_header_free(made_header *made);

// Executes a block that somebody made; ends the call where anything about it is wrong.
void execute_block(const block *block);
