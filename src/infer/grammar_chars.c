/* Characters as bytes: UTF-8 (RFC 3629), and what JSON strings make of them (RFC 8259, section 7). */
#include "infer/grammar.h"

#include <stdio.h>

typedef struct {
    Grammar *g;
    const CodeRange *ranges;
    size_t n;
    int32_t next;
    uint32_t least;  /* smaller code points have a shorter form */
    int32_t full[4]; /* nodes of blocks that are wholly in the list, by level */
    bool have_full[4];
} Chars;

/* The first range that ends at or after `code`. */
static const CodeRange *range_from(const Chars *c, uint32_t code)
{
    size_t low = 0, high = c->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (c->ranges[mid].last < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->n ? &c->ranges[low] : NULL;
}

typedef struct {
    int32_t node;
    ByteSet set;
} Branch;

static int32_t join(const Chars *c, const Branch *branches, int n)
{
    int32_t node = GRAMMAR_NOTHING;
    for (int i = n; i-- > 0;)
        node = grammar_either(c->g, grammar_bytes(c->g, &branches[i].set, branches[i].node), node);
    return node;
}

/* Bytes that lead to the same node are one branch. */
static int add_branch(Branch *branches, int n, unsigned byte, int32_t node)
{
    int i = 0;
    if (node == GRAMMAR_NOTHING)
        return n;
    while (i < n && branches[i].node != node)
        i++;
    if (i == n)
        branches[n++] = (Branch){.node = node};
    byteset_add(&branches[i].set, byte);
    return n;
}

/* The `level` continuation bytes of the 64^level code points from `base` on. */
static int32_t block(Chars *c, uint32_t base, int level)
{
    uint32_t size = 1u << 6 * level;
    const CodeRange *r = range_from(c, base);
    if (!r || r->first >= base + size || base + size <= c->least)
        return GRAMMAR_NOTHING;
    if (level == 0)
        return c->next;
    bool full = r->first <= base && r->last >= base + size - 1 && base >= c->least;
    if (full && c->have_full[level])
        return c->full[level];
    Branch branches[64];
    int n = 0;
    for (uint32_t i = 0; i < 64; i++)
        n = add_branch(branches, n, 0x80 + i, block(c, base + i * (size >> 6), level - 1));
    int32_t node = join(c, branches, n);
    if (full) {
        c->full[level] = node;
        c->have_full[level] = true;
    }
    return node;
}

int32_t grammar_chars(Grammar *g, const CodeRange *ranges, size_t n, int32_t next)
{
    /* Lead bytes of each length, their low bits, and the first code point that may take so many bytes. */
    static const struct {
        unsigned first, last, bits;
        uint32_t least;
    } leads[] = {{0x00, 0x7F, 0x7F, 0},
                 {0xC2, 0xDF, 0x1F, 0x80},
                 {0xE0, 0xEF, 0x0F, 0x800},
                 {0xF0, 0xF4, 0x07, 0x10000}};
    Chars c = {.g = g, .ranges = ranges, .n = n, .next = next};
    Branch branches[256];
    int count = 0;
    if (next == GRAMMAR_NOTHING)
        return next;
    for (int level = 0; level < 4; level++) {
        c.least = leads[level].least;
        for (unsigned b = leads[level].first; b <= leads[level].last; b++)
            count = add_branch(branches, count, b, block(&c, (b & leads[level].bits) << 6 * level, level));
    }
    return join(&c, branches, count);
}

/* JSON --------------------------------------------------------------------------------------------------- */

static bool contains(const CodeRange *ranges, size_t n, uint32_t code)
{
    for (size_t i = 0; i < n; i++)
        if (ranges[i].first <= code && code <= ranges[i].last)
            return true;
    return false;
}

/* The list without what must be escaped. */
static void plain_part(CodeRanges *out, const CodeRange *ranges, size_t n)
{
    static const CodeRange plain[] = {{0x20, 0x21}, {0x23, 0x5B}, {0x5D, 0x10FFFF}};
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 3; k++) {
            CodeRange r = {ranges[i].first > plain[k].first ? ranges[i].first : plain[k].first,
                           ranges[i].last < plain[k].last ? ranges[i].last : plain[k].last};
            if (r.first <= r.last)
                array_push(out, r);
        }
}

int32_t grammar_json_chars(Grammar *g, const CodeRange *ranges, size_t n, int32_t next)
{
    static const char letters[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                      {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
    ByteSet short_forms = {0};
    CodeRanges plain = {0};
    plain_part(&plain, ranges, n);
    int32_t node = grammar_chars(g, plain.at, plain.n, next);
    array_drop(&plain);
    for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
        if (contains(ranges, n, (unsigned char)letters[i][0]))
            byteset_add(&short_forms, (unsigned char)letters[i][1]);
    int32_t escaped = grammar_bytes(g, &short_forms, next);
    for (uint32_t code = 1; code < 0x20; code++) {
        char hex[8];
        if (!contains(ranges, n, code) || (code >= 8 && code <= 13 && code != 11))
            continue;
        snprintf(hex, sizeof hex, "u%04x", code);
        int32_t form = grammar_text(g, span(hex), next);
        escaped = grammar_either(g, form, escaped);
    }
    return grammar_either(g, node, grammar_text(g, span("\\"), escaped));
}
