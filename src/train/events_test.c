#include "train/events.h"

#include <dirent.h>

#include "base/cursor.h"
#include "base/scratch_test.h"

/* RFC 3720, appendix B.4. */
static void crc_is_castagnolis(void **state)
{
    (void)state;
    unsigned char bytes[32] = {0};
    assert_int_equal(events_crc32c(bytes, 32), 0x8A9136AAu);
    memset(bytes, 0xFF, 32);
    assert_int_equal(events_crc32c(bytes, 32), 0x62A8AB43u);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(events_crc32c(bytes, 32), 0x46DD794Eu);
}

static uint32_t unmask(uint32_t masked)
{
    uint32_t r = masked - 0xA282EAD8u;
    return r >> 17 | r << 15;
}

/* The body of the next record, its checksums verified. */
static Span record(Cursor *c)
{
    const unsigned char *head = c->at;
    uint64_t n = cursor_u64(c);
    assert_int_equal(unmask(cursor_u32(c)), events_crc32c(head, 8));
    Span body = cursor_bytes(c, n);
    assert_int_equal(unmask(cursor_u32(c)), events_crc32c(body.at, body.n));
    assert_false(c->bad);
    return body;
}

static bool holds(Span s, const char *bytes, size_t n)
{
    return memmem(s.at, s.n, bytes, n) != NULL;
}

static void read_only_file(Str *out, const char *folder)
{
    DIR *d = opendir(folder);
    int files = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));) {
        if (strncmp(e->d_name, "events.out.tfevents.", 20) != 0)
            continue;
        char *path = path_join(folder, e->d_name);
        assert_int_equal(file_read(out, path, 0), ST_OK);
        mem_free(path);
        files++;
    }
    closedir(d);
    assert_int_equal(files, 1);
}

static void records_are_framed_and_resume_is_told(void **state)
{
    (void)state;
    Events e;
    Str all = {0};
    assert_int_equal(events_open(&e, scratch, 300), ST_OK);
    assert_int_equal(events_scalar(&e, 300, "train/loss_nats", 2.5), ST_OK);
    int64_t before = mem_allocations();
    for (int i = 0; i < 100; i++)
        assert_int_equal(events_scalar(&e, 301 + i, "train/loss_nats", 2.5), ST_OK);
    assert_int_equal(mem_allocations(), before);
    events_close(&e);
    read_only_file(&all, scratch);
    Cursor c = cursor_over(all.at, all.n);
    Span s = record(&c);
    assert_true(holds(s,
                      "\x1a\x0d"
                      "brain.Event:2",
                      15));
    s = record(&c);
    assert_true(holds(s, "\x10\xac\x02", 3));     /* step 300 */
    assert_true(holds(s, "\x3a\x02\x08\x01", 4)); /* session log: START */
    s = record(&c);
    assert_true(holds(s, "\x10\xac\x02\x2a\x18\x0a\x16\x0a\x0ftrain/loss_nats\x15\x00\x00\x20\x40", 29));
    for (int i = 0; i < 100; i++)
        record(&c);
    assert_int_equal(cursor_left(&c), 0);
    str_drop(&all);
    assert_int_equal(events_open(&e, "/nonexistent/folder", 0), ST_IO);
    events_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc_is_castagnolis),
        cmocka_unit_test(records_are_framed_and_resume_is_told),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
