// The workload natively: prints its sum, nanoseconds of processor time a transfer, and the largest resident set in KiB. `native TRANSFERS BLOCKS`.

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "workload.h"

static double nanos_of(struct timeval time) { return (double)time.tv_sec * 1e9 + (double)time.tv_usec * 1e3; }

// The most that this process ever had in memory, in KiB. (getrusage would count what its parent had before it.)
static long resident(void) {
    char line[256];
    long most = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmHWM: %ld", &most) == 1) break;
    }
    if (status) fclose(status);
    return most;
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    uint32_t transfers = (uint32_t)atoi(arguments[1]), blocks = (uint32_t)atoi(arguments[2]);
    struct rusage begin, end;
    getrusage(RUSAGE_SELF, &begin);
    uint32_t sum = workload(transfers, blocks);
    getrusage(RUSAGE_SELF, &end);
    double nanos = nanos_of(end.ru_utime) + nanos_of(end.ru_stime) - nanos_of(begin.ru_utime) - nanos_of(begin.ru_stime);
    printf("%u %.1f %ld\n", sum, nanos / transfers / blocks, resident());
    return 0;
}
