#include "tokenizer/chat.h"

#include <ctype.h>
#include <string.h>

#include "base/check.h"
#include "tokenizer/chat_templates.h"
#include "tokenizer/vocab.h"

/* Templates --------------------------------------------------------------------------------------------- */

ChatTemplate *chat_template_of_style(const ChatStyle *style)
{
    ChatTemplate *t = mem_new(ChatTemplate);
    t->style = style;
    t->bos = style->bos;
    t->trims = style->trims;
    t->tools = style->tools;
    chat_template_set_system(t, style->system);
    return t;
}

/* "llama3.1", "Llama-3_1" and "llama-3.1" are one name. */
static bool same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        a += strspn(a, "-_. ");
        b += strspn(b, "-_. ");
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

Status chat_template_open(ChatTemplate **out, const char *name)
{
    for (const ChatStyle *const *s = chat_styles; *s; s++)
        if (same_name((*s)->name, name)) {
            *out = chat_template_of_style(*s);
            return ST_OK;
        }
    Str known = {0};
    for (const ChatStyle *const *s = chat_styles; *s; s++)
        str_addf(&known, "%s%s", s == chat_styles ? "" : ", ", (*s)->name);
    Status st = fail(ST_ARG, "there is no chat template '%s'; there are %s", name, str_c(&known));
    str_drop(&known);
    return st;
}

void chat_template_free(ChatTemplate *tmpl)
{
    if (tmpl)
        mem_free(tmpl->system);
    mem_free(tmpl);
}

const char *const *chat_template_names(void)
{
    static const char *names[16];
    for (size_t i = 0; chat_styles[i]; i++) {
        check(i + 1 < sizeof names / sizeof names[0]);
        names[i] = chat_styles[i]->name;
    }
    return names;
}

const char *chat_template_name(const ChatTemplate *tmpl)
{
    return tmpl->style->name;
}

const char *chat_template_about(const ChatTemplate *tmpl)
{
    return tmpl->style->about;
}

const char *chat_template_system(const ChatTemplate *tmpl)
{
    return tmpl->system;
}

void chat_template_set_system(ChatTemplate *tmpl, const char *text)
{
    char *copy = text && *text ? mem_str(text) : NULL;
    mem_free(tmpl->system);
    tmpl->system = copy;
}

bool chat_template_has_tools(const ChatTemplate *tmpl)
{
    return tmpl->tools;
}

const char *const *chat_template_markers(const ChatTemplate *tmpl)
{
    return tmpl->style->marks;
}

static bool starts_with_bos(const ChatTemplate *tmpl, const Tokenizer *t)
{
    return tokenizer_bos(t) >= 0 &&
           (tmpl->bos == BOS_ALWAYS || (tmpl->bos == BOS_ASKED && tokenizer_adds_bos(t)));
}

static void add_jinja_text(Str *out, const char *text)
{
    if (!text) {
        str_adds(out, "none");
        return;
    }
    str_addc(out, '\'');
    for (; *text; text++)
        if (*text == '\n')
            str_adds(out, "\\n");
        else
            str_addf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    str_addc(out, '\'');
}

void chat_template_jinja(const ChatTemplate *tmpl, const Tokenizer *t, Str *out)
{
    chat_add_jinja(tmpl, starts_with_bos(tmpl, t), out);
}

static void add_jinja_system(Str *out, const ChatTemplate *tmpl)
{
    Span words = tmpl->system ? chat_words(tmpl, span(tmpl->system)) : (Span){0};
    char *text = tmpl->system ? mem_strn(words.at, words.n) : NULL;
    add_jinja_text(out, text);
    mem_free(text);
}

static void replace_all(Str *text, const char *what, const char *with)
{
    Str out = {0};
    const char *at = str_c(text);
    for (const char *hit; (hit = strstr(at, what)); at = hit + strlen(what)) {
        str_add(&out, at, (size_t)(hit - at));
        str_adds(&out, with);
    }
    str_adds(&out, at);
    str_drop(text);
    *text = out;
}

