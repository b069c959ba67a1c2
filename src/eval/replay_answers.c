#include "eval/replay_answers.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

#include "agent/python_text.h"
#include "base/file.h"
#include "base/json_file.h"
#include "base/stream.h"

enum { LINE_MAX_BYTES = 16 << 20, METRICS_MAX_BYTES = 1 << 20 };

static Span text_of(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_string(v) ? (Span){json_string_value(v), json_string_length(v)} : (Span){NULL, 0};
}

/* What stands behind the last `mark`, or all of it; *found says which. */
static Span behind_last(Span text, const char *mark, bool *found)
{
    *found = python_in(span(mark), text);
    return *found ? python_after_last(text, mark) : text;
}

/* Overwrites *out with the solution's number; false: there is none. */
static bool solution_number(Str *out, Span solution)
{
    bool found;
    Span text = span_trim(behind_last(solution, "A: ", &found));
    str_clear(out);
    for (size_t i = 0; i < text.n; i++)
        if (text.at[i] != ',')
            str_addc(out, text.at[i]);
    return found;
}

static void check_solution(ReplayReport *report, const char *path, int64_t line, const char *model,
                           const json_t *given, const Str *gold)
{
    const json_t *label = json_object_get(given, "is_correct");
    Span solution = text_of(given, "solution");
    if (!json_is_boolean(label) || !solution.at || !gold->n) {
        report->counts[REPLAY_GSM8K].undecided[REPLAY_BROKEN]++;
        return;
    }
    Str number = {0}, what = {0};
    bool right = solution_number(&number, solution) && number.n == gold->n &&
                 memcmp(number.at, gold->at, gold->n) == 0;
    bool agrees = right == json_is_true(label);
    if (!agrees)
        str_addf(&what, "%.60s: the answer is \"%.60s\", the gold \"%.60s\", recorded as %s", model,
                 str_c(&number), str_c(gold), json_is_true(label) ? "right" : "wrong");
    replay_count(report, REPLAY_GSM8K, agrees, path, line, str_c(&what));
    str_drop(&number);
    str_drop(&what);
}

static void bad_line(ReplayReport *report, const char *path, int64_t line, const char *why)
{
    report->bad_lines++;
    replay_trouble(report, "%s:%lld: %s; passed over", path, (long long)line, why);
}

static void gsm8k_line(ReplayReport *report, const char *path, int64_t line, Span text)
{
    json_error_t error;
    const char *model;
    json_t *given, *row = json_loadb(text.at, text.n, JSON_ALLOW_NUL, &error);
    Span truth = text_of(row, "ground_truth");
    if (!truth.at) {
        bad_line(report, path, line, row ? "no ground_truth" : error.text);
        json_decref(row);
        return;
    }
    Str gold = {0};
    if (!solution_number(&gold, truth))
        str_clear(&gold);
    json_object_foreach(row, model, given) if (json_is_object(given))
        check_solution(report, path, line, model, given, &gold);
    str_drop(&gold);
    json_decref(row);
}

Status replay_gsm8k_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    Status st;
    LineReader lines = {0};
    StreamReader *stream = NULL;
    const char *member;
    Span text;
    bool cut;
    if (!replay_wants(spec, REPLAY_GSM8K))
        return ST_OK;
    report->files++;
    int64_t line = 0;
    TRY_TO(undo, stream_open(&stream, path));
    TRY_TO(undo, stream_next(stream, &member));
    lines_start(&lines, stream);
    for (;;) {
        TRY_TO(undo, lines_next(&lines, LINE_MAX_BYTES, &text, &cut));
        if (!text.at)
            break;
        line++;
        if (cut)
            bad_line(report, path, line, "longer than 16 MB");
        else if (span_trim(text).n)
            gsm8k_line(report, path, line, text);
    }
undo:
    lines_drop(&lines);
    stream_close(stream);
    return st == ST_OK ? ST_OK : fail_in(st, "%s:%lld", path, (long long)line + 1);
}

static bool output_is_right(const json_t *output)
{
    bool found;
    Span target = text_of(output, "target");
    Span said = behind_last(text_of(output, "prediction"), "the answer is ", &found);
    if (!said.at || !target.at)
        return false;
    const char *end = memchr(said.at, '\n', said.n);
    said = span_trim((Span){said.at, end ? (size_t)(end - said.at) : said.n});
    if (span_ends(said, "."))
        said.n--;
    target = span_trim(target);
    return said.n == target.n && memcmp(said.at, target.at, said.n) == 0;
}

/* NAME.json has its figures in NAME_eval_metrics.jsonl. */
static Status recorded_accuracy(double *accuracy, const char *path)
{
    Str text = {0};
    json_error_t error;
    char *metrics = mem_format("%.*s_eval_metrics.jsonl", (int)(strlen(path) - strlen(".json")), path);
    Status st = file_read(&text, metrics, METRICS_MAX_BYTES);
    json_t *row = st == ST_OK && text.n ? json_loadb(text.at, text.n, JSON_DISABLE_EOF_CHECK, &error) : NULL;
    const json_t *value = json_object_get(row, "accuracy");
    if (st == ST_OK && !json_is_number(value))
        st = fail(ST_FORMAT, "%s: no object with the number \"accuracy\"", metrics);
    if (st == ST_OK)
        *accuracy = json_number_value(value);
    json_decref(row);
    mem_free(metrics);
    str_drop(&text);
    return st;
}

Status replay_bbh_file(ReplayReport *report, const ReplaySpec *spec, const char *path)
{
    json_t *file = NULL, *outputs, *output;
    double recorded = 0;
    size_t i;
    int64_t right = 0;
    if (!replay_wants(spec, REPLAY_BBH))
        return ST_OK;
    report->files++;
    TRY(json_file_read(&file, path));
    outputs = json_object_get(file, "outputs");
    size_t n = json_array_size(outputs);
    Status st = n ? recorded_accuracy(&recorded, path) : fail(ST_FORMAT, "%s: no list \"outputs\"", path);
    json_array_foreach(outputs, i, output) right += output_is_right(output);
    json_decref(file);
    if (st != ST_OK) {
        report->counts[REPLAY_BBH].undecided[REPLAY_BROKEN]++;
        return st;
    }
    double accuracy = 100 * (double)right / (double)n;
    char what[100];
    snprintf(what, sizeof what, "accuracy %.4f here, %.4f recorded", accuracy, recorded);
    replay_count(report, REPLAY_BBH, fabs(accuracy - recorded) < 1e-6, path, 1, what);
    return ST_OK;
}
