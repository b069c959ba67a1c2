#include "base/stream.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/rng.h"
#include "base/scratch_test.h"

/* A file of the test's folder; the caller frees the path. */
static char *put(const char *name, const void *bytes, size_t n)
{
    scratch_write(name, bytes, n);
    return scratch_path(name);
}

typedef enum { AS_RAW, AS_TAR, AS_ZIP } Wrapping;

static void add_member(struct archive *a, const char *name, unsigned type, const char *text, size_t n)
{
    struct archive_entry *e = archive_entry_new();
    archive_entry_set_pathname(e, name);
    archive_entry_set_filetype(e, type);
    archive_entry_set_perm(e, 0644);
    archive_entry_set_size(e, (la_int64_t)n);
    if (type == AE_IFLNK)
        archive_entry_set_symlink(e, "elsewhere");
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    if (n)
        assert_int_equal(archive_write_data(a, text, n), (la_ssize_t)n);
    archive_entry_free(e);
}

static const char hostile_name[] = "../../etc/passwd";

/* libarchive's own writer: "one" (text), a folder, a link, "../../etc/passwd" ("two\n"), "empty". */
static char *write_archive(const char *name, Wrapping wrapping, int (*filter)(struct archive *),
                           const char *text, size_t n)
{
    char *path = path_join(scratch, name);
    struct archive *a = archive_write_new();
    if (wrapping == AS_RAW)
        archive_write_set_format_raw(a);
    else if (wrapping == AS_TAR)
        archive_write_set_format_pax_restricted(a);
    else
        archive_write_set_format_zip(a);
    if (filter)
        assert_int_equal(filter(a), ARCHIVE_OK);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    add_member(a, "one", AE_IFREG, text, n);
    if (wrapping != AS_RAW) {
        add_member(a, "folder", AE_IFDIR, NULL, 0);
        if (wrapping == AS_TAR)
            add_member(a, "link", AE_IFLNK, NULL, 0);
        add_member(a, hostile_name, AE_IFREG, "two\n", 4);
        add_member(a, "empty", AE_IFREG, NULL, 0);
    }
    assert_int_equal(archive_write_close(a), ARCHIVE_OK);
    archive_write_free(a);
    return path;
}

/* Reads everything as "name:contents|" into `out`, with what failed as "!"; gives the first failure. */
static Status read_all(Str *out, const char *path, size_t piece)
{
    StreamReader *r;
    const char *member;
    char *buf = mem_array(char, piece);
    Status st, first = ST_OK;
    size_t n;
    str_clear(out);
    first = stream_open(&r, path);
    while (r && (st = stream_next(r, &member)) == ST_OK && member) {
        str_addf(out, "%s:", path_base(member));
        while ((st = stream_read(r, buf, piece, &n)) == ST_OK && n)
            str_add(out, buf, n);
        str_adds(out, st == ST_OK ? "|" : "!");
        first = first == ST_OK ? st : first;
    }
    if (r && first == ST_OK)
        first = st;
    stream_close(r);
    mem_free(buf);
    return first;
}

static void expect(const char *path, const char *what)
{
    Str s = {0};
    for (size_t piece = 1; piece < 5000; piece += 4097) {
        if (read_all(&s, path, piece) != ST_OK)
            fail_msg("%s: %s", path, error_text());
        assert_string_equal(str_c(&s), what);
    }
    str_drop(&s);
}

static void plain_files_are_one_member(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text;
    } files[] = {
        {"plain.txt", "hello\n"},
        {"empty", ""},
        {"mtree", "#mtree\n/set type=file\nhello\n"},
        {"mtree2", "./a type=file mode=0644\n"},
        {"uu", "begin 644 cat\n#0V%T\n`\nend\n"},
        {"ar", "!<arch>\nx"},
        {"cpio", "070701000000"},
        {"warc", "WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n"},
        {"shar", "#!/bin/sh\n# This is a shell archive\n"},
        {"seven", "7z\xBC\xAF\x27\x1C"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *path = put(files[i].name, files[i].text, strlen(files[i].text));
        char *want = mem_format("%s:%s|", files[i].name, files[i].text);
        expect(path, want);
        mem_free(path);
        mem_free(want);
    }
}

