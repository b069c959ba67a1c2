/* Blocks of 32 quantised numbers of a panel, as products take them: eight vectors of words, four u8 of a row
 * to a lane, and their scales.  ops/packed_layout.h draws where they come from; ops/ref/dot_block.c is the
 * same in plain C. */
#ifndef OPS_SIMD_PACKED_BLOCKS_H
#define OPS_SIMD_PACKED_BLOCKS_H

#include "ops/simd/packed_lanes.h"

enum { BLOCK_WORDS = DOT_BLOCK / 4 };

/* What a type is made of, and so how its products are summed.  Constants where they are asked. */
SIMD_INLINE bool has_halves(const QuantType t)
{
    return t == QUANT_Q6_K;
}

SIMD_INLINE bool has_min(const QuantType t)
{
    return t == QUANT_Q4_K || t == QUANT_Q5_K;
}

/* A block of the file has so many halves (one is the whole), and they so many blocks of 32. */
SIMD_INLINE int halves_of(const QuantType t)
{
    return t == QUANT_Q8_0 || t == QUANT_Q4_0 ? 1 : 2;
}

SIMD_INLINE int blocks_of_half(const QuantType t)
{
    return t == QUANT_Q8_0 || t == QUANT_Q4_0 ? 1 : 4;
}

SIMD_INLINE int sub_blocks(const QuantType t)
{
    return halves_of(t) * blocks_of_half(t);
}

SIMD_INLINE int words_of_block(const QuantType t)
{
    return t == QUANT_Q8_0   ? 8
           : t == QUANT_Q4_0 ? 4
           : t == QUANT_Q4_K ? 35
           : t == QUANT_Q5_K ? 43
                             : 52;
}

/* What fits a NARROW sum of products with numbers in [-127, 127]: eight words of numbers in [-16, 16), or
 * four in [-32, 32).  Q5_K's, in [0, 32), are summed by fours, and Q8_0's go in two parts of four bits, of
 * which the upper one counts 16 times. */
SIMD_INLINE int parts_of_word(const QuantType t)
{
    return NARROW && t == QUANT_Q8_0 ? 2 : 1;
}

SIMD_INLINE int words_a_sum(const QuantType t)
{
    return has_halves(t) || (NARROW && t == QUANT_Q5_K) ? BLOCK_WORDS / 2 : BLOCK_WORDS;
}

/* A block of the file: its words, its scale and minimum, and the K types' scales of sub-blocks, a byte each.
 */
typedef struct {
    const unsigned char *words;
    Sums scale, min;
    Words scales[2], mins[2];
} FileBlock;

SIMD_INLINE Words word_at(const FileBlock *b, int i)
{
    return words_load(b->words + i * PACKED_VECTOR);
}

/* Six bits each in 12 bytes: see load_scales in tensor/quant.c. */
SIMD_INLINE void open_k_scales(FileBlock *b)
{
    Words w0 = word_at(b, 0), w1 = word_at(b, 1), w2 = word_at(b, 2);
    b->scales[0] = words_and(w0, 0x3F3F3F3F);
    b->mins[0] = words_and(w1, 0x3F3F3F3F);
    b->scales[1] = words_or(words_and(w2, 0x0F0F0F0F), words_and(words_right(w0, 2), 0x30303030));
    b->mins[1] =
        words_or(words_and(words_right(w2, 4), 0x0F0F0F0F), words_and(words_right(w1, 2), 0x30303030));
}

SIMD_INLINE void file_block_open(FileBlock *b, const QuantType t, const unsigned char *panel, int64_t i)
{
    const int group = has_min(t) ? 1 : 2, words = words_of_block(t);
    const unsigned char *at = panel + (i / group * (1 + group * words)) * PACKED_VECTOR;
    b->words = at + (1 + i % group * words) * PACKED_VECTOR;
    b->scale = sums_of_f16(at + i % group * 32);
    if (has_min(t)) {
        b->min = sums_of_f16(at + 32);
        open_k_scales(b);
    }
}

SIMD_INLINE Words byte_at(Words w, int i)
{
    return words_and(words_right(w, 8 * i), 255);
}

SIMD_INLINE Words nibbles(Words w, int high)
{
    return words_and(high ? words_right(w, 4) : w, 0x0F0F0F0F);
}

/* Part `part` of a word: its lower or its upper four bits, or all there is. */
SIMD_INLINE Words bits_of_word(Words w, const int parts, int part)
{
    return parts == 1 ? w : nibbles(w, part);
}

/* `mask` of each byte of w >> from, moved up by `to` bits. */
SIMD_INLINE Words bits_moved(Words w, int from, int to, uint32_t mask)
{
    return words_left(words_and(words_right(w, from), mask), to);
}

/* Words i of eight of block 4 half + j of a file's block.  All but b and half are constants: the loop over
 * halves keeps the code, which is unrolled over the rest, small. */
SIMD_INLINE Words block_word(const QuantType t, const FileBlock *b, int half, const int j, int i)
{
    const int qs = t == QUANT_Q4_K ? 3 : 11;
    switch (t) {
    case QUANT_Q8_0: return word_at(b, i);
    case QUANT_Q4_0: return nibbles(word_at(b, i % 4), i / 4);
    case QUANT_Q4_K: return nibbles(word_at(b, qs + half * 16 + j / 2 * 8 + i), j % 2);
    case QUANT_Q5_K:
        return words_or(nibbles(word_at(b, qs + half * 16 + j / 2 * 8 + i), j % 2),
                        bits_moved(word_at(b, 3 + i), 4 * half + j, 4, 0x01010101));
    default:
        return words_or(nibbles(word_at(b, half * 26 + (j % 2 ? 18 + i : 3 + 2 * i)), j / 2),
                        bits_moved(word_at(b, half * 26 + 2 + 2 * i), j * 2, 4, 0x03030303));
    }
}

/* Its scales, the second one where there are halves, and its minimum. */
SIMD_INLINE void block_scales(Sums scale[2], Sums *min, const QuantType t, const FileBlock *b, int half,
                              const int j)
{
    if (has_min(t)) {
        scale[0] = sums_times(b->scale, sums_of_words(byte_at(b->scales[half], j)));
        *min = sums_times(b->min, sums_of_words(byte_at(b->mins[half], j)));
    } else if (has_halves(t)) {
        for (int h = 0; h < 2; h++)
            scale[h] = sums_times(
                b->scale, sums_of_words(words_signed_byte(word_at(b, half * 26 + j / 2), (2 * j + h) % 4)));
    } else {
        scale[0] = b->scale;
    }
}

#endif
