/* What the processes of an inside use, all together, read from /proc. */
#ifndef ENV_SANDBOX_USAGE_H
#define ENV_SANDBOX_USAGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct {
    int64_t
        memory_bytes;   /* private and shared memory and page tables; what forks share is counted for each */
    int processes;      /* and threads, without process 1                                                  */
    double cpu_seconds; /* of the living, and of the dead that were waited for                             */
    bool disk_full;     /* a private folder has no byte left, or an absurd number of files                 */
} Usage;

/* `disk_bytes`: the size that the private folders have.  What dies meanwhile is passed over. */
Usage usage_of(pid_t init, int64_t disk_bytes);
/* The memory again, each shared page counted once: exact and slow.  -1 where the kernel does not tell. */
int64_t usage_memory_exact(pid_t init);
/* The kernel lists a process's children (CONFIG_PROC_CHILDREN), without which nothing above works. */
bool usage_can_be_told(void);

#endif
