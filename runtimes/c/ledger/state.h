// The state: keys, values of fixed length, accounts, events.
#pragma once

#include "../kit/host.h"
#include "types.h"

// The keys of the state, all but those of accounts.
typedef enum {
    NUMBER,
    PARENT_HASH,
    DIGEST,
    GENESIS_HASH,
    EXTRINSICS_ROOT,
    EVENTS,
    NOW,
    TOTAL_ISSUANCE,
    // Present while a block is being made.
    EXTRINSIC_DATA,
    DID_UPDATE,
    EXTRINSIC_INDEX,
} state_key;

hb_bytes key_of(state_key key);

// Reads a value of `len` bytes; false, and `out` untouched, where there is none. Another length ends the call.
bool state_read(state_key key, void *out, size_t len);
uint32_t state_read_u32(state_key key);
uint64_t state_read_u64(state_key key);
void state_write(state_key key, const void *value, size_t len);
bool state_exists(state_key key);

enum { ACCOUNT_KEY = 80, ACCOUNT_INFO = 80 };

typedef struct {
    uint8_t key[ACCOUNT_KEY];
    // As stored, or as a new account is stored.
    uint8_t info[ACCOUNT_INFO];
    bool exists;
} account;

// The account as it is in the state.
account account_load(const uint8_t id[static ID]);
void account_store(const account *account);
uint32_t account_nonce(const account *account);
hb_u128 account_free(const account *account);
void account_set_nonce(account *account, uint32_t nonce);
void account_set_free(account *account, hb_u128 free);

// Events of the extrinsic with this index.
void event_success(uint32_t index, bool is_mandatory);
void event_new_account(uint32_t index, const uint8_t id[static ID]);
void event_endowed(uint32_t index, const uint8_t id[static ID], hb_u128 free);
void event_transfer(uint32_t index, const uint8_t from[static ID], const uint8_t to[static ID], hb_u128 value);
