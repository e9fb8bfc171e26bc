// What the host gives: its functions as they are declared, and the kit's forms of them that say who owns what.
#pragma once

#include "bytes.h"

// Address in the lower half, length in the upper.
typedef uint64_t hb_span;

hb_span hb_span_of(hb_bytes bytes);

#define HB_HOST(name) __attribute__((import_module("env"), import_name(#name))) name

hb_span HB_HOST(ext_storage_get_version_1)(hb_span key);
void HB_HOST(ext_storage_set_version_1)(hb_span key, hb_span value);
void HB_HOST(ext_storage_clear_version_1)(hb_span key);
uint32_t HB_HOST(ext_storage_exists_version_1)(hb_span key);
hb_span HB_HOST(ext_storage_clear_prefix_version_2)(hb_span prefix, hb_span limit);
hb_span HB_HOST(ext_storage_next_key_version_1)(hb_span key);
void HB_HOST(ext_storage_append_version_1)(hb_span key, hb_span value);
hb_span HB_HOST(ext_storage_root_version_2)(uint32_t state_version);
void HB_HOST(ext_storage_start_transaction_version_1)(void);
void HB_HOST(ext_storage_rollback_transaction_version_1)(void);
void HB_HOST(ext_storage_commit_transaction_version_1)(void);
uint8_t *HB_HOST(ext_trie_blake2_256_ordered_root_version_2)(hb_span input, uint32_t state_version);
uint8_t *HB_HOST(ext_hashing_blake2_128_version_1)(hb_span data);
uint8_t *HB_HOST(ext_hashing_blake2_256_version_1)(hb_span data);
uint8_t *HB_HOST(ext_hashing_twox_64_version_1)(hb_span data);
uint8_t *HB_HOST(ext_hashing_twox_128_version_1)(hb_span data);
uint32_t HB_HOST(ext_crypto_ed25519_verify_version_1)(const uint8_t *signature, hb_span message, const uint8_t *public);
uint32_t HB_HOST(ext_crypto_sr25519_verify_version_2)(const uint8_t *signature, hb_span message, const uint8_t *public);
void HB_HOST(ext_logging_log_version_1)(uint32_t level, hb_span target, hb_span message);
uint32_t HB_HOST(ext_logging_max_level_version_1)(void);
void HB_HOST(ext_panic_handler_abort_on_panic_version_1)(hb_span message);

// Frees what a host function returned. Such a buffer lies in the host's heap under `legacy` and `local`, in the runtime's own
// under `v1`. Null is a no-op.
void hb_host_free(void *buffer);

// A buffer that a host function returned, and the part of it that is the value. Freed with `hb_value_free`.
typedef struct {
    void *buffer;
    hb_bytes bytes;
} hb_value;

void hb_value_free(hb_value *value);

// The value under a key. False where there is none; then nothing is to be freed.
bool hb_storage_get(hb_bytes key, hb_value *value);
void hb_storage_set(hb_bytes key, hb_bytes value);
void hb_storage_clear(hb_bytes key);
// Removes all keys that begin with `prefix`.
void hb_storage_clear_prefix(hb_bytes prefix);
// Adds one encoded item to the encoded sequence under a key.
void hb_storage_append(hb_bytes key, hb_bytes item);
// The root of the state as it is now.
void hb_storage_root(uint32_t state_version, uint8_t root[static 32]);

// The root of a trie of values under compact indices; `values` is an encoded `Vec<Vec<u8>>`.
void hb_ordered_root(hb_bytes values, uint32_t state_version, uint8_t root[static 32]);

void hb_blake2_128(hb_bytes data, uint8_t hash[static 16]);
void hb_blake2_256(hb_bytes data, uint8_t hash[static 32]);
void hb_twox_128(hb_bytes data, uint8_t hash[static 16]);

bool hb_ed25519_verify(const uint8_t signature[static 64], hb_bytes message, const uint8_t public[static 32]);
bool hb_sr25519_verify(const uint8_t signature[static 64], hb_bytes message, const uint8_t public[static 32]);

// Levels as the host numbers them.
enum { HB_ERROR = 0, HB_WARN = 1, HB_INFO = 2, HB_DEBUG = 3, HB_TRACE = 4 };

// One line to the node's log, if it listens at that level.
void hb_log(uint32_t level, const char *target, hb_bytes message);