/* The style's text, for messages that are trimmed where its own are not, or the other way round. */
static Str jinja_of(const ChatTemplate *tmpl)
{
    Str text = {0};
    str_adds(&text, tmpl->style->jinja);
    if (tmpl->trims && !tmpl->style->trims) {
        replace_all(&text, "message['content'] or ''", "message['content']");
        replace_all(&text, "message['content']", "(message['content'] or '').strip()");
        replace_all(&text, "messages[0]['content']", "messages[0]['content'].strip()");
    } else if (!tmpl->trims && tmpl->style->trims) {
        replace_all(&text, ".strip()", "");
    }
    return text;
}

void chat_add_jinja(const ChatTemplate *tmpl, bool bos, Str *out)
{
    Str text = tmpl->bos == BOS_INSIDE ? (Str){0} : jinja_of(tmpl);
    const char *at = tmpl->bos == BOS_INSIDE ? tmpl->style->jinja : str_c(&text);
    for (const char *mark; (mark = strchr(at, '%')); at = mark + 1) {
        str_add(out, at, (size_t)(mark - at));
        if (strncmp(mark, "%BOS%", 5) == 0) {
            str_adds(out, bos ? "{{- bos_token }}\n" : "");
            mark += 4;
        } else if (strncmp(mark, "%SYSTEM%", 8) == 0) {
            add_jinja_system(out, tmpl);
            mark += 7;
        } else {
            str_addc(out, '%');
        }
    }
    str_adds(out, at);
    str_drop(&text);
}

/* Marks in a vocabulary --------------------------------------------------------------------------------- */

typedef struct {
    int32_t id; /* -1: it is spelled out */
    bool plain; /* sought in any text, so that messages must be kept from spelling it */
    bool left_strip, right_strip;
} Mark;

static Mark find_mark(const Tokenizer *t, const char *text, size_t n)
{
    Mark mark = {.id = -1};
    if (n == 1 && (text[0] == BOS[0] || text[0] == EOS[0])) {
        mark.id = text[0] == BOS[0] ? tokenizer_bos(t) : tokenizer_eos(t);
        if (mark.id < 0)
            return mark;
        text = t->pieces[mark.id].at;
        n = t->pieces[mark.id].n;
    }
    int32_t id = vocab_find(t, text, n);
    if (mark.id < 0 && (id < 0 || (t->kinds[id] != PIECE_CONTROL && t->kinds[id] != PIECE_USER)))
        return mark;
    const Matcher *matchers[] = {&t->raw_special, &t->normal_special, &t->raw_plain, &t->normal_plain};
    mark.id = mark.id < 0 ? id : mark.id;
    mark.plain = t->kinds[mark.id] == PIECE_USER;
    for (size_t i = 0; i < 4 && n; i++) {
        const Needle *needle = matchers[i]->needles.n ? matcher_at(matchers[i], text, n) : NULL;
        if (needle && needle->id == mark.id) {
            mark.left_strip = needle->left_strip;
            mark.right_strip = needle->right_strip;
        }
    }
    return mark;
}

int32_t chat_mark_id(const Tokenizer *t, const char *mark)
{
    return find_mark(t, mark, strlen(mark)).id;
}

Status chat_template_check(const ChatTemplate *tmpl, const Tokenizer *t)
{
    Str missing = {0};
    Status st = ST_OK;
    for (const char *const *m = tmpl->style->marks; *m; m++)
        if (chat_mark_id(t, *m) < 0)
            str_addf(&missing, "%s%s", missing.n ? ", " : "", *m);
    if (missing.n)
        st = fail(ST_ARG,
                  "the vocabulary has no special token %s, which the chat template %s marks turns with",
                  str_c(&missing), tmpl->style->name);
    else if (tmpl->style->end[0] == EOS[0] && tokenizer_eos(t) < 0)
        st = fail(ST_ARG,
                  "the vocabulary has no end-of-text token, which the chat template %s ends answers with",
                  tmpl->style->name);
    str_drop(&missing);
    return st;
}

static void add_once(Ids *ids, int32_t id)
{
    for (size_t i = 0; i < ids->n; i++)
        if (ids->at[i] == id)
            return;
    if (id >= 0)
        array_push(ids, id);
}

void chat_stop_ids(const Tokenizer *t, const ChatTemplate *tmpl, Ids *out)
{
    /* Llama 3.1 ends a message that waits for a tool with the second; it is not in the template's own words.
     */
    const char *others[] = {"<|eot_id|>", "<|eom_id|>"};
    add_once(out, chat_mark_id(t, tmpl->style->end));
    add_once(out, tokenizer_eos(t));
    for (size_t i = 0; i < 2; i++)
        if (tokenizer_is_special(t, tokenizer_find(t, others[i])))
            add_once(out, tokenizer_find(t, others[i]));
}

