// The workload of the memory study: what executing a block of transfers asks of an allocator. `../README.md` says what it does; it is
// written alike in every language, and all must return the same number.
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t workload(uint32_t transfers, uint32_t blocks);
