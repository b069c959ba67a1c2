#include "corpus/dedup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

typedef struct {
    uint64_t high,
        low; /* both 0: free; the text whose sum that is would be taken for free, and is moved to low 1 */
} Slot;

struct Dedup {
    char *folder;
    Slot *slots;
    uint64_t size, count; /* size: a power of two */
};

enum { FIRST_SIZE = 1 << 12 };

static Status table_map(Slot **out, const char *folder, uint64_t slots)
{
    char *path = path_join(folder, "dedup.XXXXXX");
    int fd = mkstemp(path);
    Status st = ST_OK;
    if (fd < 0)
        st = fail_errno(ST_IO, "cannot make %s", path);
    else
        unlink(path);
    int full = st == ST_OK ? posix_fallocate(fd, 0, (off_t)(slots * sizeof(Slot))) : 0;
    if (full) {
        errno = full;
        st = fail_errno(ST_IO, "cannot get %llu bytes in %s for the table of texts seen",
                        (unsigned long long)(slots * sizeof(Slot)), folder);
    }
    if (st == ST_OK) {
        void *at = mmap(NULL, slots * sizeof(Slot), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at == MAP_FAILED)
            st = fail_errno(ST_IO, "cannot map the table of texts seen in %s", folder);
        else
            *out = at;
    }
    if (fd >= 0)
        close(fd);
    mem_free(path);
    return st;
}

Status dedup_open(Dedup **out, const char *folder)
{
    Dedup *d = mem_new(Dedup);
    d->folder = mem_str(folder);
    d->size = FIRST_SIZE;
    Status st = table_map(&d->slots, folder, d->size);
    if (st != ST_OK) {
        dedup_close(d);
        return st;
    }
    *out = d;
    return ST_OK;
}

void dedup_close(Dedup *d)
{
    if (!d)
        return;
    if (d->slots)
        munmap(d->slots, d->size * sizeof(Slot));
    mem_free(d->folder);
    mem_free(d);
}

static Slot *slot_find(Slot *slots, uint64_t size, uint64_t high, uint64_t low)
{
    uint64_t at = low & (size - 1);
    while ((slots[at].high | slots[at].low) && (slots[at].high != high || slots[at].low != low))
        at = (at + 1) & (size - 1);
    return &slots[at];
}

/* Old slots are visited in order, and a key's new place is its old one or `size` further on, so both
 * halves of the new table are written front to back: kind to a disk. */
static Status table_double(Dedup *d)
{
    Slot *larger;
    TRY(table_map(&larger, d->folder, d->size * 2));
    for (uint64_t i = 0; i < d->size; i++)
        if (d->slots[i].high | d->slots[i].low)
            *slot_find(larger, d->size * 2, d->slots[i].high, d->slots[i].low) = d->slots[i];
    munmap(d->slots, d->size * sizeof(Slot));
    d->slots = larger;
    d->size *= 2;
    return ST_OK;
}

Status dedup_add(Dedup *d, uint64_t high, uint64_t low, bool *seen)
{
    if (!high && !low)
        low = 1;
    if (d->count * 4 >= d->size * 3)
        TRY(table_double(d));
    Slot *slot = slot_find(d->slots, d->size, high, low);
    *seen = (slot->high | slot->low) != 0;
    if (!*seen) {
        *slot = (Slot){high, low};
        d->count++;
    }
    return ST_OK;
}
