/* Published data that tests read and the project does not ship: $LEMUR_DATA, or ../shared/data where that is
 * not set.  A test without it skips, and says so. */
#ifndef BASE_DATA_TEST_H
#define BASE_DATA_TEST_H

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

static inline const char *data_folder(void)
{
    const char *set = getenv("LEMUR_DATA");
    return set && *set ? set : "../shared/data";
}

/* The folder, or NULL, told, where `file` is not in it. */
static inline const char *data_with(const char *file)
{
    if (folder_holds(data_folder(), file))
        return data_folder();
    printf("SKIP no %s in %s (set LEMUR_DATA)\n", file, data_folder());
    return NULL;
}

#endif
