/* Any bytes as a file of examples: values are cut out of lines or an array, converted from every format,
 * rendered by every template; an example that is taken has a proved mask, and every other one a reason. */
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "corpus/instruct.h"
#include "corpus/reader.h"
#include "fuzz_tokenizer.h"

enum { VALUES_MOST = 64 };

static void render(const Conversation *c, const char *name)
{
    ChatTemplate *tmpl;
    Ids ids = {0};
    ChatMask mask = {0};
    check(chat_template_open(&tmpl, name) == ST_OK);
    if (chat_render(fuzz_vocabulary(), tmpl, c, 0, &ids, &mask) == ST_OK) {
        check(ids.n == mask.n);
        if (chat_prove(fuzz_vocabulary(), tmpl, c, 0, ids.at, mask.at, ids.n) != ST_OK) {
            fprintf(stderr, "%s: %s\n", name, error_text());
            abort();
        }
    }
    array_drop(&ids);
    array_drop(&mask);
    chat_template_free(tmpl);
}

static void convert(const json_t *record, InstructFormat format, bool all)
{
    InstructExamples examples = {0};
    InstructOptions o = {.all_paths = all, .trim = all, .language = "", .min_reward = -INFINITY};
    instruct_convert(&examples, &o, format, record);
    check(examples.n > 0);
    for (size_t i = 0; i < examples.n; i++) {
        const InstructExample *e = &examples.at[i];
        check((e->reason == REJECT_NONE) == (e->why.n == 0));
        for (const char *const *name = chat_template_names(); e->reason == REJECT_NONE && *name; name++)
            render(&e->conversation, *name);
    }
    instruct_examples_drop(&examples);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    const char *pattern = path;
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ReaderSpec spec = {
        .patterns = &pattern, .patterns_n = 1, .format = FORMAT_JSON, .max_document_bytes = 65536};
    Reader *r;
    Document d;
    check(reader_open(&r, &spec) == ST_OK);
    for (int i = 0; i < VALUES_MOST && reader_next_raw(r, &d) == ST_OK && d.id.at; i++) {
        json_t *record =
            d.reason == READ_GOOD ? json_loadb(d.text.at, d.text.n, JSON_DECODE_ANY, NULL) : NULL;
        if (!record)
            continue;
        InstructFormat format = instruct_recognise(record);
        convert(record, format == INSTRUCT_AUTO ? INSTRUCT_MESSAGES : format, i % 2);
        json_decref(record);
    }
    reader_close(r);
    close(fd);
    return 0;
}
