#include "env/docker_exec.h"

#include <string.h>

#include "base/array.h"

enum { OUTPUT_MAX = 16 << 20, WORDS_MAX = 100000 };

const char docker_timed_out[] = "Command timed out", docker_malformed[] = "Malformed command";

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool docker_words(Str *out, Span line)
{
    char quote = 0;
    bool word = false;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.at[i], next = i + 1 < line.n ? line.at[i + 1] : 0;
        if (quote && c == quote) {
            quote = 0;
        } else if (c == '\\' && quote != '\'') {
            if (i + 1 == line.n)
                return false;
            if (quote && next != '\\' && next != quote)
                str_addc(out, c);
            str_addc(out, next);
            word = true;
            i++;
        } else if (quote) {
            str_addc(out, c);
        } else if (c == '\'' || c == '"') {
            quote = c;
            word = true;
        } else if (!is_blank(c)) {
            str_addc(out, c);
            word = true;
        } else if (word) {
            str_addc(out, 0);
            word = false;
        }
    }
    if (word)
        str_addc(out, 0);
    return !quote;
}

bool docker_bash(Str *out, Span action)
{
    Str line = {0};
    str_clear(out);
    str_adds(&line, "/bin/bash -c \"");
    str_add(&line, action.at, action.n);
    str_addc(&line, '"');
    bool nul = action.n && memchr(action.at, 0, action.n), good = !nul && docker_words(out, str_span(&line));
    str_drop(&line);
    return good;
}

void docker_go(Str *folder, Span path)
{
    Str all = {0}, out = {0};
    if (path.n == 0 || path.at[0] != '/') {
        str_add(&all, folder->at, folder->n);
        str_addc(&all, '/');
    }
    str_add(&all, path.at, path.n);
    for (size_t i = 0; i < all.n;) {
        size_t n = 0;
        while (i + n < all.n && all.at[i + n] != '/')
            n++;
        Span part = {all.at + i, n};
        if (span_is(part, "..")) {
            while (out.n && out.at[--out.n] != '/')
                ;
        } else if (n && !span_is(part, ".")) {
            str_addc(&out, '/');
            str_add(&out, part.at, part.n);
        }
        i += n + 1;
    }
    str_clear(folder);
    str_adds(folder, out.n ? "" : "/");
    str_add(folder, str_c(&out), out.n);
    str_drop(&all);
    str_drop(&out);
}

Status docker_exec(Str *out, bool *done, const SandboxSpec *spec, const char *folder, const Str *words)
{
    static const char start[] = "exec 2>&1; cd -- \"$0\" && exec -- \"$@\"";
    *done = false;
    if (!words->n || words->n >= WORDS_MAX) {
        str_adds(out, docker_malformed);
        return ST_OK;
    }
    Array(const char *) argv = {0};
    array_push(&argv, "bash");
    array_push(&argv, "-c");
    array_push(&argv, start);
    array_push(&argv, folder);
    for (size_t i = 0; i < words->n; i += strlen(words->at + i) + 1)
        array_push(&argv, words->at + i);
    array_push(&argv, NULL);
    SandboxResult r;
    SandboxSpec run = *spec;
    run.argv = argv.at;
    run.limits.output_bytes = OUTPUT_MAX;
    Status st = sandbox_run(&r, &run, NULL);
    array_drop(&argv);
    if (st != ST_OK)
        return st;
    if (r.end == SANDBOX_WALL_TIME || r.end == SANDBOX_CPU_TIME)
        str_adds(out, docker_timed_out);
    else if (r.end == SANDBOX_OUTPUT || !utf8_valid(str_c(&r.out), r.out.n))
        str_adds(out, docker_malformed);
    else
        str_add(out, r.out.at, r.out.n);
    *done = r.end == SANDBOX_EXITED && r.code == 0;
    sandbox_result_drop(&r);
    return ST_OK;
}

Status docker_cd(Str *out, bool *done, const SandboxSpec *spec, Str *folder, Span path,
                 bool (*words_of)(Str *words, Span action))
{
    Str to = {0}, line = {0}, words = {0};
    Status st = ST_OK;
    str_add(&to, folder->at, folder->n);
    docker_go(&to, path);
    str_addf(&line, "cd %s", str_c(&to));
    *done = false;
    if (words_of(&words, str_span(&line)))
        st = docker_exec(out, done, spec, "/", &words);
    else
        str_adds(out, docker_malformed);
    if (st == ST_OK && *done) {
        str_clear(folder);
        str_add(folder, to.at, to.n);
    }
    str_drop(&to);
    str_drop(&line);
    str_drop(&words);
    return st;
}
