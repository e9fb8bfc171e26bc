// Bytes that somebody else owns, and a buffer that grows.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Borrowed: `len` bytes from `data` on. `data` may be null when `len` is 0.
typedef struct {
    const uint8_t *data;
    size_t len;
} hb_bytes;

// The bytes of an array, and those of a string literal without its zero.
#define HB_BYTES(array) ((hb_bytes){(const uint8_t *)(array), sizeof(array)})
#define HB_TEXT(literal) ((hb_bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

// The bytes of a text without its zero.
hb_bytes hb_text(const char *text);
bool hb_bytes_equal(hb_bytes a, hb_bytes b);

// Owned: freed with `hb_buffer_free`. All zero is an empty buffer without memory.
typedef struct {
    uint8_t *data;
    size_t len;
    size_t capacity;
} hb_buffer;

// Makes room for `more` bytes behind the contents, panics when out of memory.
void hb_buffer_reserve(hb_buffer *buffer, size_t more);
// Adds bytes at the end; they must not lie in the buffer itself.
void hb_buffer_push(hb_buffer *buffer, const void *data, size_t len);
void hb_buffer_push_byte(hb_buffer *buffer, uint8_t byte);
// Adds a text without its zero, or a number's decimal digits.
void hb_buffer_text(hb_buffer *buffer, const char *text);
void hb_buffer_number(hb_buffer *buffer, uint64_t number);
// The contents, valid until the buffer is changed or freed.
hb_bytes hb_buffer_bytes(const hb_buffer *buffer);
void hb_buffer_free(hb_buffer *buffer);
