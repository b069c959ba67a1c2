/* Any bytes as a file of examples: values are cut out of lines or an array, converted from every format,
 * rendered by every template; an example that is taken has a proved mask, and every other one a reason.
 * Each value is also a conversation that somebody saved: nothing is asked of its roles, it is asked on,
 * written on, and saved again as what it is. */
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

/* As /load of lemur chat reads it. */
static void load(const json_t *record)
{
    static const int flags[] = {0, CHAT_GENERATE, CHAT_CONTINUE};
    Conversation c = {0}, again = {0};
    if (conversation_from_json(&c, record) == ST_OK) {
        ChatTemplate *tmpl;
        Ids ids = {0};
        for (const char *const *name = chat_template_names(); *name; name++)
            for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
                check(chat_template_open(&tmpl, *name) == ST_OK);
                check(chat_render(fuzz_vocabulary(), tmpl, &c, flags[i], &ids, NULL) == ST_OK ||
                      *error_text());
                chat_template_free(tmpl);
            }
        json_t *saved = conversation_to_json(&c), *twice;
        check(conversation_from_json(&again, saved) == ST_OK && again.messages.n == c.messages.n);
        twice = conversation_to_json(&again);
        check(json_equal(saved, twice));
        json_decref(saved);
        json_decref(twice);
        array_drop(&ids);
    } else {
        check(*error_text() && c.messages.n == 0);
    }
    conversation_drop(&c);
    conversation_drop(&again);
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
        json_t *record = d.reason == READ_GOOD
                             ? json_loadb(d.text.at, d.text.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                             : NULL;
        if (!record)
            continue;
        load(record);
        InstructFormat format = instruct_recognise(record);
        convert(record, format == INSTRUCT_AUTO ? INSTRUCT_MESSAGES : format, i % 2);
        json_decref(record);
    }
    reader_close(r);
    close(fd);
    return 0;
}
