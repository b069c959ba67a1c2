/* Any bytes as a file of JSON lines, and as text with a separator: documents are valid UTF-8 or have a
 * reason, and what the writer makes of a text is what the reader gives back. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "corpus/clean.h"
#include "corpus/jsonl_write.h"
#include "corpus/reader.h"

static void rules_see(Span text)
{
    CleanText t = {0};
    CleanCode c = {0};
    CleanScratch s = {0};
    config_defaults(&clean_text_table, &t);
    config_defaults(&clean_code_table, &c);
    t.min_words = c.min_bytes = 0;
    check(clean_text(&t, &s, text, true) < clean_text_rules_n);
    check(clean_code(&c, text) < clean_code_rules_n);
    clean_scratch_drop(&s);
}

static void round_trip(Span text)
{
    static const ReaderSpec spec = {.text_key = "text"};
    Str line = {0};
    DocumentStore store = {0};
    str_adds(&line, "{\"text\":");
    jsonl_escape(&line, text);
    str_adds(&line, "}");
    Document d = {.text = str_span(&line), .id = span("line"), .format = FORMAT_JSONL};
    reader_finish(&spec, &d, &store);
    check(d.reason == READ_GOOD && d.text.n == text.n && memcmp(d.text.at, text.at, text.n) == 0);
    document_store_drop(&store);
    str_drop(&line);
}

static void read_as(const char *path, ReadFormat format)
{
    ReaderSpec spec = {.patterns = &path,
                       .patterns_n = 1,
                       .format = format,
                       .separator = "\n\n",
                       .max_document_bytes = 4096};
    Reader *r;
    Document d;
    check(reader_open(&r, &spec) == ST_OK);
    for (int i = 0; i < 10000 && reader_next(r, &d) == ST_OK && d.id.at; i++) {
        check((d.reason == READ_GOOD) == (d.text.n > 0));
        if (d.reason != READ_GOOD)
            continue;
        check(d.text.n <= 4096 && utf8_valid(d.text.at, d.text.n) && !memchr(d.text.at, '\r', d.text.n));
        rules_see(d.text);
        if (!span_starts(d.text, "\xEF\xBB\xBF")) /* a second mark is text, and the first of the copy */
            round_trip(d.text);
    }
    reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    read_as(path, FORMAT_JSONL);
    read_as(path, FORMAT_TEXT);
    close(fd);
    return 0;
}
