/* Hash map from byte strings to 64-bit values; copies its keys; open addressing, insertion order kept.
 *     Map *m = map_new();  *map_put(m, "x", 1) = 7;  int64_t *v = map_find(m, "x", 1);  map_free(m); */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/str.h"

typedef struct Map Map;

Map *map_new(void);
void map_free(Map *m);
int64_t *map_find(const Map *m, const char *key, size_t n); /* NULL when absent; valid until the next map_put */
int64_t *map_put(Map *m, const char *key, size_t n);        /* a new entry has the value 0                    */
int64_t map_count(const Map *m);
Span map_key_at(const Map *m, int64_t i); /* i-th inserted */
int64_t map_value_at(const Map *m, int64_t i);

#endif
