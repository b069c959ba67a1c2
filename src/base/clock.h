/* Monotonic seconds.  Wall time appears in logs only. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_now(void);        /* seconds since an arbitrary start */
double clock_unix(void);       /* seconds since 1970, for event files */
double clock_cpu(void);        /* processor seconds this process has used, all threads */

#endif
