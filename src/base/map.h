/* Hash map from byte strings to 64-bit values; copies its keys; open addressing, insertion order kept.
 *     Map *m = map_new();  *map_put(m, "x", 1) = 7;  int64_t *v = map_find(m, "x", 1);  map_free(m); */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/str.h"

typedef struct Map Map;

Map *map_new(void);
void map_free(Map *m);
/* The value of the key of n bytes, to read or to set; valid until the next map_put.  map_find: NULL when
 * absent; map_put: added with the value 0. */
int64_t *map_find(const Map *m, const char *key, size_t n);
int64_t *map_put(Map *m, const char *key, size_t n);
int64_t map_count(const Map *m);
/* The i-th inserted, i in [0, count); the key is owned by the map. */
Span map_key_at(const Map *m, int64_t i);
int64_t map_value_at(const Map *m, int64_t i);

#endif
