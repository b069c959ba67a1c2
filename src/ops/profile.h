/* Time per operation.  profile_attach puts a table of timing wrappers, made from ops.def, over a device's
 * own; every call is then counted under its operation and shapes until the device is closed.
 *
 *     TRY(profile_attach(dev));  ... steps ...  profile_print(dev, seconds, steps, stdout);
 *
 * Waits for the device after each call, so that on a device that works behind the caller's back the sum is
 * the truth and the overlap is lost. */
#ifndef OPS_PROFILE_H
#define OPS_PROFILE_H

#include <jansson.h>
#include <stdio.h>

#include "tensor/device.h"

/* After ops_attach; once per device. */
MUST_CHECK Status profile_attach(Device *dev);
void profile_reset(Device *dev);     /* forgets what was counted: after warming up */
double profile_seconds(Device *dev); /* in all operations so far */

/* Operations by share of `seconds` (the time of everything, operations or not), then each by shape.  `steps`
 * divides counts and times. */
void profile_print(Device *dev, double seconds, int64_t steps, FILE *out);
json_t *profile_to_json(Device *dev, double seconds, int64_t steps); /* new reference */

#endif
