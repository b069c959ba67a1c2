#include "train/events.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

uint32_t events_crc32c(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < n; i++) {
        crc ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (0x82F63B78u & (0u - (crc & 1u)));
    }
    return ~crc;
}

static uint32_t masked(const void *bytes, size_t n)
{
    uint32_t crc = events_crc32c(bytes, n);
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static void add_little(Str *s, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        str_addc(s, (char)(unsigned char)(value >> (8 * i)));
}

static void add_varint(Str *s, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        str_addc(s, (char)(unsigned char)(v | 0x80));
    str_addc(s, (char)v);
}

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static void add_key(Str *s, unsigned field, unsigned wire)
{
    add_varint(s, field << 3 | wire);
}

static void add_bytes(Str *s, unsigned field, const void *bytes, size_t n)
{
    add_key(s, field, WIRE_BYTES);
    add_varint(s, n);
    str_add(s, bytes, n);
}

/* What every event begins with. */
static void begin_event(Events *e, int64_t step)
{
    uint64_t bits;
    double now = clock_unix();
    memcpy(&bits, &now, sizeof bits);
    str_clear(&e->event);
    add_key(&e->event, 1, WIRE_64);
    add_little(&e->event, bits, 8);
    if (step) {
        add_key(&e->event, 2, WIRE_VARINT);
        add_varint(&e->event, (uint64_t)step);
    }
}

static Status write_event(Events *e)
{
    Str *frame = &e->summary; /* its contents are in the event by now */
    size_t n = e->event.n;
    str_clear(frame);
    add_little(frame, n, 8);
    add_little(frame, masked(frame->at, 8), 4);
    str_add(frame, e->event.at, n);
    add_little(frame, masked(e->event.at, n), 4);
    if (fwrite(frame->at, 1, frame->n, e->f) != frame->n)
        return fail_errno(ST_IO, "cannot write the event file");
    return ST_OK;
}

static Status write_head(Events *e, int64_t first_step)
{
    static const char version[] = "brain.Event:2", start[] = {1 << 3 | WIRE_VARINT, 1};
    begin_event(e, 0);
    add_bytes(&e->event, 3, version, sizeof version - 1);
    TRY(write_event(e));
    if (first_step > 0) {
        begin_event(e, first_step);
        add_bytes(&e->event, 7, start, sizeof start);
        TRY(write_event(e));
    }
    return events_flush(e);
}

Status events_open(Events *e, const char *folder, int64_t first_step)
{
    *e = (Events){0};
    char *name = mem_format("events.out.tfevents.%010.0f.lemur.%d", clock_unix(), (int)getpid());
    char *path = path_join(folder, name);
    Status st = ST_OK;
    e->f = fopen(path, "ab");
    if (!e->f)
        st = fail_errno(ST_IO, "cannot write %s", path);
    if (st == ST_OK)
        st = write_head(e, first_step);
    if (st != ST_OK)
        events_close(e);
    mem_free(path);
    mem_free(name);
    return st;
}

Status events_scalar(Events *e, int64_t step, const char *tag, double value)
{
    uint32_t bits;
    float v = (float)value;
    memcpy(&bits, &v, sizeof bits);
    size_t tag_n = strlen(tag);
    Str *s = &e->summary;
    str_clear(s);
    /* Value: its length is known beforehand, as long as the tag's length takes one byte. */
    if (tag_n > 100)
        tag_n = 100;
    add_key(s, 1, WIRE_BYTES);
    add_varint(s, 2 + tag_n + 5);
    add_bytes(s, 1, tag, tag_n);
    add_key(s, 2, WIRE_32);
    add_little(s, bits, 4);
    begin_event(e, step);
    add_bytes(&e->event, 5, s->at, s->n);
    return write_event(e);
}

Status events_flush(Events *e)
{
    return fflush(e->f) == 0 ? ST_OK : fail_errno(ST_IO, "cannot write the event file");
}

void events_close(Events *e)
{
    if (e->f)
        fclose(e->f);
    str_drop(&e->event);
    str_drop(&e->summary);
    *e = (Events){0};
}
