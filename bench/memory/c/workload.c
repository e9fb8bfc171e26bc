#include "workload.h"

#ifdef __wasm__
#include "../../../runtimes/c/kit/memory.h"
#else
#include <stdlib.h>
#include <string.h>
#endif

enum { OVERLAY = 512, ACCOUNT = 80 };

typedef struct {
    uint8_t *data;
    size_t len;
} extrinsic;

static uint32_t state, sum;
static uint8_t *overlay[OVERLAY];

static uint32_t next(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static uint8_t *filled(size_t len) {
    uint8_t *block = malloc(len);
    memset(block, (int)(next() & 0xff), len);
    return block;
}

static void look(const uint8_t *block, size_t len) {
    sum = sum * 31 + block[0];
    sum = sum * 31 + block[len / 2];
    sum = sum * 31 + block[len - 1];
}

// What a host function returned, copied to where it is worked on.
static uint8_t *load(void) {
    uint8_t *value = filled(ACCOUNT + 3);
    uint8_t *info = malloc(2 * ACCOUNT);
    memcpy(info, value + 3, ACCOUNT);
    memset(info + ACCOUNT, 0, ACCOUNT);
    free(value);
    return info;
}

static void event(void) {
    uint8_t *block = filled(64);
    block = realloc(block, 128);
    memset(block + 64, (int)(next() & 0xff), 64);
    look(block, 128);
    free(block);
}

static void store(const uint8_t *info) {
    uint32_t slot = next() % OVERLAY;
    uint8_t *value = malloc(ACCOUNT);
    memcpy(value, info, ACCOUNT);
    free(overlay[slot]);
    overlay[slot] = value;
}

static void transfer(extrinsic *out) {
    out->len = 100 + next() % 96;
    out->data = filled(out->len);
    uint8_t *key_a = filled(ACCOUNT), *key_b = filled(ACCOUNT);
    uint8_t *info_a = load(), *info_b = load();
    uint8_t *payload = filled(256);
    look(payload, 140);
    free(payload);
    look(info_a, ACCOUNT);
    look(info_b, ACCOUNT);
    for (int i = 0; i < 3; i++) event();
    store(info_a);
    store(info_b);
    free(key_a);
    free(key_b);
    free(info_a);
    free(info_b);
}

static void block(uint32_t transfers) {
    extrinsic *list = NULL;
    uint32_t capacity = 0;
    for (uint32_t i = 0; i < transfers; i++) {
        if (i == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            list = realloc(list, capacity * sizeof *list);
        }
        transfer(&list[i]);
    }
    for (uint32_t i = 0; i < transfers; i++) {
        look(list[i].data, list[i].len);
        free(list[i].data);
    }
    free(list);
    for (uint32_t i = 0; i < OVERLAY; i++) {
        if (overlay[i]) look(overlay[i], ACCOUNT);
        free(overlay[i]);
        overlay[i] = NULL;
    }
}

uint32_t workload(uint32_t transfers, uint32_t blocks) {
    state = 2463534242u;
    sum = 0;
    while (blocks--) block(transfers);
    return sum;
}
