#include "env/sql_memory.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sqlite3_mem_methods inner;
static bool counted;
static _Thread_local int64_t used;

static void *take(int n)
{
    void *p = inner.xMalloc(n);
    used += p ? inner.xSize(p) : 0;
    return p;
}

static void give(void *p)
{
    used -= p ? inner.xSize(p) : 0;
    inner.xFree(p);
}

static void *change(void *p, int n)
{
    int before = p ? inner.xSize(p) : 0;
    void *changed = inner.xRealloc(p, n);
    used += changed ? inner.xSize(changed) - before : 0;
    return changed;
}

static void begin(void)
{
    if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &inner) != SQLITE_OK)
        return;
    sqlite3_mem_methods counting = inner;
    counting.xMalloc = take;
    counting.xFree = give;
    counting.xRealloc = change;
    counted = sqlite3_config(SQLITE_CONFIG_MALLOC, &counting) == SQLITE_OK;
}

void sql_memory_count(void)
{
    pthread_once(&once, begin);
}

int64_t sql_memory_used(void)
{
    return counted ? used : sqlite3_memory_used();
}
