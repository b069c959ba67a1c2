#include "eval/static/mmlu_data.h"

#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/stream.h"
#include "eval/csv.h"
#include "eval/data_folder.h"

#define SUBJECT(name, category) #name,
const char *const mmlu_subjects[MMLU_SUBJECTS] = {
#include "eval/static/mmlu.def"
};
#undef SUBJECT
#define SUBJECT(name, category) category,
const MmluCategory mmlu_categories[MMLU_SUBJECTS] = {
#include "eval/static/mmlu.def"
};
#undef SUBJECT

enum { CSV_MOST = 16 << 20 };

/* Rows. -------------------------------------------------------------------------------------------------- */

/* New reference; NULL: the row is no question. */
static json_t *question_of(const Csv *row, const char *subject)
{
    Span letter = row->fields == MMLU_CHOICES + 2 ? csv_field(row, MMLU_CHOICES + 1) : (Span){0};
    if (letter.n != 1 || letter.at[0] < 'A' || letter.at[0] >= 'A' + MMLU_CHOICES || !csv_field(row, 0).n)
        return NULL;
    json_t *choices = json_array();
    Span question = csv_field(row, 0);
    for (size_t i = 1; i <= MMLU_CHOICES; i++) /* text that is no UTF-8 is not appended */
        json_array_append_new(choices, json_stringn(csv_field(row, i).at, csv_field(row, i).n));
    json_t *text = json_stringn(question.at, question.n);
    if (!text || json_array_size(choices) != MMLU_CHOICES) {
        json_decref(text);
        json_decref(choices);
        return NULL;
    }
    return json_pack("{s:s, s:o, s:o, s:i}", "subject", subject, "question", text, "choices", choices,
                     "answer", letter.at[0] - 'A');
}

void mmlu_ask_text(Str *out, const json_t *doc)
{
    const json_t *choices = json_object_get(doc, "choices");
    Span question = doc_text(doc, "question");
    str_add(out, question.at, question.n);
    for (int i = 0; i < MMLU_CHOICES; i++) {
        const json_t *choice = json_array_get(choices, (size_t)i);
        str_addf(out, "\n%c. ", 'A' + i);
        str_add(out, json_string_value(choice), json_string_length(choice));
    }
    str_adds(out, "\nAnswer:");
}

static void add_example(Fewshot *f, const json_t *doc)
{
    Str shot = {0};
    mmlu_ask_text(&shot, doc);
    str_addf(&shot, " %c\n\n", 'A' + (int)json_integer_value(json_object_get(doc, "answer")));
    fewshot_add(f, str_span(&shot));
    str_drop(&shot);
}

/* Where a file's rows go. */
typedef struct {
    const char *subject;
    Questions *questions; /* NULL: they are examples */
    Fewshot *examples;
    int64_t rows;
} Target;

static Status take_row(Target *t, const Csv *row, int64_t line, const char *file)
{
    json_t *doc = question_of(row, t->subject);
    int64_t number = t->rows++;
    if (!doc && !t->questions)
        return fail(ST_FORMAT, "%s: line %lld is no example: six fields, the last a letter", file,
                    (long long)line);
    if (!doc && t->questions->bad++ == 0)
        log_warn("%s: line %lld is no question (six fields, the last a letter); it is passed over, and so "
                 "are others "
                 "like it",
                 file, (long long)line);
    if (doc && t->questions) {
        Str id = {0};
        str_addf(&id, "%s/%lld", t->subject, (long long)number);
        questions_add(t->questions, str_c(&id), t->subject, doc);
        str_drop(&id);
    } else if (doc) {
        add_example(t->examples, doc);
    }
    json_decref(doc);
    return ST_OK;
}

static Status take_file(Target *t, Span text, const char *file)
{
    Csv row = csv_open(text);
    Status st = ST_OK;
    size_t before = t->questions ? t->questions->all.n : t->examples->ends.n;
    for (bool more = true; more && st == ST_OK;) {
        st = csv_next(&row);
        more = row.fields > 0;
        if (st != ST_OK)
            st = fail_in(st, "%s", file);
        else if (more)
            st = take_row(t, &row, row.line - 1, file);
    }
    csv_drop(&row);
    if (st == ST_OK && (t->questions ? t->questions->all.n : t->examples->ends.n) == before)
        return fail(ST_FORMAT, "%s has no question", file);
    return st;
}

/* Files. ------------------------------------------------------------------------------------------------- */