const char *const *chat_stop_texts(const Tokenizer *t, const ChatTemplate *tmpl)
{
    return chat_mark_id(t, tmpl->style->end) < 0 ? tmpl->style->spelled : tmpl->style->stops;
}

/* Writing ----------------------------------------------------------------------------------------------- */

static void pen_drop(ChatPen *pen)
{
    str_drop(&pen->text);
    array_drop(&pen->parts);
}

static Status check_fits(const ChatTemplate *tmpl, const Conversation *c, int flags)
{
    const char *name = tmpl->style->name;
    if (!c->messages.n)
        return fail(ST_ARG, "the conversation has no message");
    if (c->tools && !tmpl->tools)
        return fail(ST_ARG, "the chat template %s has no place for tools", name);
    for (size_t i = 0; i < c->messages.n && !tmpl->tools; i++)
        if (c->messages.at[i].role == CHAT_TOOL || c->messages.at[i].tool_calls)
            return fail(ST_ARG, "message %zu: the chat template %s has no place for %s", i + 1, name,
                        c->messages.at[i].role == CHAT_TOOL ? "what a tool answers" : "tool calls");
    bool open = c->messages.at[c->messages.n - 1].role == CHAT_ASSISTANT;
    if (flags & CHAT_CONTINUE && (flags & CHAT_GENERATE || !open))
        return fail(ST_ARG, "only a message of the assistant can be written on, and the last one is %s",
                    open ? "followed by another" : "not");
    return ST_OK;
}

static Status write_all(ChatPen *pen, const Tokenizer *t)
{
    TRY(check_fits(pen->tmpl, pen->c, pen->flags));
    if (starts_with_bos(pen->tmpl, t) && !(pen->flags & CHAT_NO_BOS))
        chat_put(pen, BOS);
    return pen->tmpl->style->write(pen);
}

Status chat_render_text(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c, int flags,
                        Str *out)
{
    ChatPen pen = {.tmpl = tmpl, .c = c, .flags = flags};
    Status st = write_all(&pen, t);
    for (size_t i = 0; st == ST_OK && i < pen.parts.n; i++) {
        const ChatPart *p = &pen.parts.at[i];
        char first = pen.text.at[p->begin];
        bool end_of_text = p->kind == PART_MARK && (first == BOS[0] || first == EOS[0]);
        Span piece = end_of_text ? tokenizer_piece(t, first == BOS[0] ? tokenizer_bos(t) : tokenizer_eos(t))
                                 : (Span){pen.text.at + p->begin, p->end - p->begin};
        str_add(out, piece.at, piece.n);
    }
    pen_drop(&pen);
    return st;
}

/* Ids --------------------------------------------------------------------------------------------------- */

/* Where the ids are after what was written so far. */
typedef enum { AT_START, AFTER_MARK, AFTER_TEXT } Place;

typedef struct {
    const Tokenizer *t;
    TokenizerScratch *scratch;
    const ChatPen *pen;
    Ids *ids;
    Place place;
    bool strip; /* the mark before swallows white space */
} Encoder;

/* A dummy space goes in front of text where transformers, which sees the whole text at once, puts one. */
static Status encode_text(Encoder *e, Span text)
{
    bool raw = e->place == AFTER_TEXT || (e->place == AFTER_MARK && e->t->spm.prefix == PREFIX_FIRST);
    e->place = text.n ? AFTER_TEXT : e->place;
    return text.n ? tokenizer_encode_with(e->t, e->scratch, e->ids, text.at, text.n, raw ? TOK_RAW : 0)
                  : ST_OK;
}

/* The first mark that a message spells and that would be sought there; cut behind its first byte, it is text.
 * Returns text.n where there is none. */