static void wrappings_come_off(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        Wrapping wrapping;
        int (*filter)(struct archive *);
    } cases[] = {
        {"a.gz", AS_RAW, archive_write_add_filter_gzip},
        {"a.zst", AS_RAW, archive_write_add_filter_zstd},
        {"a.xz", AS_RAW, archive_write_add_filter_xz},
        {"a.bz2", AS_RAW, archive_write_add_filter_bzip2},
        {"a.lz4", AS_RAW, archive_write_add_filter_lz4},
        {"a.tar", AS_TAR, NULL},
        {"a.tar.gz", AS_TAR, archive_write_add_filter_gzip},
        {"a.tar.zst", AS_TAR, archive_write_add_filter_zstd},
        {"noname", AS_TAR, archive_write_add_filter_xz},
        {"a.zip", AS_ZIP, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = write_archive(cases[i].name, cases[i].wrapping, cases[i].filter, "first\nfile\n", 11);
        char *want = cases[i].wrapping == AS_RAW ? mem_format("%s:first\nfile\n|", cases[i].name)
                                                 : mem_str("one:first\nfile\n|passwd:two\n|empty:|");
        expect(path, want);
        mem_free(path);
        mem_free(want);
    }
}

static void missing_files_and_folders_are_named(void **state)
{
    (void)state;
    StreamReader *r;
    assert_int_equal(stream_open(&r, "/nowhere/at all"), ST_IO);
    assert_null(r);
    assert_non_null(strstr(error_text(), "/nowhere/at all"));
    assert_int_equal(stream_open(&r, scratch), ST_IO);
    assert_non_null(strstr(error_text(), "folder"));
}

static void false_promises_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"x.gz", "x.tar", "x.tar.zst", "x.zip", "x.xz"};
    Str s = {0};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char *path = put(names[i], "only text\n", 10);
        assert_int_equal(read_all(&s, path, 100), ST_FORMAT);
        assert_int_equal(s.n, 0);
        mem_free(path);
    }
    str_drop(&s);
}

/* Every cut must end; what is delivered is the beginning of what there was; a compressed one never passes
 * as whole. */
static void try_cuts(const char *name, Wrapping wrapping, int (*filter)(struct archive *))
{
    char text[600], *cut = path_join(scratch, wrapping == AS_ZIP ? "cut.zip" : filter ? "cut.gz" : "cut.tar");
    Str whole = {0}, bytes = {0}, part = {0};
    Rng rng;
    rng_seed(&rng, 3);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + rng_below(&rng, 20));
    char *path = write_archive(name, wrapping, filter, text, sizeof text);
    assert_int_equal(read_all(&whole, path, 512), ST_OK);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    FILE *f = fopen(cut, "wb");
    assert_non_null(f);
    for (size_t n = 0; n < bytes.n; n++) {
        assert_int_equal(ftruncate(fileno(f), 0), 0);
        assert_int_equal(pwrite(fileno(f), bytes.at, n, 0), (ssize_t)n);
        Status st = read_all(&part, cut, 512);
        if (wrapping == AS_RAW && st == ST_OK)
            fail_msg("%s cut at %zu of %zu passes as whole", name, n, bytes.n);
        size_t same = 0; /* the name of a cut raw file differs: compare after the colon */
        const char *a = memchr(str_c(&part), ':', part.n), *b = memchr(str_c(&whole), ':', whole.n);
        while (a && same < part.n - (size_t)(a - part.at) && a[same] == b[same])
            same++;
        if (a && same + 2 < part.n - (size_t)(a - part.at) && a[same] != '!' && a[same] != '|')
            fail_msg("%s cut at %zu delivers other bytes", name, n);
    }
    fclose(f);
    str_drop(&whole);
    str_drop(&bytes);
    str_drop(&part);
    mem_free(path);
    mem_free(cut);
}

static void cut_files_neither_crash_nor_hang(void **state)
{
    (void)state;
    try_cuts("c.gz", AS_RAW, archive_write_add_filter_gzip);
    try_cuts("c.zst", AS_RAW, archive_write_add_filter_zstd);
    try_cuts("c.xz", AS_RAW, archive_write_add_filter_xz);
    try_cuts("c.tar", AS_TAR, NULL);
    try_cuts("c.tar.gz", AS_TAR, archive_write_add_filter_gzip);
    try_cuts("c.zip", AS_ZIP, NULL);
}

