#include "state.h"

#include "../kit/memory.h"
#include "../kit/panic.h"

// clang-format off
#define SYSTEM 0x26, 0xaa, 0x39, 0x4e, 0xea, 0x56, 0x30, 0xe0, 0x7c, 0x48, 0xae, 0x0c, 0x95, 0x58, 0xce, 0xf7
#define TIMESTAMP 0xf0, 0xc3, 0x65, 0xc3, 0xcf, 0x59, 0xd6, 0x71, 0xeb, 0x72, 0xda, 0x0e, 0x7a, 0x41, 0x13, 0xc4
#define BALANCES 0xc2, 0x26, 0x12, 0x76, 0xcc, 0x9d, 0x1f, 0x85, 0x98, 0xea, 0x4b, 0x6a, 0x74, 0xb1, 0x5c, 0x2f

static const uint8_t ACCOUNT_PREFIX[32] = {SYSTEM, 0xb9, 0x9d, 0x88, 0x0e, 0xc6, 0x81, 0x79, 0x9c, 0x0c, 0xf3, 0x0e, 0x88, 0x86, 0x37, 0x1d, 0xa9};

#define KEY(...) HB_BYTES(((const uint8_t[]){__VA_ARGS__}))
static const hb_bytes KEYS[] = {
    [NUMBER] = KEY(SYSTEM, 0x02, 0xa5, 0xc1, 0xb1, 0x9a, 0xb7, 0xa0, 0x4f, 0x53, 0x6c, 0x51, 0x9a, 0xca, 0x49, 0x83, 0xac),
    [PARENT_HASH] = KEY(SYSTEM, 0x8a, 0x42, 0xf3, 0x33, 0x23, 0xcb, 0x5c, 0xed, 0x3b, 0x44, 0xdd, 0x82, 0x5f, 0xda, 0x9f, 0xcc),
    [DIGEST] = KEY(SYSTEM, 0x99, 0xe7, 0xf9, 0x3f, 0xc6, 0xa9, 0x8f, 0x08, 0x74, 0xfd, 0x05, 0x7f, 0x11, 0x1c, 0x4d, 0x2d),
    [GENESIS_HASH] = KEY(SYSTEM, 0xa4, 0x47, 0x04, 0xb5, 0x68, 0xd2, 0x16, 0x67, 0x35, 0x6a, 0x5a, 0x05, 0x0c, 0x11, 0x87, 0x46,
                         0xb4, 0xde, 0xf2, 0x5c, 0xfd, 0xa6, 0xef, 0x3a, 0, 0, 0, 0),
    [EXTRINSICS_ROOT] = KEY(SYSTEM, 0xb0, 0x6c, 0x33, 0x20, 0xc6, 0xac, 0x19, 0x6d, 0x81, 0x34, 0x42, 0xe2, 0x70, 0x86, 0x8d, 0x63),
    [EVENTS] = KEY(SYSTEM, 0x80, 0xd4, 0x1e, 0x5e, 0x16, 0x05, 0x67, 0x65, 0xbc, 0x84, 0x61, 0x85, 0x10, 0x72, 0xc9, 0xd7),
    [NOW] = KEY(TIMESTAMP, 0x9f, 0x1f, 0x05, 0x15, 0xf4, 0x62, 0xcd, 0xcf, 0x84, 0xe0, 0xf1, 0xd6, 0x04, 0x5d, 0xfc, 0xbb),
    [TOTAL_ISSUANCE] = KEY(BALANCES, 0x57, 0xc8, 0x75, 0xe4, 0xcf, 0xf7, 0x41, 0x48, 0xe4, 0x62, 0x8f, 0x26, 0x4b, 0x97, 0x4c, 0x80),
    [EXTRINSIC_DATA] = KEY(SYSTEM, 0xdf, 0x1d, 0xae, 0xb8, 0x98, 0x68, 0x37, 0xf2, 0x1c, 0xc5, 0xd1, 0x75, 0x96, 0xbb, 0x78, 0xd1),
    [DID_UPDATE] = KEY(TIMESTAMP, 0xbb, 0xd1, 0x08, 0xc4, 0x89, 0x99, 0x64, 0xf7, 0x07, 0xfd, 0xaf, 0xfb, 0x82, 0x63, 0x60, 0x65),
    [EXTRINSIC_INDEX] = HB_TEXT(":extrinsic_index"),
};
// clang-format on

