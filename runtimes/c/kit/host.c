#include "host.h"

#include "memory.h"
#include "panic.h"
#include "scale.h"

#ifndef HB_V1
void HB_HOST(ext_allocator_free_version_1)(void *buffer);
#endif

void hb_host_free(void *buffer) {
#ifdef HB_V1
    free(buffer);
#else
    if (buffer) ext_allocator_free_version_1(buffer);
#endif
}

hb_span hb_span_of(hb_bytes bytes) {
    // A host may look at the address even where the length is 0.
    uintptr_t address = bytes.data ? (uintptr_t)bytes.data : 8;
    return (uint64_t)bytes.len << 32 | (uint32_t)address;
}

static hb_value value_of(hb_span span) {
    uint8_t *data = (uint8_t *)(uintptr_t)(uint32_t)span;
    return (hb_value){data, {data, (size_t)(span >> 32)}};
}

void hb_value_free(hb_value *value) {
    hb_host_free(value->buffer);
    *value = (hb_value){0};
}

bool hb_storage_get(hb_bytes key, hb_value *value) {
    *value = value_of(ext_storage_get_version_1(hb_span_of(key)));
    hb_reader in = hb_reader_of(value->bytes);
    bool found = hb_read_bool(&in);
    if (found) value->bytes = hb_read_bytes(&in);
    hb_require(!in.failed, "the host's answer is no encoded Option<Vec<u8>>");
    if (!found) hb_value_free(value);
    return found;
}

void hb_storage_set(hb_bytes key, hb_bytes value) { ext_storage_set_version_1(hb_span_of(key), hb_span_of(value)); }

void hb_storage_clear(hb_bytes key) { ext_storage_clear_version_1(hb_span_of(key)); }

void hb_storage_clear_prefix(hb_bytes prefix) {
    static const uint8_t no_limit[1] = {0};
    hb_value result = value_of(ext_storage_clear_prefix_version_2(hb_span_of(prefix), hb_span_of(HB_BYTES(no_limit))));
    hb_value_free(&result);
}

void hb_storage_append(hb_bytes key, hb_bytes item) { ext_storage_append_version_1(hb_span_of(key), hb_span_of(item)); }

void hb_storage_root(uint32_t state_version, uint8_t root[static 32]) {
    hb_value value = value_of(ext_storage_root_version_2(state_version));
    hb_require(value.bytes.len == 32, "the host's state root is not 32 bytes long");
    memcpy(root, value.bytes.data, 32);
    hb_value_free(&value);
}

// Copies a hash that the host returned and frees the host's.
static void take(uint8_t *from, uint8_t *to, size_t len) {
    memcpy(to, from, len);
    hb_host_free(from);
}

void hb_ordered_root(hb_bytes values, uint32_t state_version, uint8_t root[static 32]) {
    take(ext_trie_blake2_256_ordered_root_version_2(hb_span_of(values), state_version), root, 32);
}

void hb_blake2_128(hb_bytes data, uint8_t hash[static 16]) {
    take(ext_hashing_blake2_128_version_1(hb_span_of(data)), hash, 16);
}

void hb_blake2_256(hb_bytes data, uint8_t hash[static 32]) {
    take(ext_hashing_blake2_256_version_1(hb_span_of(data)), hash, 32);
}

void hb_twox_128(hb_bytes data, uint8_t hash[static 16]) {
    take(ext_hashing_twox_128_version_1(hb_span_of(data)), hash, 16);
}

bool hb_ed25519_verify(const uint8_t signature[static 64], hb_bytes message, const uint8_t public[static 32]) {
    return ext_crypto_ed25519_verify_version_1(signature, hb_span_of(message), public) != 0;
}

bool hb_sr25519_verify(const uint8_t signature[static 64], hb_bytes message, const uint8_t public[static 32]) {
    return ext_crypto_sr25519_verify_version_2(signature, hb_span_of(message), public) != 0;
}

void hb_log(uint32_t level, const char *target, hb_bytes message) {
    // The host answers 0 for none, 1 for errors only, and so on.
    if (level >= ext_logging_max_level_version_1()) return;
    ext_logging_log_version_1(level, hb_span_of(hb_text(target)), hb_span_of(message));
}
