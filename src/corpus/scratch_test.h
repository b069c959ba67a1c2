/* For the tests of this folder: a folder of their own, files in it, and a vocabulary of single bytes. */
#ifndef CORPUS_SCRATCH_TEST_H
#define CORPUS_SCRATCH_TEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "tokenizer/tokenizer.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char scratch[] = "/tmp/lemur-corpus-test-XXXXXX";

static inline int scratch_make(void **state)
{
    (void)state;
    return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    (void)state;
    return folder_remove(scratch) == ST_OK ? 0 : -1;
}

/* The path of a name in the folder; caller frees. */
static inline char *scratch_path(const char *name)
{
    return path_join(scratch, name);
}

static inline void scratch_write(const char *name, const char *bytes, size_t n)
{
    char *path = scratch_path(name), *slash = strrchr(path, '/');
    *slash = 0;
    assert_int_equal(folder_make(path), ST_OK);
    *slash = '/';
    unlink(path); /* some file systems wait for the disk where a file is cut and written again */
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    mem_free(path);
}

static inline void scratch_text(const char *name, const char *text)
{
    scratch_write(name, text, strlen(text));
}

/* Runs a shell command in the folder. */
static inline void scratch_run(const char *command)
{
    char *line = mem_format("cd %s && %s", scratch, command);
    assert_int_equal(system(line), 0);
    mem_free(line);
}

static inline Str scratch_read(const char *name)
{
    Str bytes = {0};
    char *path = scratch_path(name);
    assert_int_equal(file_read(&bytes, path, 0), ST_OK);
    mem_free(path);
    return bytes;
}

/* Ids 0..255 are the bytes in the order of byte-level BPE's printable alphabet (GPT-2); 256 ends a text. */
static inline Tokenizer *scratch_vocabulary(void)
{
    static char text[257][16];
    Span pieces[257];
    int32_t kinds[257], n = 0, shifted = 0;
    for (int b = 0; b < 256; b++) {
        bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
        Str s = {0};
        str_add_utf8(&s, printable ? (uint32_t)b : (uint32_t)(256 + shifted++));
        memcpy(text[n], str_c(&s), s.n + 1);
        str_drop(&s);
        kinds[n++] = PIECE_NORMAL;
    }
    strcpy(text[n], "<|endoftext|>");
    kinds[n++] = PIECE_CONTROL;
    for (int i = 0; i < n; i++)
        pieces[i] = span(text[i]);
    VocabArrays v = {.kind = VOCAB_BBPE,
                     .n = n,
                     .pieces = pieces,
                     .kinds = kinds,
                     .pre = "gpt-2",
                     .bos = -1,
                     .eos = 256,
                     .unk = -1};
    Tokenizer *tok = NULL;
    if (tokenizer_from_arrays(&tok, &v) != ST_OK)
        fail_msg("%s", error_text());
    return tok;
}

#endif
