/* Which of our templates a Jinja text is.
 *
 * The text is read as Jinja's lexer reads it: the words that it can print are what stands outside of tags and
 * in string literals.  A style is recognised by the marks among these words, and refused where there is
 * markup that the style does not write ("<think>" in ChatML): what we would leave out, the model would miss.
 * The default system prompt, the begin-of-text token, trimming and tools are read off as well. */
#include <string.h>

#include "base/file.h"
#include "base/json_file.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/jinja_words.h"

enum { JINJA_MAX = 1 << 20 };

/* Markup ------------------------------------------------------------------------------------------------ */

static bool is_known(Span markup, const char *const *known)
{
    for (; *known; known++)
        if (span_is(markup, *known))
            return true;
    return false;
}

/* The first markup that the style does not know, or an empty span. */
static Span stranger(const WordList *list, const char *const *known)
{
    for (size_t i = 0; i < list->n; i++) {
        Span s = str_span(&list->at[i].text);
        for (size_t n; !list->at[i].compared && s.n; s = (Span){s.at + (n ? n : 1), s.n - (n ? n : 1)}) {
            n = jinja_words_markup(s);
            if (n && !is_known((Span){s.at, n}, known))
                return (Span){s.at, n};
        }
    }
    return (Span){"", 0};
}

/* Prose ------------------------------------------------------------------------------------------------- */

enum { PROSE_MIN = 16 }; /* bytes, and words with spaces between: else it is a role, a tag, a name */

/* Without white space and markup, which is looked at by itself. */
static void add_dense(Str *out, Span text)
{
    for (size_t i = 0, n; i < text.n; i += n ? n : 1) {
        n = jinja_words_markup((Span){text.at + i, text.n - i});
        if (!n && !strchr(" \t\r\n", text.at[i]))
            str_addc(out, text.at[i]);
    }
}

/* All that a style writes of itself. */
static void add_own_words(Str *out, const ChatStyle *style)
{
    WordList own = {0};
    jinja_words_read(&own, span(style->jinja));
    for (size_t i = 0; i < own.n; i++)
        if (!own.at[i].compared)
            add_dense(out, str_span(&own.at[i].text));
    jinja_words_drop(&own);
}

/* The first literal of some length that the style does not write, or NULL: instructions that the model was
 * tuned with and would miss.  The default system prompt is the template's own. */
static const char *strange_prose(const WordList *list, const ChatTemplate *tmpl, const char *const *also)
{
    Str own = {0}, dense = {0};
    const char *found = NULL;
    add_own_words(&own, tmpl->style);
    for (; *also; also++)
        add_dense(&own, span(*also));
    for (size_t i = 0; i < list->n && !found; i++) {
        const char *text = str_c(&list->at[i].text);
        if (list->at[i].compared || (tmpl->system && strstr(text, tmpl->system)))
            continue;
        str_clear(&dense);
        add_dense(&dense, str_span(&list->at[i].text));
        if (dense.n >= PROSE_MIN && strchr(text, ' ') && !strstr(str_c(&own), str_c(&dense)))
            found = text;
    }
    str_drop(&own);
    str_drop(&dense);
    return found;
}

/* Signs of styles ---------------------------------------------------------------------------------------- */

typedef struct {
    const char *style;
    const char *const needed[4]; /* all among the words */
    const char *const absent[4]; /* none among the words */
    const char *const known[24]; /* markup that the style writes, or writes for what we refuse to render */
    const char *const also[8];   /* prose of the same kinds, beyond our own Jinja text                    */
} Sign;

