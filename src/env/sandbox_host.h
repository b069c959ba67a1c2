/* What the host has for a sandbox: bwrap, a user to be, and the sentence for what is missing. */
#ifndef ENV_SANDBOX_HOST_H
#define ENV_SANDBOX_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

/* Finds bwrap in PATH; *path is caller's to free.  ST_UNSUPPORTED: it is not there. */
MUST_CHECK Status host_bwrap(char **path);

/* Whom bwrap runs as.  `become`: the caller is root and must change. */
typedef struct {
    bool become;
    uid_t uid;
    gid_t gid;
} SandboxUser;
/* `work`: a folder whose owner it shall be when the caller is root; NULL: nobody.
 * ST_ARG: that owner is root too. */
MUST_CHECK Status host_user(SandboxUser *user, const char *work);

/* A program may have taken its folder away from its owner (`chmod 000 .`), and so from the next one, which
 * could not begin: the owner may read, write and enter it again.  Where that cannot be done the sandbox says
 * so. */
void host_reopen(const char *folder);

/* This thread alone acts as that user until host_act_as_before: its is the sandbox's namespace, whose limits
 * and folders root without CAP_SYS_RESOURCE and CAP_SYS_PTRACE, as containers have it, cannot reach.  Nothing
 * where root need not change. */
void host_act_as(const SandboxUser *user);
void host_act_as_before(const SandboxUser *user);

/* Around a change of user by any thread: the kernel then forbids core dumps and tracers to the whole process,
 * which is undone. Remembered once, since another thread's change may be under way. */
void host_remember(void);
void host_restore(void);

/* The sentence for a bwrap that ended with these words before the program began: what is missing, what to do.
 * ST_UNSUPPORTED, or ST_ARG where the inside has no such program. */
Status host_explain(Span words);

#endif
