// Panics: the call ends, and the message is the host's error.
#pragma once

#include "bytes.h"

// Ends the call with `panicked at FILE:LINE: message`: logged as an error, then handed to the host as the call's error. Needs no
// heap, so it works when there is none left.
#define hb_panic(message) hb_panic_at(__FILE__, __LINE__, message)

// `hb_panic` unless `condition` holds.
#define hb_require(condition, message) \
    do { \
        if (!(condition)) hb_panic(message); \
    } while (0)

// Ends the call with exactly this message: for what is refused rather than wrong in the program.
_Noreturn void hb_abort(hb_bytes message);

_Noreturn void hb_panic_at(const char *file, unsigned line, const char *message);
