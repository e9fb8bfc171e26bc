#include "genesis.h"

#include "../kit/memory.h"
#include "state.h"

enum { EXISTENTIAL_DEPOSIT = 1000, ENTRY = ID + 16 };

// A digit's value, or -1.
static int digit(uint8_t byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

// Decodes `{"scale":"0xHEX"}`; false where the text has another form.
static bool decode_text(hb_bytes text, hb_buffer *scale) {
    const hb_bytes head = HB_TEXT("{\"scale\":\"0x"), tail = HB_TEXT("\"}");
    if (text.len < head.len + tail.len || (text.len - head.len - tail.len) % 2 != 0) return false;
    const uint8_t *end = text.data + text.len - tail.len;
    if (memcmp(text.data, head.data, head.len) != 0 || memcmp(end, tail.data, tail.len) != 0) return false;
    hb_buffer_reserve(scale, (text.len - head.len - tail.len) / 2);
    for (const uint8_t *at = text.data + head.len; at < end; at += 2) {
        int high = digit(at[0]), low = digit(at[1]);
        if (high < 0 || low < 0) return false;
        hb_buffer_push_byte(scale, (uint8_t)(high << 4 | low));
    }
    return true;
}

static const char *write_state(hb_bytes scale) {
    hb_reader in = hb_reader_of(scale);
    uint32_t count = hb_read_compact_u32(&in);
    if (in.failed || hb_reader_left(&in) != (uint64_t)count * ENTRY) return "genesis: the SCALE does not decode";
    const uint8_t *entries = in.at;

    hb_u128 issuance = 0;
    const uint8_t *before = NULL;
    for (uint32_t index = 0; index < count; index++) {
        const uint8_t *id = hb_read_array(&in, ID);
        hb_u128 free = hb_read_u128(&in);
        if (before && memcmp(before, id, ID) >= 0) return "genesis: the accounts are not in ascending order";
        if (free < EXISTENTIAL_DEPOSIT) return "genesis: a balance is below the existential deposit";
        if (__builtin_add_overflow(issuance, free, &issuance)) return "genesis: the balances overflow";
        before = id;
    }

    in = hb_reader_of((hb_bytes){entries, (size_t)count * ENTRY});
    for (uint32_t index = 0; index < count; index++) {
        account account = account_load(hb_read_array(&in, ID));
        account_set_free(&account, hb_read_u128(&in));
        account_store(&account);
    }
    state_write(TOTAL_ISSUANCE, &issuance, sizeof issuance);
    return NULL;
}

const char *build_state(hb_bytes configuration) {
    hb_buffer scale = {0};
    const char *reason =
        decode_text(configuration, &scale) ? write_state(hb_buffer_bytes(&scale)) : "genesis: not {\"scale\":\"0x...\"}";
    hb_buffer_free(&scale);
    return reason;
}
