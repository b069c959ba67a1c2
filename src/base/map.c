#include "base/map.h"

#include <string.h>
#include <xxhash.h>

#include "base/arena.h"
#include "base/array.h"

typedef struct {
    const char *key;
    size_t n;
    uint64_t hash;
    int64_t value;
} Entry;

struct Map {
    Array(Entry) entries;
    int64_t *slots; /* index into entries + 1; 0 is free */
    size_t slot_count;
    Arena keys;
};

static size_t slot_for(const Map *m, uint64_t hash, const char *key, size_t n)
{
    size_t mask = m->slot_count - 1, i = (size_t)hash & mask;
    for (; m->slots[i]; i = (i + 1) & mask) {
        const Entry *e = &m->entries.at[m->slots[i] - 1];
        if (e->hash == hash && e->n == n && memcmp(e->key, key, n) == 0)
            break;
    }
    return i;
}

static void grow(Map *m)
{
    mem_free(m->slots);
    m->slot_count *= 2;
    m->slots = mem_array(int64_t, m->slot_count);
    for (size_t e = 0; e < m->entries.n; e++) {
        const Entry *entry = &m->entries.at[e];
        m->slots[slot_for(m, entry->hash, entry->key, entry->n)] = (int64_t)e + 1;
    }
}

Map *map_new(void)
{
    Map *m = mem_new(Map);
    m->slot_count = 64;
    m->slots = mem_array(int64_t, m->slot_count);
    return m;
}

void map_free(Map *m)
{
    if (!m)
        return;
    array_drop(&m->entries);
    mem_free(m->slots);
    arena_drop(&m->keys);
    mem_free(m);
}

int64_t *map_find(const Map *m, const char *key, size_t n)
{
    size_t i = slot_for(m, XXH3_64bits(key, n), key, n);
    return m->slots[i] ? &m->entries.at[m->slots[i] - 1].value : NULL;
}

int64_t *map_put(Map *m, const char *key, size_t n)
{
    uint64_t hash = XXH3_64bits(key, n);
    size_t i = slot_for(m, hash, key, n);
    if (m->slots[i])
        return &m->entries.at[m->slots[i] - 1].value;
    if ((m->entries.n + 1) * 4 > m->slot_count * 3) {
        grow(m);
        i = slot_for(m, hash, key, n);
    }
    Entry e = {.key = arena_strn(&m->keys, key, n), .n = n, .hash = hash};
    array_push(&m->entries, e);
    m->slots[i] = (int64_t)m->entries.n;
    return &m->entries.at[m->entries.n - 1].value;
}

int64_t map_count(const Map *m)
{
    return (int64_t)m->entries.n;
}

Span map_key_at(const Map *m, int64_t i)
{
    return (Span){m->entries.at[i].key, m->entries.at[i].n};
}

int64_t map_value_at(const Map *m, int64_t i)
{
    return m->entries.at[i].value;
}
