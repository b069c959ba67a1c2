/* Small allocations: multiplied with overflow checks, counted, and fatal when the machine has no memory left.
 * Large buffers (weights, activations, caches) go through device_alloc, which returns ST_NOMEM instead. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* All return zeroed memory (mem_resize: the old contents, the rest undefined).  Free with mem_free. */
void *mem_zeroed(size_t count, size_t size);
void *mem_resize(void *old, size_t count, size_t size);
void *mem_copy(const void *from, size_t bytes);
char *mem_str(const char *s);
char *mem_strn(const char *s, size_t n);
char *mem_format(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void mem_free(void *p); /* NULL is fine */

#define mem_new(Type) ((Type *)mem_zeroed(1, sizeof(Type)))
#define mem_array(Type, count) ((Type *)mem_zeroed((size_t)(count), sizeof(Type)))

/* 64-byte aligned, not zeroed; NULL where it cannot be had.  Free with mem_free.  From 4 MB on the system is
 * asked for pages of 2 MB: a product walks more 4 kB pages than the processor remembers the addresses of. */
void *mem_aligned(size_t bytes);

/* How many allocations this process has made through this header.  A test that counts them shows that a
 * training step allocates nothing. */
int64_t mem_allocations(void);

#endif
