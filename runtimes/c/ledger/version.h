// What the runtime says of itself.
#pragma once

#include "../kit/bytes.h"

enum { SPEC_VERSION = 1, TRANSACTION_VERSION = 1, STATE_VERSION = 1, EXTRINSICS_ROOT_VERSION = 0 };

// Adds the encoded RuntimeVersion.
void write_version(hb_buffer *out);
