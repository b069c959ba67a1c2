/* For tests that run programs; include it behind cmocka.h. */
#ifndef ENV_NEEDS_SANDBOX_TEST_H
#define ENV_NEEDS_SANDBOX_TEST_H

#include "env/sandbox.h"

/* Says why and skips, where this host has no sandbox. */
static inline void needs_sandbox(void)
{
    Str says = {0};
    Status st = sandbox_probe(&says);
    str_drop(&says);
    if (st != ST_OK) {
        print_message("SKIP sandbox: %s\n", error_text());
        skip();
    }
}

#endif
