// The kit's SCALE against what parity-scale-codec does, natively: every line of `../../vectors/scale.tsv` is decoded, and what decodes is
// encoded again. The one argument is that file.

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../kit/memory.h"
#include "../kit/panic.h"
#include "../kit/scale.h"

// Panics of the kit, in place of `panic.c`, which needs a host.
static jmp_buf on_panic;
static bool panic_is_expected;

_Noreturn void hb_panic_at(const char *file, unsigned line, const char *message) {
    if (panic_is_expected) longjmp(on_panic, 1);
    fprintf(stderr, "%s:%u: %s\n", file, line, message);
    exit(1);
}

typedef struct {
    char kind[16];
    char value[1024];
    char hex[1024];
    unsigned number;
} vector;

static _Noreturn void fail(const vector *vector, const char *what, const char *found) {
    fprintf(stderr, "scale.tsv:%u: %s %s: %s `%s`, expected `%s`\n", vector->number, vector->kind, vector->hex, what, found,
            vector->value);
    exit(1);
}

static void to_hex(hb_bytes bytes, char *out) {
    *out = 0;
    for (size_t i = 0; i < bytes.len; i++) out += sprintf(out, "%02x", bytes.data[i]);
}

static size_t from_hex(const char *hex, uint8_t *out) {
    size_t len = strlen(hex) / 2;
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        if (sscanf(hex + 2 * i, "%2x", &byte) != 1) exit(2);
        out[i] = (uint8_t)byte;
    }
    return len;
}

static void to_decimal(hb_u128 value, char *out) {
    char digits[40];
    size_t count = 0;
    do digits[count++] = (char)('0' + (int)(value % 10));
    while (value /= 10);
    while (count) *out++ = digits[--count];
    *out = 0;
}

// Decodes by the vector's kind, shows the value, and encodes it again.
static void decode(const char *kind, hb_reader *in, char *shown, hb_buffer *again) {
    if (strcmp(kind, "bytes") == 0) {
        hb_bytes value = hb_read_bytes(in);
        to_hex(value, shown);
        hb_write_bytes(again, value);
        return;
    }
    if (strcmp(kind, "option32") == 0) {
        bool some = hb_read_bool(in);
        hb_write_bool(again, some);
        strcpy(shown, "none");
        if (some) {
            uint32_t value = hb_read_u32(in);
            hb_write_u32(again, value);
            to_decimal(value, shown);
        }
        return;
    }
    hb_u128 value = 0;
#define KIND(name, read, write) \
    else if (strcmp(kind, name) == 0) { \
        value = read(in); \
        write; \
    }
    if (0) {
    }
    KIND("u8", hb_read_u8, hb_write_u8(again, (uint8_t)value))
    KIND("u16", hb_read_u16, hb_write_u16(again, (uint16_t)value))
    KIND("u32", hb_read_u32, hb_write_u32(again, (uint32_t)value))
    KIND("u64", hb_read_u64, hb_write_u64(again, (uint64_t)value))
    KIND("u128", hb_read_u128, hb_write_u128(again, value))
    KIND("bool", hb_read_bool, hb_write_bool(again, (bool)value))
    KIND("compact32", hb_read_compact_u32, hb_write_compact(again, (uint64_t)value))
    KIND("compact64", hb_read_compact, hb_write_compact(again, (uint64_t)value))
    KIND("compact128", hb_read_compact_u128, hb_write_compact_u128(again, value))
    else {
        fprintf(stderr, "no kind `%s`\n", kind);
        exit(1);
    }
    to_decimal(value, shown);
}

static void check(const vector *vector) {
    // The input ends where its block does, so that the sanitizer sees a read past it.
    size_t len = strlen(vector->hex) / 2;
    uint8_t *input = malloc(len ? len : 1);
    from_hex(vector->hex, input);
    hb_reader in = hb_reader_of((hb_bytes){input, len});
    char shown[1024], again_hex[1024];
    hb_buffer again = {0};
    decode(vector->kind, &in, shown, &again);
    bool refused = in.failed || hb_reader_left(&in) != 0;
    if (refused) strcpy(shown, "!");
    if (strcmp(shown, vector->value) != 0) fail(vector, "decoded to", shown);
    to_hex(hb_buffer_bytes(&again), again_hex);
    if (!refused && strcmp(again_hex, vector->hex) != 0) fail(vector, "encoded again to", again_hex);
    hb_buffer_free(&again);
    free(input);
}

// A failure stays, and nothing can be read behind it.
static void check_failure_stays(void) {
    static const uint8_t input[] = {2, 1, 1, 1, 1};
    hb_reader in = hb_reader_of(HB_BYTES(input));
    hb_read_bool(&in);
    if (!in.failed || hb_reader_left(&in) != 0 || hb_read_u32(&in) != 0 || hb_read_array(&in, 0) || !in.failed) {
        fprintf(stderr, "a reader went on after its failure\n");
        exit(1);
    }
}

// A buffer that cannot be is a panic, not a wrapped length.
static void check_too_large(void) {
    panic_is_expected = true;
    if (setjmp(on_panic) == 0) {
        static hb_buffer buffer;
        hb_write_u32(&buffer, 1);
        hb_buffer_reserve(&buffer, SIZE_MAX);
        fprintf(stderr, "a buffer grew beyond the address space\n");
        exit(1);
    }
    panic_is_expected = false;
}

int main(int count, char **arguments) {
    FILE *file = count == 2 ? fopen(arguments[1], "r") : NULL;
    if (!file) {
        fprintf(stderr, "usage: scale SCALE.TSV\n");
        return 2;
    }
    char text[4096];
    unsigned number = 0;
    while (fgets(text, sizeof text, file)) {
        vector vector = {.number = ++number};
        char *at = text;
        char *columns[3] = {vector.kind, vector.value, vector.hex};
        size_t rooms[3] = {sizeof vector.kind, sizeof vector.value, sizeof vector.hex};
        for (int i = 0; i < 3; i++) {
            size_t len = strcspn(at, "\t\n");
            if (len >= rooms[i]) return 2;
            memcpy(columns[i], at, len);
            at += len + (at[len] != 0);
        }
        check(&vector);
    }
    fclose(file);
    if (number < 1000) {
        fprintf(stderr, "only %u vectors\n", number);
        return 1;
    }
    check_failure_stays();
    check_too_large();
    printf("%u vectors, 2 more tests: all well\n", number);
    return 0;
}
