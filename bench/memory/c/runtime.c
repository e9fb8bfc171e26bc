// The workload as an entry point: the input is two u32, the output one.

#include "../../../runtimes/c/kit/entry.h"
#include "../../../runtimes/c/kit/panic.h"
#include "../../../runtimes/c/kit/scale.h"
#include "workload.h"

HB_ENTRY(workload_run) {
    hb_reader in = hb_reader_of(input);
    uint32_t transfers = hb_read_u32(&in);
    uint32_t blocks = hb_read_u32(&in);
    hb_require(!in.failed && hb_reader_left(&in) == 0, "the input is not two u32");
    hb_buffer out = {0};
    hb_write_u32(&out, workload(transfers, blocks));
    return out;
}