/* The first that fits; the more particular ones come first. */
static const Sign signs[] = {
    {"chatml",
     {"<|im_start|>", "<|im_end|>"},
     {NULL},
     {"<|im_start|>", "<|im_end|>", "<|endoftext|>", "<tools>", "</tools>", "<tool_call>", "</tool_call>",
      "<tool_response>", "</tool_response>", "<function-name>", "<args-json-object>", "<s>", "</s>",
      "<args-dict>"},
     {NULL}},
    {"llama-3.1",
     {"<|start_header_id|>", "<|eot_id|>", "Cutting Knowledge Date: December 2023\n"},
     {NULL},
     {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|eom_id|>", "<|python_tag|>",
      "<|begin_of_text|>"},
     {"Environment: ipython",
      "You have access to the following functions. To call a function, please respond with "
      "JSON for a function call."}},
    {"llama-3",
     {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"},
     {NULL},
     {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|begin_of_text|>", "<|end_of_text|>"},
     {NULL}},
    {"llama-2",
     {"[INST] ", " [/INST]", "<<SYS>>\n"},
     {NULL},
     {"[INST]", "[/INST]", "<<SYS>>", "<</SYS>>", "<s>", "</s>"},
     {NULL}},
    {"zephyr",
     {"<|user|>\n", "<|assistant|>"},
     {"<|end|>"},
     {"<|user|>", "<|assistant|>", "<|system|>", "<s>", "</s>", "<|endoftext|>"},
     {NULL}},
    {"alpaca",
     {"### Instruction:\n", "### Response:\n"},
     {"### Input:"},
     {"<s>", "</s>", "<|endoftext|>"},
     {NULL}},
    {"plain", {NULL}, {NULL}, {NULL}, {NULL}}, /* by its comment alone */
    {NULL, {NULL}, {NULL}, {NULL}, {NULL}},
};

static bool shows(const WordList *list, const Sign *sign)
{
    if (!sign->needed[0])
        return false;
    for (size_t i = 0; i < 4 && sign->needed[i]; i++)
        if (!jinja_words_have(list, sign->needed[i]))
            return false;
    for (size_t i = 0; i < 4 && sign->absent[i]; i++)
        if (jinja_words_have(list, sign->absent[i]))
            return false;
    return true;
}

static const ChatStyle *style_named(const char *name)
{
    const ChatStyle *const *s = chat_styles;
    while (*s && strcmp((*s)->name, name) != 0)
        s++;
    return *s;
}

static bool contains(Span text, const char *what)
{
    return memmem(text.at, text.n, what, strlen(what)) != NULL;
}

/* What stands in the Jinja text between the first "<|user|>" and the next mark of a turn. */
static Span after_user(Span jinja)
{
    const char *at = memmem(jinja.at, jinja.n, "<|user|>", 8);
    if (!at)
        return (Span){"", 0};
    Span rest = {at + 8, jinja.n - (size_t)(at + 8 - jinja.at)};
    const char *next = memmem(rest.at, rest.n, "<|", 2), *end = memmem(rest.at, rest.n, "%}", 2);
    size_t n = next ? (size_t)(next - rest.at) : rest.n;
    return (Span){rest.at, end && (size_t)(end - rest.at) < n ? (size_t)(end - rest.at) : n};
}

/* What stands behind `mark` and, where `role`, behind a role's name, is `wanted` everywhere: in the same
 * words or at the beginning of the next. */
static bool followed(const WordList *list, const char *mark, bool role, const char *wanted)
{
    for (size_t i = 0; i < list->n; i++) {
        const char *at = list->at[i].compared ? NULL : strstr(str_c(&list->at[i].text), mark);
        for (; at; at = strstr(at, mark)) {
            size_t next = i + 1;
            at += strlen(mark);
            const char *behind = at + (role ? strspn(at, "abcdefghijklmnopqrstuvwxyz") : 0);
            while (next < list->n && list->at[next].compared)
                next++;
            if (!*behind && next < list->n)
                behind = str_c(&list->at[next].text);
            if (strncmp(behind, wanted, strlen(wanted)) != 0)
                return false;
        }
    }
    return true;
}

static bool either(Span jinja, const char *a, const char *b)
{
    return contains(jinja, a) || contains(jinja, b);
}

/* Every turn of Llama 2's begins with the begin-of-text token. */
static bool turns_begin(Span jinja)
{
    Span rest = jinja;
    for (const char *at; (at = memmem(rest.at, rest.n, "[INST] ", 7)) != NULL;) {
        Span before = {jinja.at, (size_t)(at - jinja.at)};
        if (!span_ends(before, "bos_token + '") && !span_ends(before, "bos_token + \""))
            return false;
        rest = (Span){at + 7, rest.n - (size_t)(at + 7 - rest.at)};
    }
    return true;
}

/* Details in which templates of one family differ; NULL: all are as ours. */
static const char *wrong_detail(const char *style, const WordList *list, Span jinja)
{
    bool llama3 = strncmp(style, "llama-3", 7) == 0;
    if (strcmp(style, "chatml") == 0 &&
        (!followed(list, "<|im_start|>", true, "\n") || !followed(list, "<|im_end|>", false, "\n")))
        return "a mark without its line end";
    if (llama3 && !followed(list, "<|end_header_id|>", false, "\n\n"))
        return "a header without its empty line";
    if (strcmp(style, "llama-2") == 0 && !turns_begin(jinja))
        return "[INST] without the begin-of-text token in front of every turn";
    if (strcmp(style, "llama-2") == 0 && !either(jinja, "' ' + eos_token", "\" \" + eos_token"))
        return "answers without a space behind them";
    Span turn = after_user(jinja);
    const char *words = turn.n ? memmem(turn.at, turn.n, "content", 7) : NULL;
    if (strcmp(style, "zephyr") == 0 && (!contains(jinja, "eos_token") || !words))
        return "answers without the end-of-text token";
    if (strcmp(style, "zephyr") == 0) {
        Span rest = {words, turn.n - (size_t)(words - turn.at)};
        if (!contains(rest, "\\n") && !contains(rest, "\n"))
            return "messages without a line end";
    }
    return NULL;
}

/* Settings ---------------------------------------------------------------------------------------------- */

/* A statement "{% set NAME = ... %}" whose name has "system" in it gives it the text at `literal`. */
static bool sets_system(Span jinja, size_t literal)
{
    enum {
        HEAD = 256
    }; /* bytes from a tag's opening to the text: no further, for a hostile template has many texts */
    size_t open = literal, least = literal > HEAD ? literal - HEAD : 0;
    while (open >= least + 2 && !(jinja.at[open - 2] == '{' && strchr("{%", jinja.at[open - 1])))
        open--;
    Span tag = {jinja.at + open, literal - open};
    const char *equals = memchr(tag.at, '=', tag.n);
    if (open < least + 2 || jinja.at[open - 1] != '%' || !equals)
        return false;
    Span name = {tag.at, (size_t)(equals - tag.at)};
    return contains(name, "set ") && contains(name, "system");
}

/* The default system prompt: a text given to a variable named after it, or words that follow the opening of a
 * system turn in one literal. */
static void find_system(ChatTemplate *tmpl, const WordList *list, Span jinja)
{
    static const char *const opens[] = {"<|im_start|>system\n", "<|system|>\n", "<<SYS>>\n",
                                        "<|start_header_id|>system<|end_header_id|>\n\n"};
    static const char *const ends[] = {"<|im_end|>", "\n<|", "\n<</SYS>>", "<|eot_id|>"};
    chat_template_set_system(tmpl, NULL);
    for (size_t i = 0; i < list->n; i++) {
        const Words *w = &list->at[i];
        if (!span_trim(str_span(&w->text)).n || w->compared)
            continue;
        if (w->literal && sets_system(jinja, w->at) && !strstr(w->text.at, "<|") &&
            !strstr(w->text.at, "<<")) {
            chat_template_set_system(tmpl, w->text.at);
            return;
        }
        for (size_t k = 0; k < 4; k++) {
            const char *open = strstr(w->text.at, opens[k]);
            const char *begin = open ? open + strlen(opens[k]) : NULL,
                       *end = begin ? strstr(begin, ends[k]) : NULL;
            if (!begin || !span_trim(span(begin)).n || strncmp(begin, "Cutting Knowledge", 17) == 0 ||
                strncmp(begin, "# Tools", 7) == 0)
                continue;
            Str text = {0};
            str_add(&text, begin, end ? (size_t)(end - begin) : strlen(begin));
            chat_template_set_system(tmpl, str_c(&text));
            str_drop(&text);
            return;
        }
    }
}

/* Whether messages are trimmed: "content ... | trim" or ".strip()". */
static bool finds_trim(Span jinja)
{
    static const char *const forms[] = {"content']|trim",          "content'] | trim",  "content\"]|trim",
                                        "content\"] | trim",       "content|trim",      "content | trim",
                                        "content.strip()",         "content'].strip()", "content\"].strip()",
                                        "content'] or '').strip()"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (contains(jinja, forms[i]))
            return true;
    return false;
}

static bool has_our_tools(const ChatStyle *style, const WordList *list)
{
    return strcmp(style->name, "chatml") != 0 ||
           (jinja_words_have(list, "<tool_call>") &&
            jinja_words_have(list, "signatures within <tools></tools> XML tags:\n<tools>"));
}

static ChatTemplate *read_settings(const Sign *sign, const WordList *list, Span jinja)
{
    bool tulu = strcmp(sign->style, "zephyr") == 0 && !contains(after_user(jinja), "eos_token");
    ChatTemplate *tmpl = chat_template_of_style(style_named(tulu ? "tulu" : sign->style));
    if (tmpl->bos != BOS_INSIDE) {
        bool bos = contains(jinja, "bos_token") || jinja_words_have(list, "<s>") ||
                   jinja_words_have(list, "<|begin_of_text|>");
        tmpl->bos = bos ? BOS_ALWAYS : BOS_NEVER;
        tmpl->trims = finds_trim(jinja);
    }
    tmpl->tools = tmpl->tools && has_our_tools(tmpl->style, list);
    find_system(tmpl, list, jinja);
    return tmpl;
}

static Status recognise(ChatTemplate **out, const WordList *list, Span jinja)
{
    bool plain = span_starts(jinja, CHAT_PLAIN_SIGN);
    const Sign *sign = signs;
    while (sign->style && !(plain ? strcmp(sign->style, "plain") == 0 : shows(list, sign)))
        sign++;
    if (!sign->style)
        return fail(ST_UNSUPPORTED,
                    "its chat template is none of ours; name the one that it is most like with --template "
                    "(lemur chat --help lists them)");
    Span odd = plain ? (Span){"", 0} : stranger(list, sign->known);
    ChatTemplate *tmpl = read_settings(sign, list, jinja);
    const char *prose = odd.n || plain ? NULL : strange_prose(list, tmpl, sign->also);
    const char *detail = odd.n || prose || plain ? NULL : wrong_detail(sign->style, list, jinja);
    /* Text to us, and tokens to whoever runs the Jinja; ours of it would not be recognised either. */
    if (!odd.n && !prose && !detail && tmpl->system &&
        (strstr(tmpl->system, "<|") || strstr(tmpl->system, "<<")))
        detail = "marks in its default system prompt";
    if (!odd.n && !prose && !detail) {
        *out = tmpl;
        return ST_OK;
    }
    chat_template_free(tmpl);
    if (detail)
        return fail(
            ST_UNSUPPORTED,
            "its chat template looks like %s but has %s; to use ours all the same, name it: --template %s",
            sign->style, detail, sign->style);
    Span words = odd.n ? odd : span_trim(span(prose));
    return fail(
        ST_UNSUPPORTED,
        "its chat template looks like %s but writes \"%.*s\", which ours does not; to use ours all the same, "
        "name it: --template %s",
        sign->style, (int)(words.n < 60 ? words.n : 60), words.at, sign->style);
}

Status chat_template_recognise(ChatTemplate **out, Span jinja)
{
    WordList list = {0};
    if (jinja.n > JINJA_MAX)
        return fail(ST_UNSUPPORTED, "a chat template of %zu bytes; name one with --template", jinja.n);
    jinja_words_read(&list, jinja);
    Status st = recognise(out, &list, jinja);
    jinja_words_drop(&list);
    return st;
}

/* Model folders ------------------------------------------------------------------------------------------ */

/* "chat_template" is a text, or a list of {"name", "template"} of which "default" is ours. */
static const json_t *template_text(const json_t *value)
{
    json_t *one;
    const json_t *first = NULL;
    size_t i;
    if (json_is_string(value))
        return value;
    json_array_foreach(value, i, one)
    {
        const char *name = json_string_value(json_object_get(one, "name"));
        const json_t *text = json_object_get(one, "template");
        if (json_is_string(text) && (!first || (name && strcmp(name, "default") == 0)))
            first = text;
    }
    return first;
}

static Status add_config_text(Str *out, const char *path)
{
    json_t *config = NULL;
    TRY(json_file_read(&config, path));
    const json_t *text = template_text(json_object_get(config, "chat_template"));
    if (text)
        str_add(out, json_string_value(text), json_string_length(text));
    json_decref(config);
    return ST_OK;
}

Status chat_template_text(Str *out, const char *folder)
{
    char *jinja = path_join(folder, "chat_template.jinja"),
         *config = path_join(folder, "tokenizer_config.json");
    Status st = ST_OK;
    if (path_exists(jinja))
        st = file_read(out, jinja, JINJA_MAX);
    else if (path_exists(config))
        st = add_config_text(out, config);
    mem_free(jinja);
    mem_free(config);
    return st;
}

Status chat_template_of_folder(ChatTemplate **out, const char *folder)
{
    Str text = {0};
    *out = NULL;
    Status st = chat_template_text(&text, folder);
    if (st == ST_OK && text.n)
        st = chat_template_recognise(out, str_span(&text));
    if (st != ST_OK)
        st = fail_in(st, "%s", folder);
    str_drop(&text);
    return st;
}
