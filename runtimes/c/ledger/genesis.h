// The state of the first block.
#pragma once

#include "../kit/bytes.h"

// Writes the state that a configuration describes. Returns null, or the reason why nothing was written.
const char *build_state(hb_bytes configuration);
