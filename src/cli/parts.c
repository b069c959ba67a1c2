#include "cli/parts.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/cmd.h"

void parts_list(FILE *out, const Part *parts, size_t n)
{
    int widest = 0;
    for (size_t i = 0; i < n; i++) {
        int width = (int)strlen(parts[i].name) + (parts[i].words ? 1 + (int)strlen(parts[i].words) : 0);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < n; i++) {
        int name = fprintf(out, "  %s%s%s", parts[i].name, parts[i].words ? " " : "",
                           parts[i].words ? parts[i].words : "");
        fprintf(out, "%*s  %s\n", 2 + widest - name, "", parts[i].does);
    }
}

const Part *parts_find(const Part *parts, size_t n, const char *owner, const char *name)
{
    const char **names = mem_array(const char *, n);
    const Part *found = NULL;
    for (size_t i = 0; i < n; i++) {
        names[i] = parts[i].name;
        if (strcmp(parts[i].name, name) == 0)
            found = &parts[i];
    }
    const char *near = found ? NULL : nearest_name(name, names, n);
    mem_free(names);
    if (near)
        log_error("%s has no '%s'; did you mean '%s'?", owner, name, near);
    else if (!found)
        log_error("%s has no '%s'; %s --help lists what it has", owner, name, owner);
    return found;
}

static void overview(FILE *out, const Part *parts, size_t n, const char *verb)
{
    fprintf(out, "usage: lemur %s PART [words and flags]\n\nparts:\n", verb);
    parts_list(out, parts, n);
    fprintf(out, "\nlemur help %s PART says more about one.\n", verb);
}

int parts_run(const Part *parts, size_t n, int argc, char **argv)
{
    const char *verb = argv[0], *word = argc > 1 ? argv[1] : "";
    bool help = strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0;
    if (help || !*word) {
        overview(help ? stdout : stderr, parts, n, verb);
        return help ? EXIT_DONE : EXIT_USAGE;
    }
    char *owner = mem_format("lemur %s", verb), *name = mem_format("%s %s", verb, word);
    const Part *part = parts_find(parts, n, owner, word);
    int code = EXIT_USAGE;
    if (part) {
        argv[1] = name; /* what usage lines call it */
        code = part->run(argc - 1, argv + 1);
    }
    mem_free(owner);
    mem_free(name);
    return code;
}
