/* Lines of JSON objects.  A document's text is one member of the object. */
#include <jansson.h>
#include <string.h>

#include "base/json_file.h"
#include "corpus/read_formats.h"

/* A text of n bytes may take 6 n as JSON (\u0001). */
enum { LINE_FACTOR = 6, LINE_SLACK = 1 << 16 };

Status read_jsonl_next(Member *m, Document *d)
{
    Span line;
    bool cut;
    do {
        TRY(lines_next(&m->lines, m->limit * LINE_FACTOR + LINE_SLACK, &line, &cut));
        m->number++;
    } while (line.at && span_trim(line).n == 0);
    if (!line.at)
        return ST_OK;
    d->text = line;
    d->bytes = (int64_t)line.n + 1;
    if (cut) {
        d->text.n = 0;
        d->reason = READ_TOO_LONG;
    }
    return ST_OK;
}

static void refuse(Document *d, DocumentStore *store, ReadReason reason, const char *why)
{
    d->reason = reason;
    d->text = (Span){"", 0};
    str_clear(&store->why);
    str_adds(&store->why, why);
    d->why = str_span(&store->why);
}

static const json_t *text_find(const ReaderSpec *spec, const json_t *object)
{
    if (spec->text_key)
        return json_object_get(object, spec->text_key);
    const json_t *text = json_object_get(object, "text");
    return text ? text : json_object_get(object, "content");
}

static void id_take(Document *d, DocumentStore *store, const json_t *object)
{
    const json_t *id = json_object_get(object, "id");
    str_clear(&store->id);
    if (json_is_string(id) && json_string_length(id) > 0)
        str_add(&store->id, json_string_value(id), json_string_length(id));
    else if (json_is_integer(id))
        str_addf(&store->id, "%lld", (long long)json_integer_value(id));
    else
        return;
    d->id = str_span(&store->id);
}

void read_jsonl_parse(const ReaderSpec *spec, Document *d, DocumentStore *store)
{
    json_error_t error;
    json_t *object = json_load_lenient(d->text, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &error);
    if (!object) {
        bool utf8 = utf8_valid(d->text.at, d->text.n);
        refuse(d, store, utf8 ? READ_NOT_JSON : READ_NOT_UTF8, error.text);
        return;
    }
    const json_t *text = text_find(spec, object);
    if (json_is_string(text)) {
        str_clear(&store->text);
        str_add(&store->text, json_string_value(text), json_string_length(text));
        d->text = (Span){str_c(&store->text), store->text.n};
        id_take(d, store, object);
    } else {
        refuse(d, store, READ_NO_KEY, text ? "what lies under the key is no text" : "no such key");
    }
    json_decref(object);
}
