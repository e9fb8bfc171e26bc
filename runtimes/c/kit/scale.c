#include "scale.h"

#include "memory.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are copied as they lie in memory");

hb_reader hb_reader_of(hb_bytes input) { return (hb_reader){input.data, input.data + input.len, false}; }

size_t hb_reader_left(const hb_reader *in) { return (size_t)(in->end - in->at); }

static void fail(hb_reader *in) {
    in->failed = true;
    in->at = in->end;
}

const uint8_t *hb_read_array(hb_reader *in, size_t len) {
    if (in->failed || len > hb_reader_left(in)) {
        fail(in);
        return NULL;
    }
    const uint8_t *array = in->at;
    in->at += len;
    return array;
}

// A number of `size` bytes, at most 16.
static hb_u128 read_number(hb_reader *in, size_t size) {
    hb_u128 value = 0;
    const uint8_t *array = hb_read_array(in, size);
    if (array) memcpy(&value, array, size);
    return value;
}

uint8_t hb_read_u8(hb_reader *in) { return (uint8_t)read_number(in, 1); }
uint16_t hb_read_u16(hb_reader *in) { return (uint16_t)read_number(in, 2); }
uint32_t hb_read_u32(hb_reader *in) { return (uint32_t)read_number(in, 4); }
uint64_t hb_read_u64(hb_reader *in) { return (uint64_t)read_number(in, 8); }
hb_u128 hb_read_u128(hb_reader *in) { return read_number(in, 16); }

bool hb_read_bool(hb_reader *in) {
    uint8_t byte = hb_read_u8(in);
    if (byte > 1) fail(in);
    return byte == 1;
}

// A compact number that fits `size` bytes: 4, 8 or 16. Its lowest two bits are its form: one byte, two, four, or as many as the
// other six bits say, and four more. A number in a longer form than it needs is a failure, so that no value has two encodings.
static hb_u128 read_compact(hb_reader *in, size_t size) {
    uint8_t first = hb_read_u8(in);
    hb_u128 value, least;
    switch (first & 3) {
    case 0:
        return first >> 2;
    case 1:
        value = (uint16_t)(first | hb_read_u8(in) << 8) >> 2;
        least = 1 << 6;
        break;
    case 2:
        value = (first | read_number(in, 3) << 8) >> 2;
        least = 1 << 14;
        break;
    default: {
        size_t bytes = (size_t)(first >> 2) + 4;
        if (bytes > size) {
            fail(in);
            return 0;
        }
        value = read_number(in, bytes);
        least = bytes == 4 ? (hb_u128)1 << 30 : (hb_u128)1 << (8 * (bytes - 1));
    }
    }
    if (value < least) fail(in);
    return in->failed ? 0 : value;
}

uint32_t hb_read_compact_u32(hb_reader *in) { return (uint32_t)read_compact(in, 4); }
uint64_t hb_read_compact(hb_reader *in) { return (uint64_t)read_compact(in, 8); }
hb_u128 hb_read_compact_u128(hb_reader *in) { return read_compact(in, 16); }

hb_bytes hb_read_bytes(hb_reader *in) {
    size_t len = hb_read_compact_u32(in);
    const uint8_t *data = hb_read_array(in, len);
    return (hb_bytes){data, data ? len : 0};
}

void hb_write_u8(hb_buffer *out, uint8_t value) { hb_buffer_push_byte(out, value); }
void hb_write_u16(hb_buffer *out, uint16_t value) { hb_buffer_push(out, &value, 2); }
void hb_write_u32(hb_buffer *out, uint32_t value) { hb_buffer_push(out, &value, 4); }
void hb_write_u64(hb_buffer *out, uint64_t value) { hb_buffer_push(out, &value, 8); }
void hb_write_u128(hb_buffer *out, hb_u128 value) { hb_buffer_push(out, &value, 16); }
void hb_write_bool(hb_buffer *out, bool value) { hb_buffer_push_byte(out, value); }

void hb_write_compact_u128(hb_buffer *out, hb_u128 value) {
    if (value < 1 << 6) {
        hb_write_u8(out, (uint8_t)(value << 2));
    } else if (value < 1 << 14) {
        hb_write_u16(out, (uint16_t)(value << 2 | 1));
    } else if (value < 1 << 30) {
        hb_write_u32(out, (uint32_t)(value << 2 | 2));
    } else {
        size_t bytes = 4;
        while (bytes < 16 && value >> (8 * bytes) != 0) bytes++;
        hb_write_u8(out, (uint8_t)((bytes - 4) << 2 | 3));
        hb_buffer_push(out, &value, bytes);
    }
}

void hb_write_compact(hb_buffer *out, uint64_t value) { hb_write_compact_u128(out, value); }

void hb_write_bytes(hb_buffer *out, hb_bytes value) {
    hb_write_compact(out, value.len);
    hb_buffer_push(out, value.data, value.len);
}
