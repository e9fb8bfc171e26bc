#include "panic.h"

#include "host.h"

// A message is cut to this.
enum { LONGEST = 512 };

typedef struct {
    uint8_t bytes[LONGEST];
    size_t len;
} text;

static void add(text *out, const char *part) {
    while (*part && out->len < LONGEST) out->bytes[out->len++] = (uint8_t)*part++;
}

static void add_number(text *out, unsigned number) {
    char digits[11];
    char *at = digits + sizeof digits;
    *--at = 0;
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    add(out, at);
}

_Noreturn void hb_abort(hb_bytes message) {
    ext_panic_handler_abort_on_panic_version_1(hb_span_of(message));
    // The host does not come back.
    __builtin_trap();
}

_Noreturn void hb_panic_at(const char *file, unsigned line, const char *message) {
    text out;
    out.len = 0;
    add(&out, "panicked at ");
    add(&out, file);
    add(&out, ":");
    add_number(&out, line);
    add(&out, ": ");
    add(&out, message);
    hb_bytes text = {out.bytes, out.len};
    hb_log(HB_ERROR, "runtime", text);
    hb_abort(text);
}
