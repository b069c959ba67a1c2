/* The texts of a vocabulary as a tree of bytes, laid out in the order of a walk: a node, then all below it.
 */
#ifndef INFER_TOKEN_TRIE_H
#define INFER_TOKEN_TRIE_H

#include "tokenizer/tokenizer.h"

typedef struct {
    uint32_t after;  /* index of the first node that is not below this one */
    uint32_t tokens; /* of `order`: those that end here begin there, and end where the next node's begin */
    uint16_t depth;  /* bytes from the root to here, this one included */
    uint8_t byte;
    /* Characters from here to the furthest end of a token below, where this byte begins a character and
     * everything below is ordinary text: UTF-8 (the last character may be cut), no control characters,
     * quotes, backslashes or line separators.  0: it is not; TRIE_LONG: that many or more. */
    uint8_t plain;
} TrieNode;
enum { TRIE_LONG = 255 };

typedef struct {
    TrieNode *nodes; /* [n + 1]; the root, which has no byte, is not among them; the last marks the end */
    uint32_t n;
    int32_t *order; /* ids in the order of the walk */
    Span *texts;    /* [vocab] empty for those left out; they lie in `strings` */
    Arena strings;
    int32_t vocab;
    int32_t longest; /* bytes of the longest text */
} TokenTrie;

/* Special tokens have the text TRIE_SPECIAL and then what they spell, so that nothing but a grammar that asks
 * for one lets it in.  Left out are ids without text, those listed, and texts with the byte TRIE_SPECIAL,
 * which no UTF-8 has. */
enum { TRIE_SPECIAL = 0xFF };
void token_trie_init(TokenTrie *t, const Tokenizer *tokenizer, const int32_t *leave_out, size_t leave_out_n);
void token_trie_drop(TokenTrie *t);
Span token_trie_text(const TokenTrie *t, int32_t id); /* empty for ids that are not in it */

#endif
