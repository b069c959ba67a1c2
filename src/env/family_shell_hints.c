/* What an expert who hints says to commands of the family `shell`: read off the command that does the task. */
#include <string.h>

#include "base/mem.h"
#include "env/family_shell.h"

static const char *const programs[][2] = {
    {"grep", "Look for the lines that hold the word."},
    {"wc", "How many there are is asked."},
    {"sort", "The order counts."},
    {"uniq", "What stands there twice matters."},
    {"head", "Only the beginning is asked."},
    {"tail", "Only the end is asked."},
    {"find", "Look into the folders below, too."},
    {"cut", "One column is asked, not whole lines."},
    {"sed", "The text has to be changed."},
    {"cp", "The old file has to stay."},
    {"mv", "The old name has to go."},
    {"mkdir", "A folder has to be there first."},
    {"rm", "It has to be gone in the end."},
    {"ls", "The names of files are asked."},
    {"cat", "What stands in it is asked."},
    {"chmod", "It is about who may do what with it."},
    {"touch", "An empty file is enough."},
    {"echo", "A text has to be written."},
    {"du", "How much room it takes is asked."},
};

/* A word of the command that another one lacks. */
static void hint_at_word(FamilyTask *t, const char *word, bool program)
{
    const char *said = NULL;
    for (size_t i = 0; program && i < sizeof programs / sizeof *programs; i++)
        said = strcmp(programs[i][0], word) == 0 ? programs[i][1] : said;
    if (said)
        family_hint(t, word, said);
    else if (program)
        family_hint(t, word, "Another program does that.");
    else if (word[0] == '-')
        family_hint(t, word, "Look at the options once more.");
    else if (strchr(word, '/'))
        family_hint(t, word, "Name the place as the task does.");
}

void shell_hints(FamilyTask *t, const char *command)
{
    char *copy = mem_str(command), *save = NULL;
    bool program = true;
    family_hint_on(t, HINT_ANSWER, "No such file", NULL, "There is no such file: read its name again.");
    family_hint_on(t, HINT_ANSWER, "not found", NULL, "There is no such program.");
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        bool joint = strcmp(word, "|") == 0 || strcmp(word, "&&") == 0;
        if (!joint)
            hint_at_word(t, word, program);
        program = joint;
    }
    family_hint_otherwise(t, "Something small is different: read the task again.");
    mem_free(copy);
}
