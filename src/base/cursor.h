/* Reads binary input that nobody vouches for.  Every read is bounded; the first one past the end sets `bad`,
 * after which all reads give zero, so a parser checks once at the end of each record.  Little-endian. */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

typedef struct {
    const unsigned char *at, *end;
    bool bad;
} Cursor;

Cursor cursor_over(const void *bytes, size_t n);
size_t cursor_left(const Cursor *c);
uint8_t cursor_u8(Cursor *c);
uint16_t cursor_u16(Cursor *c);
uint32_t cursor_u32(Cursor *c);
uint64_t cursor_u64(Cursor *c);
float cursor_f32(Cursor *c);
uint64_t cursor_varint(Cursor *c);          /* protobuf base-128; at most 10 bytes      */
Span cursor_bytes(Cursor *c, uint64_t n);   /* a view; empty and bad when n is too large */
void cursor_skip(Cursor *c, uint64_t n);

#endif