/* What was found in the archive, or is read from a folder. */
typedef struct {
    Str dev[MMLU_SUBJECTS], test[MMLU_SUBJECTS];
    const char *where; /* "mmlu", "mmlu/data", "mmlu/data.tar" */
} Files;

static void files_drop(Files *f)
{
    for (int i = 0; i < MMLU_SUBJECTS; i++) {
        str_drop(&f->dev[i]);
        str_drop(&f->test[i]);
    }
}

static Status read_folder(Files *f, const char *data, MmluCategory category)
{
    for (int i = 0; i < MMLU_SUBJECTS; i++) {
        if (mmlu_categories[i] != category)
            continue;
        Str name = {0};
        str_addf(&name, "%s/dev/%s_dev.csv", f->where, mmlu_subjects[i]);
        Status st = data_text(&f->dev[i], data, str_c(&name));
        str_clear(&name);
        str_addf(&name, "%s/test/%s_test.csv", f->where, mmlu_subjects[i]);
        if (st == ST_OK)
            st = data_text(&f->test[i], data, str_c(&name));
        str_drop(&name);
        TRY(st);
    }
    return ST_OK;
}

/* Where the member goes, such as "data/test/anatomy_test.csv"; NULL: nowhere. */
static Str *place_of(Files *f, const char *member, MmluCategory category)
{
    for (int i = 0; i < MMLU_SUBJECTS; i++)
        for (int dev = 0; dev < 2 && mmlu_categories[i] == category; dev++) {
            const char *kind = dev ? "dev" : "test";
            Str name = {0};
            str_addf(&name, "data/%s/%s_%s.csv", kind, mmlu_subjects[i], kind);
            Span m = span(member);
            bool here = span_ends(m, str_c(&name)) && (m.n == name.n || m.at[m.n - name.n - 1] == '/');
            str_drop(&name);
            if (here)
                return dev ? &f->dev[i] : &f->test[i];
        }
    return NULL;
}

static Status read_member(Str *out, StreamReader *r, const char *member)
{
    static const size_t piece = 1 << 16;
    size_t n = 1;
    str_clear(out);
    while (n) {
        str_reserve(out, piece);
        TRY(stream_read(r, out->at + out->n, piece, &n));
        out->n += n;
        if (out->n > CSV_MOST)
            return fail(ST_LIMIT, "%s is larger than %d bytes", member, CSV_MOST);
    }
    return ST_OK;
}

static Status read_archive(Files *f, const char *data, MmluCategory category)
{
    char *path = path_join(data, f->where);
    StreamReader *r = NULL;
    const char *member = NULL;
    Status st = stream_open(&r, path);
    while (st == ST_OK && (st = stream_next(r, &member)) == ST_OK && member) {
        Str *place = place_of(f, member, category);
        if (place)
            st = read_member(place, r, member);
    }
    stream_close(r);
    if (st != ST_OK)
        st = fail_in(st, "%s", path);
    mem_free(path);
    return st;
}

static Status find_files(Files *f, const char *data, MmluCategory category)
{
    f->where = "mmlu";
    if (folder_holds(data, "mmlu/test"))
        return read_folder(f, data, category);
    f->where = "mmlu/data";
    if (folder_holds(data, "mmlu/data/test"))
        return read_folder(f, data, category);
    char *path;
    f->where = "mmlu/data.tar";
    TRY(data_find(&path, data, f->where));
    mem_free(path);
    return read_archive(f, data, category);
}

Status mmlu_read(Questions *out, Fewshot prompts[MMLU_SUBJECTS], const char *data, MmluCategory category)
{
    Files f = {0};
    Str name = {0};
    Status st = find_files(&f, data, category);
    for (int i = 0; i < MMLU_SUBJECTS && st == ST_OK; i++) {
        if (mmlu_categories[i] != category)
            continue;
        const char *subject = mmlu_subjects[i];
        if (!f.dev[i].n || !f.test[i].n)
            st = fail(ST_IO, "%s has no questions or no examples of %s", f.where, subject);
        str_clear(&name);
        str_addf(&name, "%s: dev/%s_dev.csv", f.where, subject);
        if (st == ST_OK)
            st = take_file(&(Target){.subject = subject, .examples = &prompts[i]}, str_span(&f.dev[i]),
                           str_c(&name));
        str_clear(&name);
        str_addf(&name, "%s: test/%s_test.csv", f.where, subject);
        if (st == ST_OK)
            st = take_file(&(Target){.subject = subject, .questions = out}, str_span(&f.test[i]),
                           str_c(&name));
    }
    str_drop(&name);
    files_drop(&f);
    return st;
}
