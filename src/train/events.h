/* TensorBoard event files: numbers over steps, written natively.
 *
 *   file     = record*                       name: events.out.tfevents.<unix seconds>.<anything>
 *   record   = u64 length | u32 crc(length) | bytes | u32 crc(bytes)        little-endian
 *   crc(x)   = rotate_right(crc32c(x), 15) + 0xa282ead8
 *   bytes    = protobuf Event { 1: double wall_time  2: int64 step  3: string file_version = "brain.Event:2"
 *                               5: Summary { 1: Value { 1: string tag  2: float simple_value } }
 *                               7: SessionLog { 1: enum status, START = 1 } }
 * TensorFlow, tensorflow/core/lib/io/record_writer.h and tensorflow/core/util/event.proto, summary.proto.
 *
 * A START record makes TensorBoard forget what earlier files said about its step and later ones: a resumed
 * run replaces what the killed one had written past the checkpoint. */
#ifndef TRAIN_EVENTS_H
#define TRAIN_EVENTS_H

#include <stdint.h>
#include <stdio.h>

#include "base/str.h"

typedef struct {
    FILE *f;
    Str event, summary; /* kept between records: writing allocates nothing once they have grown */
} Events;

/* Starts a new file in `folder`.  first_step > 0: a resumed run whose next number is of that step.  ST_IO. */
MUST_CHECK Status events_open(Events *e, const char *folder, int64_t first_step);
MUST_CHECK Status events_scalar(Events *e, int64_t step, const char *tag, double value);
MUST_CHECK Status events_flush(Events *e);
void events_close(Events *e);

uint32_t events_crc32c(const void *bytes, size_t n); /* Castagnoli's polynomial, as in RFC 3720 */

#endif
