/* A C program on heapbase's functions: `run` returns 0, or the number of the line whose expectation does not hold. */

typedef __SIZE_TYPE__ size_t;

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
void *aligned_alloc(size_t align, size_t size);
int posix_memalign(void **out, size_t align, size_t size);
size_t malloc_usable_size(void *block);

#define EXPECT(condition) \
    do {                  \
        if (!(condition)) \
            return __LINE__; \
    } while (0)

static void fill(unsigned char *block, size_t size, unsigned char value) {
    for (size_t at = 0; at < size; at++)
        ((volatile unsigned char *)block)[at] = value;
}

static int is_filled(const unsigned char *block, size_t size, unsigned char value) {
    for (size_t at = 0; at < size; at++)
        if (block[at] != value)
            return 0;
    return 1;
}

static int is_aligned(const void *block, size_t align) {
    return (size_t)block % align == 0;
}

/* What a block of this size is aligned to without asking. */
static size_t natural(size_t size) {
    return size != 0 && size % 16 == 0 ? 16 : 8;
}

__attribute__((export_name("run"))) int run(void) {
    static unsigned char *blocks[512];
    static size_t sizes[512];

    /* Blocks of many sizes, all alive together, keep what is written to their last usable byte. */
    for (int i = 0; i < 512; i++) {
        sizes[i] = (size_t)i * i % 5000;
        blocks[i] = malloc(sizes[i]);
        EXPECT(blocks[i] != 0 && is_aligned(blocks[i], natural(sizes[i])));
        EXPECT(malloc_usable_size(blocks[i]) >= sizes[i]);
        sizes[i] = malloc_usable_size(blocks[i]);
        fill(blocks[i], sizes[i], (unsigned char)i);
    }
    for (int i = 0; i < 512; i += 2) {
        EXPECT(is_filled(blocks[i], sizes[i], (unsigned char)i));
        free(blocks[i]);
    }
    for (int i = 1; i < 512; i += 2)
        EXPECT(is_filled(blocks[i], sizes[i], (unsigned char)i));

    /* Zeroed memory is zero where something else lay before; a product that overflows fails. */
    for (int i = 0; i < 512; i += 2) {
        sizes[i] = (size_t)(i + 1) * 7;
        blocks[i] = calloc(i + 1, 7);
        EXPECT(blocks[i] != 0 && is_filled(blocks[i], sizes[i], 0));
        fill(blocks[i], sizes[i], (unsigned char)i);
    }
    EXPECT(calloc((size_t)1 << 20, (size_t)1 << 20) == 0);

    /* Growing and shrinking keep the contents. */
    for (int i = 0; i < 512; i++) {
        size_t size = i % 3 == 0 ? sizes[i] / 3 : sizes[i] * 3 + 100;
        size_t kept = size < sizes[i] ? size : sizes[i];
        blocks[i] = realloc(blocks[i], size);
        EXPECT(blocks[i] != 0 && is_filled(blocks[i], kept, (unsigned char)i));
        EXPECT(is_aligned(blocks[i], natural(size)) && malloc_usable_size(blocks[i]) >= size);
        free(blocks[i]);
    }
    void *fresh = realloc(0, 100);
    EXPECT(fresh != 0 && malloc_usable_size(fresh) >= 100);
    free(fresh);
    free(0);
    EXPECT(malloc_usable_size(0) == 0);

    /* Alignments up to and past a page. */
    for (size_t align = 1; align <= 65536; align *= 2) {
        void *block = aligned_alloc(align, 100);
        EXPECT(block != 0 && is_aligned(block, align));
        fill(block, malloc_usable_size(block), 1);
        void *other = 0;
        int error = posix_memalign(&other, align, 100);
        EXPECT(align < sizeof(void *) ? error == 28 && other == 0 : error == 0 && is_aligned(other, align));
        EXPECT(other != block);
        free(block);
        free(other);
    }
    EXPECT(aligned_alloc(24, 100) == 0);
    void *untouched = &untouched;
    EXPECT(posix_memalign(&untouched, 24, 100) == 28 && untouched == &untouched);

    /* More than there is fails, and what was there goes on. */
    EXPECT(malloc((size_t)-1) == 0 && malloc((size_t)1 << 31) == 0);
    void *small = malloc(1);
    EXPECT(realloc(small, (size_t)1 << 31) == 0);
    EXPECT(posix_memalign(&untouched, 16, (size_t)1 << 31) == 48 && untouched == &untouched);
    free(small);
    return 0;
}
