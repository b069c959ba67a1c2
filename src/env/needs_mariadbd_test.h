/* For tests that want a server of databases; include it behind cmocka.h. */
#ifndef ENV_NEEDS_MARIADBD_TEST_H
#define ENV_NEEDS_MARIADBD_TEST_H

#include "base/status.h"

/* Of what starting one returned: says why and skips where this machine or build has none; fails where it is broken. */
static inline void needs_mariadbd(Status started)
{
    if (started == ST_UNSUPPORTED) {
        print_message("SKIP server of databases: %s\n", error_text());
        skip();
    }
    if (started != ST_OK)
        fail_msg("%s", error_text());
}

#endif
