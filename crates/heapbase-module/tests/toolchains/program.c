/* Exercises what clang emits beyond the MVP: copies and fills, sign extension, conversions of floating point. */
typedef __SIZE_TYPE__ size_t;
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);

#define EXPORT(name) __attribute__((export_name(#name))) name

static unsigned char space[20000];

struct pair {
    long long quotient;
    int remainder;
};

__attribute__((noinline)) static struct pair divide(long long a, int b) {
    struct pair both = {a / b, (int)(a % b)};
    return both;
}

struct block {
    unsigned char bytes[100];
};

long long EXPORT(copies)(int from, int size) {
    from &= 4095;
    size &= 4095;
    for (int place = 0; place < (int)sizeof space; place++)
        space[place] = (unsigned char)(place * 37 + from);
    memmove(space + from, space + from / 2, size);
    memmove(space + from / 2, space + from, size);
    memset(space + size, from, size / 3);
    memset(space + 9000, 0, 24);
    memcpy(space + 10000, space + from, 13);
    *(struct block *)(space + 11000) = *(struct block *)(space + from);
    long long sum = 0;
    for (int place = 0; place < (int)sizeof space; place++)
        sum = sum * 31 + (signed char)space[place];
    return sum;
}

long long EXPORT(pairs)(int a, int b) {
    struct pair both = divide((long long)a * 1000003, b | 1);
    struct pair again = divide(both.quotient, (short)b | 1);
    return both.quotient ^ again.remainder ^ ((long long)again.quotient << 7) ^ (signed char)a;
}

long long EXPORT(floats)(int a, int b) {
    double x = (double)a * 1e6 / (b + 0.5);
    float y = (float)x * 1e9f;
    return (long long)x ^ (long long)(unsigned)y ^ (long long)(int)(x * 1e5) ^ (long long)(unsigned long long)(y * y);
}

static int twice(int x) { return 2 * x; }
static int square(int x) { return x * x; }
static int (*const table[])(int) = {twice, square};

long long EXPORT(pointers)(int a, int b) { return table[a & 1](b) + table[b & 1](a); }