static void damage_is_seen_and_survived(void **state)
{
    (void)state;
    static int (*const filters[])(struct archive *) = {
        NULL, archive_write_add_filter_gzip, archive_write_add_filter_zstd, archive_write_add_filter_xz};
    Rng rng;
    Str bytes = {0}, out = {0};
    rng_seed(&rng, 5);
    for (int k = 0; k < 5; k++) {
        bool zip = k == 4;
        Wrapping wrapping = zip ? AS_ZIP : AS_TAR;
        char *path = write_archive("d.bin", wrapping, zip ? NULL : filters[k], "some text\n", 10);
        for (int i = 0; i < 100; i++) {
            str_clear(&bytes);
            assert_int_equal(file_read(&bytes, path, 0), ST_OK);
            for (int j = 0; j < 3; j++)
                bytes.at[rng_below(&rng, bytes.n)] = (char)rng_next(&rng);
            mem_free(put("d.bin", bytes.at, bytes.n));
            (void)read_all(&out, path, 64);
        }
        mem_free(path);
    }
    str_drop(&bytes);
    str_drop(&out);
}

/* One member with a wrong checksum does not hide the next. */
static void a_bad_zip_member_is_passed_over(void **state)
{
    (void)state;
    Str bytes = {0}, out = {0};
    char *path = write_archive("bad.zip", AS_ZIP, NULL, "first first first first first\n", 30);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    for (size_t i = 0; i + 4 < bytes.n; i++) /* the CRC field of each central record */
        if (memcmp(bytes.at + i, "PK\001\002", 4) == 0) {
            bytes.at[i + 16] ^= 1;
            break;
        }
    mem_free(path);
    path = put("bad.zip", bytes.at, bytes.n);
    Status st = read_all(&out, path, 64);
    assert_int_equal(st, ST_FORMAT);
    assert_non_null(strstr(str_c(&out), "passwd:two\n|"));
    str_drop(&bytes);
    str_drop(&out);
    mem_free(path);
}

/* The lines of the first member. */
static StreamReader *open_lines(LineReader *l, const char *path)
{
    StreamReader *r;
    const char *member;
    assert_int_equal(stream_open(&r, path), ST_OK);
    assert_int_equal(stream_next(r, &member), ST_OK);
    lines_start(l, r);
    return r;
}

static void lines_are_cut_at_the_limit(void **state)
{
    (void)state;
    static const char text[] = "\nshort\r\n0123456789abcdef\n0123456789\n\nlast without end";
    static const char *const want[] = {"", "short\r", "0123456789", "0123456789", "", "last witho"};
    char *path = put("lines.txt", text, sizeof text - 1);
    LineReader l = {0};
    StreamReader *r = open_lines(&l, path);
    Span line;
    bool cut;
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(lines_next(&l, 10, &line, &cut), ST_OK);
        assert_non_null(line.at);
        assert_true(span_is(line, want[i]));
        assert_int_equal(cut, i == 2 || i == 5);
    }
    assert_int_equal(lines_next(&l, 10, &line, &cut), ST_OK);
    assert_null(line.at);
    lines_drop(&l);
    stream_close(r);
    mem_free(path);
}

/* Lines longer than the buffer, whole and cut, through a compressed file; memory stays near the limit. */
static void long_lines_pass_through(void **state)
{
    (void)state;
    size_t lengths[] = {3, 2500000, 0, 1048576, 1048575, 5000000, 7}, total = 0, at = 0;
    for (size_t i = 0; i < 7; i++)
        total += lengths[i] + 1;
    char *text = mem_array(char, total);
    memset(text, 'x', total);
    for (size_t i = 0; i < 7; i++)
        text[(at += lengths[i] + 1) - 1] = '\n';
    char *path = write_archive("long.zst", AS_RAW, archive_write_add_filter_zstd, text, total);
    LineReader l = {0};
    StreamReader *r = open_lines(&l, path);
    Span line;
    bool cut;
    for (size_t i = 0; i < 7; i++) {
        assert_int_equal(lines_next(&l, 3000000, &line, &cut), ST_OK);
        assert_int_equal(line.n, lengths[i] > 3000000 ? 3000000 : lengths[i]);
        assert_int_equal(cut, lengths[i] > 3000000);
    }
    assert_true(l.cap <= 8 << 20);
    assert_int_equal(lines_next(&l, 3000000, &line, &cut), ST_OK);
    assert_null(line.at);
    assert_int_equal(stream_consumed(r), file_size(path));
    lines_drop(&l);
    stream_close(r);
    mem_free(path);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_files_are_one_member),       cmocka_unit_test(wrappings_come_off),
        cmocka_unit_test(missing_files_and_folders_are_named), cmocka_unit_test(false_promises_are_refused),
        cmocka_unit_test(cut_files_neither_crash_nor_hang), cmocka_unit_test(damage_is_seen_and_survived),
        cmocka_unit_test(a_bad_zip_member_is_passed_over),  cmocka_unit_test(lines_are_cut_at_the_limit),
        cmocka_unit_test(long_lines_pass_through),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
