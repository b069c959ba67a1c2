/* Any bytes as a .gguf file: values and tensors that lie in the file, a model whose every row can be read, a
 * vocabulary, or a sentence. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/mem.h"
#include "infer/vocab_gguf.h"
#include "model/model_file.h"

static unsigned sum_of(const unsigned char *p, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

static unsigned read_values(const Gguf *g)
{
    unsigned sum = 0;
    for (int64_t i = 0; i < gguf_count(g); i++) {
        const GgufValue *v = gguf_at(g, i);
        char *key = mem_strn(v->key.at, v->key.n);
        Span text, *texts;
        int32_t *ints;
        float *floats;
        int64_t n;
        check(gguf_find(g, key) == v);
        sum += sum_of(v->at, v->bytes);
        if (gguf_text(g, key, &text) == ST_OK)
            sum += sum_of((const unsigned char *)text.at, text.n);
        if (gguf_texts(g, key, &texts, &n) == ST_OK)
            mem_free(texts);
        if (gguf_ints(g, key, &ints, &n) == ST_OK)
            mem_free(ints);
        if (gguf_floats(g, key, &floats, &n) == ST_OK)
            mem_free(floats);
        mem_free(key);
    }
    return sum;
}

static unsigned read_tensors(const Gguf *g)
{
    unsigned sum = 0;
    for (int64_t i = 0; i < gguf_tensor_count(g); i++) {
        const GgufTensor *t = gguf_tensor_at(g, i);
        check(gguf_tensor_find(g, t->name) == t);
        sum += sum_of(t->data, t->bytes);
        if (t->known)
            check(t->bytes == quant_bytes(t->type, t->count));
    }
    return sum;
}

static void read_model(const char *path)
{
    ModelFile *f = NULL;
    if (model_file_open(&f, path) != ST_OK) {
        check(!f && *error_text());
        return;
    }
    const Params *p = model_file_params(f);
    for (int64_t i = 0; i < p->n; i++) {
        ModelTensor t;
        model_file_tensor(f, &t, p->at[i].kind, p->at[i].layer);
        float *row = mem_array(float, t.cols);
        for (int64_t r = 0; r < t.rows; r++)
            quant_decode(row, model_tensor_row(&t, r), t.type, t.cols);
        mem_free(row);
    }
    model_file_close(f);
}

static void read_vocabulary(const Gguf *g)
{
    Tokenizer *t = NULL;
    Ids ends = {0};
    if (vocab_gguf_read(&t, g) == ST_OK) {
        Ids ids = {0};
        check(tokenizer_encode(t, &ids, "ab a\xC3\xA9 7", 8, TOK_BOS) == ST_OK);
        array_drop(&ids);
        tokenizer_close(t);
    }
    if (vocab_gguf_ends(g, &ends) == ST_OK)
        check(ends.n <= 3);
    array_drop(&ends);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char path[64];
    Gguf *g = NULL;
    int fd = memfd_create("fuzz", 0);
    check(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    Status st = gguf_open(&g, path);
    check((st == ST_OK) == (g != NULL));
    if (st != ST_OK) {
        check(*error_text());
    } else {
        read_model(path);
        check(read_values(g) + read_tensors(g) <= UINT32_MAX);
        read_vocabulary(g);
    }
    gguf_close(g);
    close(fd);
    return 0;
}
