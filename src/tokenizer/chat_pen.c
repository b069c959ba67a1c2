/* How a style puts words on paper, and which of them are learned. */
#include <string.h>

#include "tokenizer/chat_templates.h"
#include "tokenizer/unicode.h"

static void add_part(ChatPen *pen, PartKind kind, bool message, const char *text, size_t n)
{
    if (!n)
        return;
    ChatPart part = {kind, message, pen->learn, pen->cut, pen->text.n, pen->text.n + n, NULL};
    str_add(&pen->text, text, n);
    array_push(&pen->parts, part);
    pen->cut = false;
}

static size_t mark_at(const char *const *marks, const char *text, size_t n)
{
    for (; *marks; marks++) {
        size_t m = strlen(*marks);
        if (m <= n && memcmp(text, *marks, m) == 0)
            return m;
    }
    return 0;
}

/* Text with marks in it; `turns`: also those of turns. */
static void put_marked(ChatPen *pen, const char *text, size_t n, bool message)
{
    const ChatStyle *style = pen->tmpl->style;
    size_t from = 0;
    for (size_t i = 0, m; i < n; i += m ? m : 1) {
        m = mark_at(style->tool_marks, text + i, n - i);
        if (!m && !message)
            m = text[i] == BOS[0] || text[i] == EOS[0] ? 1 : mark_at(style->marks, text + i, n - i);
        if (!m)
            continue;
        add_part(pen, PART_TEXT, message, text + from, i - from);
        add_part(pen, PART_MARK, false, text + i, m);
        from = i + m;
    }
    add_part(pen, PART_TEXT, message, text + from, n - from);
}

void chat_put(ChatPen *pen, const char *literal)
{
    put_marked(pen, literal, strlen(literal), false);
}

void chat_put_message(ChatPen *pen, Span text)
{
    add_part(pen, PART_TEXT, true, text.at, text.n);
}

void chat_put_answer(ChatPen *pen, const ChatMessage *m, bool last)
{
    const ChatTemplate *tmpl = pen->tmpl;
    bool open = last && pen->flags & CHAT_CONTINUE;
    Str answer = {0};
    tmpl->style->answer(tmpl, m, &answer);
    pen->learn = !open && chat_learns(pen->c, (size_t)(m - pen->c->messages.at), pen->flags);
    pen->cut = true;
    if (m->ids_n && answer.n && !open) {
        add_part(pen, PART_IDS, true, answer.at, answer.n);
        pen->parts.at[pen->parts.n - 1].written = m;
    } else {
        put_marked(pen, str_c(&answer), open ? chat_open_end(tmpl, str_span(&answer)) : answer.n, true);
    }
    str_drop(&answer);
    if (!open)
        chat_put(pen, tmpl->style->end);
    pen->learn = false;
    pen->cut = true;
}

bool chat_learns(const Conversation *c, size_t i, int flags)
{
    const ChatMessage *m = &c->messages.at[i];
    if (m->role != CHAT_ASSISTANT || m->mute)
        return false;
    for (size_t later = i + 1; flags & CHAT_LAST_ONLY && later < c->messages.n; later++)
        if (c->messages.at[later].role == CHAT_ASSISTANT)
            return false;
    return true;
}

/* What str.isspace of Python says: the property White_Space and the four separators of ASCII. */
static bool is_space(uint32_t codepoint)
{
    return (codepoint >= 0x1C && codepoint <= 0x1F) || unicode_is_space(codepoint);
}

Span chat_strip_start(Span text)
{
    uint32_t codepoint;
    for (int n; (n = utf8_decode(&codepoint, text.at, text.n)) > 0 && is_space(codepoint);
         text.n -= (size_t)n)
        text.at += n;
    return text;
}

/* The length of the last character, where it is a space; else 0. */
static size_t space_at_end(Span text)
{
    uint32_t codepoint;
    for (size_t back = 1; back <= 4 && back <= text.n; back++)
        if (utf8_decode(&codepoint, text.at + text.n - back, back) == (int)back)
            return is_space(codepoint) ? back : 0;
    return 0;
}

Span chat_strip_end(Span text)
{
    for (size_t n; (n = space_at_end(text)) > 0;)
        text.n -= n;
    return text;
}

Span chat_strip(Span text)
{
    return chat_strip_end(chat_strip_start(text));
}

Span chat_words(const ChatTemplate *tmpl, Span text)
{
    return tmpl->trims ? chat_strip(text) : text;
}

size_t chat_open_end(const ChatTemplate *tmpl, Span answer)
{
    return tmpl->style->pads ? chat_strip_end(answer).n : answer.n;
}
