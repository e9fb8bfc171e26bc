// A runtime's entry points.
#pragma once

#include "bytes.h"
#include "host.h"

// Defines the entry point `name`, called by the host as `(address, length) -> span`. The body gets `input`, and returns a buffer
// whose contents are the output. Nothing is freed at the end of a call: memory does not outlive it.
//
//     HB_ENTRY(Core_version) {
//         hb_buffer out = {0};
//         ...
//         return out;
//     }
#define HB_ENTRY(name) \
    static hb_buffer name##_body(hb_bytes input); \
    __attribute__((export_name(#name))) hb_span name(const uint8_t *data, size_t len) { \
        hb_buffer out = name##_body((hb_bytes){data, len}); \
        return hb_span_of(hb_buffer_bytes(&out)); \
    } \
    static hb_buffer name##_body(__attribute__((unused)) hb_bytes input)
