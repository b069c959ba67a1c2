#include "infer/constrain_trigger.h"

#include <string.h>

/* The special tokens among the tree's texts; theirs begin with a byte that no other text has. */
static bool special_text(const TokenTrie *t, int32_t id, Span *spelled)
{
    Span text = token_trie_text(t, id);
    *spelled = text.n ? (Span){text.at + 1, text.n - 1} : text;
    return text.n > 1 && (unsigned char)text.at[0] == TRIE_SPECIAL;
}

static int32_t special_token(Grammar *g, Span spelled, int32_t next)
{
    return grammar_byte_range(g, TRIE_SPECIAL, TRIE_SPECIAL, grammar_text(g, spelled, next));
}

/* The text, in which special tokens may stand for the parts that they spell: from byte i on it is nodes[i].
 */
static int32_t marked_text(Grammar *g, const TokenTrie *t, Span text, int32_t next)
{
    int32_t *nodes = mem_array(int32_t, text.n + 1);
    nodes[text.n] = next;
    for (size_t i = text.n; i-- > 0;) {
        nodes[i] = grammar_text(g, (Span){text.at + i, 1}, nodes[i + 1]);
        for (int32_t id = 0; id < t->vocab; id++) {
            Span spelled;
            if (special_text(t, id, &spelled) && spelled.n <= text.n - i &&
                memcmp(text.at + i, spelled.at, spelled.n) == 0)
                nodes[i] = grammar_either(g, nodes[i], special_token(g, spelled, nodes[i + spelled.n]));
        }
    }
    next = nodes[0];
    mem_free(nodes);
    return next;
}

/* How much of the trigger the text ends with, when `matched` of it were read and then `byte`. */
static size_t trigger_matched(Span trigger, size_t matched, char byte)
{
    for (size_t n = matched + 1; n > 0; n--)
        if (trigger.at[n - 1] == byte && memcmp(trigger.at, trigger.at + matched + 1 - n, n - 1) == 0)
            return n;
    return 0;
}

/* What special tokens may begin anywhere in free text: a trigger that starts with one. */
static int32_t special_opening(Grammar *g, const TokenTrie *t, Span trigger, int32_t then)
{
    int32_t node = GRAMMAR_NOTHING;
    for (int32_t id = 0; id < t->vocab; id++) {
        Span spelled;
        if (!special_text(t, id, &spelled) || spelled.n > trigger.n ||
            memcmp(spelled.at, trigger.at, spelled.n) != 0)
            continue;
        int32_t rest = marked_text(g, t, (Span){trigger.at + spelled.n, trigger.n - spelled.n}, then);
        node = grammar_either(g, special_token(g, spelled, rest), node);
    }
    return node;
}

/* Free text up to the end of the trigger, then `then`: nodes[i] has read i bytes of it (Knuth, Morris & Pratt
 * 1977). */
static int32_t build_free(Grammar *g, const TokenTrie *t, Span trigger, int32_t end, int32_t then,
                          int32_t *nodes)
{
    int32_t opening = special_opening(g, t, trigger, then);
    for (size_t i = 0; i < trigger.n; i++) {
        ByteSet *sets = mem_array(ByteSet, trigger.n + 1); /* by what is matched afterwards */
        int32_t node = opening;
        for (unsigned b = 0; b < 256; b++)
            if (b != TRIE_SPECIAL)
                byteset_add(&sets[trigger_matched(trigger, i, (char)b)], b);
        for (size_t k = 0; k <= trigger.n; k++)
            node = grammar_either(g, grammar_bytes(g, &sets[k], k < trigger.n ? nodes[k] : then), node);
        grammar_star_end(g, nodes[i], node, end == GRAMMAR_NOTHING ? node : end);
        mem_free(sets);
    }
    return nodes[0];
}

Status constrain_trigger_build(Grammar *g, const TokenTrie *t, const ConstrainOptions *o, int32_t rule,
                               int32_t *start)
{
    Span trigger = span(o->trigger), closing = span(o->closing ? o->closing : "");
    int32_t first[CONSTRAIN_TRIGGER_MAX], later[CONSTRAIN_TRIGGER_MAX];
    if (trigger.n == 0 || trigger.n > CONSTRAIN_TRIGGER_MAX)
        return fail(ST_ARG, "a trigger has 1 to %d bytes, this one has %zu", CONSTRAIN_TRIGGER_MAX,
                    trigger.n);
    for (size_t i = 0; i < trigger.n; i++) {
        first[i] = grammar_star_begin(g);
        later[i] = grammar_star_begin(g);
    }
    int32_t end = grammar_return(g), then = grammar_call(g, rule, marked_text(g, t, closing, later[0]));
    build_free(g, t, trigger, end, then, later);
    *start = build_free(g, t, trigger, o->trigger_required ? GRAMMAR_NOTHING : end, then, first);
    return ST_OK;
}
