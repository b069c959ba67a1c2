#include "base/cursor.h"

#include <string.h>

Cursor cursor_over(const void *bytes, size_t n)
{
    /* an empty mapping has no address, and NULL + 0 is undefined */
    const unsigned char *at = bytes ? bytes : (const void *)"";
    return (Cursor){.at = at, .end = at + n};
}

size_t cursor_left(const Cursor *c)
{
    return (size_t)(c->end - c->at);
}

Span cursor_bytes(Cursor *c, uint64_t n)
{
    if (c->bad || n > cursor_left(c)) {
        c->bad = true;
        return (Span){"", 0};
    }
    Span s = {(const char *)c->at, (size_t)n};
    c->at += n;
    return s;
}

void cursor_skip(Cursor *c, uint64_t n)
{
    cursor_bytes(c, n);
}

static uint64_t little_endian(Cursor *c, size_t n)
{
    Span s = cursor_bytes(c, n);
    uint64_t v = 0;
    for (size_t i = s.n; i-- > 0;)
        v = v << 8 | (unsigned char)s.at[i];
    return v;
}

uint8_t cursor_u8(Cursor *c)
{
    return (uint8_t)little_endian(c, 1);
}

uint16_t cursor_u16(Cursor *c)
{
    return (uint16_t)little_endian(c, 2);
}

uint32_t cursor_u32(Cursor *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t cursor_u64(Cursor *c)
{
    return little_endian(c, 8);
}

float cursor_f32(Cursor *c)
{
    uint32_t bits = cursor_u32(c);
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

uint64_t cursor_varint(Cursor *c)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        uint8_t b = cursor_u8(c);
        v |= (uint64_t)(b & 0x7F) << shift;
        if (!(b & 0x80))
            return v;
    }
    c->bad = true;
    return 0;
}
