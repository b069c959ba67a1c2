#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "eval/agents/intercode.h"

/* Appends the words of a text with one blank between them. */
static void add_words(Str *out, Span text)
{
    for (size_t i = 0; i < text.n; i++) {
        size_t n = 0;
        while (i + n < text.n && !isspace((unsigned char)text.at[i + n]))
            n++;
        if (!n)
            continue;
        if (out->n)
            str_addc(out, ' ');
        str_add(out, text.at + i, n);
        i += n;
    }
}

/* What stands between two fences, at least a character, "bash" or "sh" behind the first aside. */
static bool find_fenced(Span *out, const Str *text)
{
    static const char *const names[] = {"bash", "sh", ""};
    for (const char *open = text->at ? strstr(text->at, "```") : NULL; open; open = strstr(open + 1, "```"))
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            const char *begin = open + 3;
            size_t n = strlen(names[i]);
            if (strncmp(begin, names[i], n) != 0 || !begin[n])
                continue;
            const char *close = strstr(begin + n + 1, "```");
            if (close) {
                *out = (Span){begin + n, (size_t)(close - begin) - n};
                return true;
            }
        }
    return false;
}

void bash_action_read(Str *action, Span answer)
{
    Str line = {0}, low = {0};
    Span fenced;
    for (size_t i = 0; i < answer.n; i++) {
        char c = answer.at[i] && answer.at[i] != '\n' ? answer.at[i] : ' ';
        str_addc(&line, c);
        str_addc(&low, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
    }
    const char *text = str_c(&line), *said = strcasestr(text, "command:");
    str_clear(action);
    if (find_fenced(&fenced, &low))
        add_words(action, fenced);
    else if (!strstr(text, "```") && strncasecmp(text, "bash: ", 6) == 0)
        str_adds(action, text + 6);
    else if (!strstr(text, "```") && said)
        str_adds(action, said + 8);
    else
        str_adds(action, text);
    str_drop(&line);
    str_drop(&low);
}
