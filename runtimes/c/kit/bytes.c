#include "bytes.h"

#include "memory.h"
#include "panic.h"

// The first growth; most keys and values fit.
enum { FIRST = 64 };

hb_bytes hb_text(const char *text) {
    size_t len = 0;
    while (text[len]) len++;
    return (hb_bytes){(const uint8_t *)text, len};
}

bool hb_bytes_equal(hb_bytes a, hb_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

void hb_buffer_reserve(hb_buffer *buffer, size_t more) {
    if (more <= buffer->capacity - buffer->len) return;
    size_t needed;
    if (__builtin_add_overflow(buffer->len, more, &needed)) hb_panic("a buffer larger than the address space");
    size_t doubled = buffer->capacity > SIZE_MAX / 2 ? SIZE_MAX : buffer->capacity * 2;
    size_t capacity = needed > doubled ? needed : doubled;
    if (capacity < FIRST) capacity = FIRST;
    buffer->data = hb_realloc(buffer->data, capacity);
    buffer->capacity = capacity;
}

void hb_buffer_push(hb_buffer *buffer, const void *data, size_t len) {
    if (len == 0) return;
    hb_buffer_reserve(buffer, len);
    memcpy(buffer->data + buffer->len, data, len);
    buffer->len += len;
}

void hb_buffer_push_byte(hb_buffer *buffer, uint8_t byte) {
    hb_buffer_reserve(buffer, 1);
    buffer->data[buffer->len++] = byte;
}

void hb_buffer_text(hb_buffer *buffer, const char *text) {
    hb_bytes bytes = hb_text(text);
    hb_buffer_push(buffer, bytes.data, bytes.len);
}

void hb_buffer_number(hb_buffer *buffer, uint64_t number) {
    uint8_t digits[20];
    uint8_t *end = digits + sizeof digits, *at = end;
    do *--at = (uint8_t)('0' + number % 10);
    while (number /= 10);
    hb_buffer_push(buffer, at, (size_t)(end - at));
}

hb_bytes hb_buffer_bytes(const hb_buffer *buffer) { return (hb_bytes){buffer->data, buffer->len}; }

void hb_buffer_free(hb_buffer *buffer) {
    free(buffer->data);
    *buffer = (hb_buffer){0};
}
