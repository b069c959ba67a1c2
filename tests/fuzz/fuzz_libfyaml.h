/* libfyaml 0.7.12 loses a buffer of its own at some ill-formed quoted scalars: 4 kB of a file read once. */
#ifndef FUZZ_LIBFYAML_H
#define FUZZ_LIBFYAML_H

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml.so\n";
}

#endif
