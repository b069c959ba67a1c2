/* Writes a vocabulary as the files other programs read. */
#include "base/file.h"
#include "tokenizer/vocab.h"

Status tokenizer_save(const Tokenizer *t, const char *folder)
{
    TRY(folder_make(folder));
    for (size_t i = 0; i < t->files.n; i++) {
        const VocabFile *f = &t->files.at[i];
        char *path = path_join(folder, f->name);
        Status st = file_replace(path, str_c(&f->bytes), f->bytes.n);
        mem_free(path);
        TRY(st);
    }
    return ST_OK;
}
