#include "version.h"

#include "../kit/scale.h"

enum { AUTHORING_VERSION = 1, IMPL_VERSION = 0, SYSTEM_VERSION = 1 };

static const struct {
    uint8_t id[8];
    uint32_t version;
} APIS[] = {
    {{0xdf, 0x6a, 0xcb, 0x68, 0x99, 0x07, 0x60, 0x9b}, 5}, // Core
    {{0x37, 0xe3, 0x97, 0xfc, 0x7c, 0x91, 0xf5, 0xe4}, 2}, // Metadata
    {{0x40, 0xfe, 0x3a, 0xd4, 0x01, 0xf8, 0x95, 0x9a}, 6}, // BlockBuilder
    {{0xd2, 0xbc, 0x98, 0x97, 0xee, 0xd0, 0x8f, 0x15}, 3}, // TaggedTransactionQueue
    {{0xbc, 0x9d, 0x89, 0x90, 0x4f, 0x5b, 0x92, 0x3f}, 1}, // AccountNonceApi
    {{0xfb, 0xc5, 0x77, 0xb9, 0xd7, 0x47, 0xef, 0xd6}, 1}, // GenesisBuilder
};

void write_version(hb_buffer *out) {
    hb_write_bytes(out, HB_TEXT("ledger"));
    hb_write_bytes(out, HB_TEXT("heapbase-ledger"));
    hb_write_u32(out, AUTHORING_VERSION);
    hb_write_u32(out, SPEC_VERSION);
    hb_write_u32(out, IMPL_VERSION);
    size_t count = sizeof APIS / sizeof APIS[0];
    hb_write_compact(out, count);
    for (size_t i = 0; i < count; i++) {
        hb_buffer_push(out, APIS[i].id, sizeof APIS[i].id);
        hb_write_u32(out, APIS[i].version);
    }
    hb_write_u32(out, TRANSACTION_VERSION);
    hb_write_u8(out, SYSTEM_VERSION);
}

// The same in custom sections, from which nodes read it without executing anything. The interfaces are in a section of their own. Numbers are
// those above; a text's length is in its first byte, times four.
__asm__(".section .custom_section.runtime_version,\"\",@\n"
        ".byte 24\n.ascii \"ledger\"\n"
        ".byte 60\n.ascii \"heapbase-ledger\"\n"
        ".int32 1\n.int32 1\n.int32 0\n" // authoring, spec, impl
        ".byte 0\n"
        ".int32 1\n.byte 1\n" // transaction, system
        ".section .custom_section.runtime_apis,\"\",@\n"
        ".int64 0x9b60079968cb6adf\n.int32 5\n" // Core
        ".int64 0xe4f5917cfc97e337\n.int32 2\n" // Metadata
        ".int64 0x9a95f801d43afe40\n.int32 6\n" // BlockBuilder
        ".int64 0x158fd0ee9798bcd2\n.int32 3\n" // TaggedTransactionQueue
        ".int64 0x3f925b4f90899dbc\n.int32 1\n" // AccountNonceApi
        ".int64 0xd6ef47d7b977c5fb\n.int32 1\n"); // GenesisBuilder