hb_bytes key_of(state_key key) { return KEYS[key]; }

static bool read(hb_bytes key, void *out, size_t len) {
    hb_value value;
    if (!hb_storage_get(key, &value)) return false;
    if (value.bytes.len != len) hb_abort(HB_TEXT("state: a value has the wrong length"));
    memcpy(out, value.bytes.data, len);
    hb_value_free(&value);
    return true;
}

bool state_read(state_key key, void *out, size_t len) { return read(KEYS[key], out, len); }

uint32_t state_read_u32(state_key key) {
    uint32_t value = 0;
    state_read(key, &value, sizeof value);
    return value;
}

uint64_t state_read_u64(state_key key) {
    uint64_t value = 0;
    state_read(key, &value, sizeof value);
    return value;
}

void state_write(state_key key, const void *value, size_t len) {
    hb_storage_set(KEYS[key], (hb_bytes){value, len});
}

bool state_exists(state_key key) {
    hb_value value;
    bool found = hb_storage_get(KEYS[key], &value);
    if (found) hb_value_free(&value);
    return found;
}

// Where the parts of AccountInfo lie.
enum { AT_NONCE = 0, AT_PROVIDERS = 8, AT_FREE = 16, AT_FLAGS_END = 79 };

account account_load(const uint8_t id[static ID]) {
    account account;
    memcpy(account.key, ACCOUNT_PREFIX, sizeof ACCOUNT_PREFIX);
    hb_blake2_128((hb_bytes){id, ID}, account.key + 32);
    memcpy(account.key + 48, id, ID);
    account.exists = read(HB_BYTES(account.key), account.info, ACCOUNT_INFO);
    if (!account.exists) {
        memset(account.info, 0, ACCOUNT_INFO);
        account.info[AT_PROVIDERS] = 1;
        account.info[AT_FLAGS_END] = 0x80;
    }
    return account;
}

void account_store(const account *account) { hb_storage_set(HB_BYTES(account->key), HB_BYTES(account->info)); }

uint32_t account_nonce(const account *account) {
    uint32_t nonce;
    memcpy(&nonce, account->info + AT_NONCE, sizeof nonce);
    return nonce;
}

hb_u128 account_free(const account *account) {
    hb_u128 free;
    memcpy(&free, account->info + AT_FREE, sizeof free);
    return free;
}

void account_set_nonce(account *account, uint32_t nonce) { memcpy(account->info + AT_NONCE, &nonce, sizeof nonce); }

void account_set_free(account *account, hb_u128 free) { memcpy(account->info + AT_FREE, &free, sizeof free); }

// The beginning of an EventRecord.
static hb_buffer event(uint32_t index, uint8_t pallet, uint8_t variant) {
    hb_buffer out = {0};
    hb_write_u8(&out, 0); // while an extrinsic is applied
    hb_write_u32(&out, index);
    hb_write_u8(&out, pallet);
    hb_write_u8(&out, variant);
    return out;
}

static void deposit(hb_buffer *event) {
    hb_write_u8(event, 0); // no topics
    hb_storage_append(KEYS[EVENTS], hb_buffer_bytes(event));
    hb_buffer_free(event);
}

void event_success(uint32_t index, bool is_mandatory) {
    hb_buffer out = event(index, 0, 0);
    hb_write_u16(&out, 0); // weight
    hb_write_u8(&out, is_mandatory ? 2 : 0);
    hb_write_u8(&out, 1); // pays no fee
    deposit(&out);
}

void event_new_account(uint32_t index, const uint8_t id[static ID]) {
    hb_buffer out = event(index, 0, 3);
    hb_buffer_push(&out, id, ID);
    deposit(&out);
}

void event_endowed(uint32_t index, const uint8_t id[static ID], hb_u128 free) {
    hb_buffer out = event(index, 2, 0);
    hb_buffer_push(&out, id, ID);
    hb_write_u128(&out, free);
    deposit(&out);
}

void event_transfer(uint32_t index, const uint8_t from[static ID], const uint8_t to[static ID], hb_u128 value) {
    hb_buffer out = event(index, 2, 2);
    hb_buffer_push(&out, from, ID);
    hb_buffer_push(&out, to, ID);
    hb_write_u128(&out, value);
    deposit(&out);
}