static size_t next_forgery(const Encoder *e, const ChatPart *p, size_t from)
{
    const char *const *lists[] = {e->pen->tmpl->style->marks, e->pen->tmpl->style->tool_marks};
    const char *text = e->pen->text.at;
    size_t nearest = p->end;
    for (size_t l = 0; l < 2; l++)
        for (const char *const *m = lists[l]; *m; m++) {
            size_t n = strlen(*m);
            if (!find_mark(e->t, *m, n).plain)
                continue;
            const char *at = from < p->end ? memmem(text + from, p->end - from, *m, n) : NULL;
            if (at && (size_t)(at - text) + 1 < nearest)
                nearest = (size_t)(at - text) + 1;
        }
    return nearest;
}

/* The parts [from, to), which are one stretch of text. */
static Status encode_stretch(Encoder *e, size_t from, size_t to, bool strip_end)
{
    const ChatPart *parts = e->pen->parts.at;
    const char *text = e->pen->text.at;
    size_t begin = parts[from].begin, end = parts[to - 1].end;
    Span all = {text + begin, end - begin};
    if (e->strip)
        all = chat_strip_start(all);
    if (strip_end)
        all = chat_strip_end(all);
    begin = (size_t)(all.at - text);
    end = begin + all.n;
    e->strip = false;
    for (size_t i = from; i < to; i++) {
        size_t seek = parts[i].begin > begin ? parts[i].begin : begin;
        for (size_t cut;
             parts[i].message && (cut = next_forgery(e, &parts[i], seek)) < parts[i].end && cut < end;
             seek = begin = cut)
            TRY(encode_text(e, (Span){text + begin, cut - begin}));
    }
    return encode_text(e, (Span){text + begin, end - begin});
}

static Mark part_mark(const Encoder *e, size_t i)
{
    const ChatPart *p = &e->pen->parts.at[i];
    return p->kind == PART_MARK ? find_mark(e->t, e->pen->text.at + p->begin, p->end - p->begin)
                                : (Mark){.id = -1};
}

/* What a model wrote comes back in the very ids, which are in the cache. */
static Status add_written(Encoder *e, const ChatMessage *m)
{
    for (size_t i = 0; i < m->ids_n; i++) {
        if (m->ids[i] < 0 || m->ids[i] >= e->t->n)
            return fail(ST_ARG, "an answer's id %d is not in this vocabulary", m->ids[i]);
        array_push(e->ids, m->ids[i]);
    }
    e->place = AFTER_TEXT;
    e->strip = false;
    return ST_OK;
}

static Status encode_parts(Encoder *e, ChatMask *mask)
{
    const ChatPart *parts = e->pen->parts.at;
    for (size_t i = 0, next; i < e->pen->parts.n; i = next) {
        size_t before = e->ids->n;
        Mark mark = part_mark(e, i), behind = {.id = -1};
        next = i + 1;
        if (mark.id >= 0) {
            array_push(e->ids, mark.id);
            e->place = AFTER_MARK;
            e->strip = mark.right_strip;
        } else if (parts[i].kind == PART_IDS) {
            TRY(add_written(e, parts[i].written));
        } else {
            while (next < e->pen->parts.n && !parts[next].cut && parts[next].kind != PART_IDS &&
                   (behind = part_mark(e, next)).id < 0)
                next++;
            TRY(encode_stretch(e, i, next, behind.id >= 0 && behind.left_strip));
        }
        for (size_t k = before; mask && k < e->ids->n; k++)
            array_push(mask, (uint8_t)parts[i].learn);
    }
    return ST_OK;
}

Status chat_render(const Tokenizer *t, const ChatTemplate *tmpl, const Conversation *c, int flags, Ids *ids,
                   ChatMask *mask)
{
    ChatPen pen = {.tmpl = tmpl, .c = c, .flags = flags};
    Encoder e = {.t = t, .pen = &pen, .ids = ids, .place = AT_START};
    size_t ids_before = ids->n, mask_before = mask ? mask->n : 0;
    Status st = write_all(&pen, t);
    if (st == ST_OK && tmpl->style->end[0] == EOS[0] && tokenizer_eos(t) < 0)
        st = chat_template_check(tmpl, t);
    if (st == ST_OK) {
        e.scratch = tokenizer_scratch_take(t);
        st = encode_parts(&e, mask);
        tokenizer_scratch_give(e.scratch);
    }
    if (st != ST_OK) {
        ids->n = ids_before;
        if (mask)
            mask->n = mask_before;
    }
    pen_drop(&pen);
    return st;
}
