#include "cli/chat_console.h"

#include <errno.h>
#include <histedit.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

#include "base/file.h"
#include "base/mem.h"

/* The base XDG specification 0.8 names the folder for what a program remembers between its runs. */
enum { HISTORY_LINES = 1000, LINE_MAX_BYTES = 16 << 20 };

#define NEWLINE_SIGN "\xE2\x90\xA4" /* U+2424, a line end inside of an edited line */
#define NEWLINE_WIDE L'\x2424'
#define BLOCK "\"\"\""

struct ChatConsole {
    ChatConsoleSetup setup;
    ChatLines lines;
    EditLine *el;
    History *history;
    Str line, entry;
    char *buffer; /* getline's */
    size_t buffer_n;
    bool dropped;  /* Ctrl-C, SIGINT: the line is not wanted */
    bool bare;     /* ... and there was nothing on it        */
    int drops;     /* such lines in a row                    */
    char *question; /* instead of the prompt; NULL           */
    bool brackets; /* the terminal may mark what is pasted   */
};

/* Lines to messages -------------------------------------------------------------------------------------- */

static void start(ChatLines *l)
{
    if (!l->open)
        str_clear(&l->text);
    l->open = false;
}

static void drop_line_end(Str *text)
{
    if (text->n && text->at[text->n - 1] == '\n')
        text->at[--text->n] = 0;
}

/* The line ends next to the quotes are not a part of the message. */
static bool take_block(ChatLines *l, Span line)
{
    bool ends = span_ends(line, BLOCK);
    str_add(&l->text, line.at, line.n - (ends ? 3 : 0));
    if (ends)
        drop_line_end(&l->text);
    else
        str_addc(&l->text, '\n');
    l->block = l->open = !ends;
    return ends;
}

static bool begin_block(ChatLines *l, Span line)
{
    if (!line.n) {
        l->block = l->open = true;
        return false;
    }
    size_t skip = line.at[0] == '\n'; /* of what was pasted as one line */
    return take_block(l, (Span){line.at + skip, line.n - skip});
}

bool chat_lines_take(ChatLines *l, Span line)
{
    bool fresh = !l->open;
    start(l);
    if (l->block)
        return take_block(l, line);
    if (fresh && span_starts(line, BLOCK))
        return begin_block(l, (Span){line.at + 3, line.n - 3});
    bool slash = span_ends(line, "\\"), two = span_ends(line, "\\\\");
    str_add(&l->text, line.at, line.n - slash);
    l->open = slash && !two;
    if (l->open)
        str_addc(&l->text, '\n');
    return !l->open;
}

bool chat_lines_end(ChatLines *l)
{
    bool left = l->open && l->text.n;
    if (left)
        drop_line_end(&l->text);
    l->open = l->block = false;
    return left;
}

/* Keys --------------------------------------------------------------------------------------------------- */

static ChatConsole *console_of(EditLine *el)
{
    void *c = NULL;
    el_get(el, EL_CLIENTDATA, &c);
    return c;
}

static char *prompt(EditLine *el)
{
    static char first[] = "> ", more[] = "... ";
    const ChatConsole *c = console_of(el);
    return c->question ? c->question : c->lines.open ? more : first;
}

static void put_sequence(const char *sequence)
{
    fputs(sequence, stderr);
    fflush(stderr);
}

/* Whether the terminal is to mark what is pasted. */
static void bracket(const ChatConsole *c, bool on)
{
    if (c->brackets)
        put_sequence(on ? "\033[?2004h" : "\033[?2004l");
}

/* Ctrl-C leaves the line, and a message of which it would have been a part. */
static unsigned char on_interrupt(EditLine *el, int key)
{
    (void)key;
    const LineInfo *line = el_line(el);
    console_of(el)->bare = line->lastchar == line->buffer;
    el_cursor(el, (int)(line->lastchar - line->cursor));
    console_of(el)->dropped = true;
    put_sequence("^C\n");
    return CC_NEWLINE;
}

static unsigned char on_suspend(EditLine *el, int key)
{
    (void)key;
    bracket(console_of(el), false);
    el_set(el, EL_PREP_TERM, 0);
    raise(SIGTSTP);
    el_set(el, EL_PREP_TERM, 1);
    bracket(console_of(el), true);
    return CC_REDISPLAY;
}

/* What a terminal puts around pasted text: ESC [ 200 ~ ... ESC [ 201 ~. */
static unsigned char on_paste(EditLine *el, int key)
{
    static const wchar_t end[] = L"\033[201~";
    enum { END = sizeof end / sizeof end[0] - 1 };
    wchar_t *text = NULL, c;
    size_t n = 0, cap = 0;
    (void)key;
    while (el_wgetc(el, &c) == 1 && n < LINE_MAX_BYTES) {
        if (n + 2 > cap)
            text = mem_resize(text, cap = cap ? cap * 2 : 256, sizeof *text);
        bool second = c == L'\n' && n && text[n - 1] == NEWLINE_WIDE && n >= 2 && text[n - 2] == L'\r';
        if (!second)
            text[n++] = c == L'\r' || c == L'\n' ? NEWLINE_WIDE : c == L'\t' || c >= 32 || c == 27 ? c : L' ';
        if (n >= END && wmemcmp(text + n - END, end, END) == 0) {
            n -= END;
            break;
        }
    }
    while (n && text[n - 1] == NEWLINE_WIDE)
        n--;
    if (n) {
        text[n] = 0;
        el_winsertstr(el, text);
    }
    mem_free(text);
    return CC_REDISPLAY;
}

/* Completion --------------------------------------------------------------------------------------------- */

/* The longest beginning that all names with this one share, and how many there are. */
static size_t complete(Str *common, const char *const *names, Span begun)
{
    size_t found = 0;
    for (; *names; names++) {
        if (strncmp(*names, begun.at, begun.n) != 0)
            continue;
        size_t same = 0;
        while (found && same < common->n && common->at[same] == (*names)[same])
            same++;
        if (found++ == 0)
            str_adds(common, *names);
        else
            common->at[common->n = same] = 0;
    }
    return found;
}

static unsigned char on_tab(EditLine *el, int key)
{
    (void)key;
    const ChatConsole *c = console_of(el);
    const LineInfo *info = el_line(el);
    Span line = {info->buffer, (size_t)(info->cursor - info->buffer)};
    bool setting = span_starts(line, "/set ");
    Span begun = setting ? (Span){line.at + 5, line.n - 5} : line;
    Str common = {0};
    if (!span_starts(line, "/") || memchr(begun.at, ' ', begun.n)) {
        if (line.n && line.at[0] == '/')
            return CC_ERROR;
        el_insertstr(el, "    ");
        return CC_REFRESH;
    }
    size_t found = complete(&common, setting ? c->setup.settings : c->setup.commands, begun);
    if (found && common.n > begun.n)
        el_insertstr(el, common.at + begun.n);
    if (found == 1)
        el_insertstr(el, " ");
    bool more = found == 1 || (found && common.n > begun.n);
    str_drop(&common);
    return more ? CC_REFRESH : CC_ERROR;
}

/* History ------------------------------------------------------------------------------------------------ */

char *chat_console_history_path(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    if (state && state[0] == '/')
        return mem_format("%s/lemur/chat_history", state);
    return home && *home ? mem_format("%s/.local/state/lemur/chat_history", home) : NULL;
}

static void history_begin(ChatConsole *c)
{
    HistEvent event;
    c->history = history_init();
    history(c->history, &event, H_SETSIZE, HISTORY_LINES);
    history(c->history, &event, H_SETUNIQUE, 1);
    if (c->setup.history && path_exists(c->setup.history))
        history(c->history, &event, H_LOAD, c->setup.history);
}

/* Only its owner may read what somebody said.  A history that cannot be written is no reason to stop. */
static void history_write(ChatConsole *c)
{
    HistEvent event;
    const char *path = c->setup.history;
    char *folder = mem_strn(path, (size_t)(path_base(path) - path));
    mode_t before = umask(077);
    if (!*folder || folder_make(folder) == ST_OK)
        history(c->history, &event, H_SAVE, path);
    umask(before);
    mem_free(folder);
}

static void replace_all(Str *out, Span text, const char *what, const char *with)
{
    str_clear(out);
    for (size_t i = 0, n = strlen(what); i < text.n;) {
        bool here = text.n - i >= n && memcmp(text.at + i, what, n) == 0;
        str_add(out, here ? with : text.at + i, here ? strlen(with) : 1);
        i += here ? n : 1;
    }
}

/* A message is one entry, to be recalled and edited as one line. */
static void remember(ChatConsole *c, Span message)
{
    HistEvent event;
    if (!span_trim(message).n)
        return;
    replace_all(&c->entry, message, "\n", NEWLINE_SIGN);
    history(c->history, &event, H_ENTER, str_c(&c->entry));
    if (c->setup.history)
        history_write(c);
}

/* Opening ------------------------------------------------------------------------------------------------ */

/* Characters are wide inside of libedit; without a locale of UTF-8 they would come out as bytes. */
static void take_locale(void)
{
    if ((!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) &&
        !setlocale(LC_CTYPE, "C.UTF-8"))
        setlocale(LC_CTYPE, "en_US.UTF-8");
}

static void bind_keys(EditLine *el)
{
    el_set(el, EL_ADDFN, "lemur-interrupt", "leave this line", on_interrupt);
    el_set(el, EL_ADDFN, "lemur-suspend", "stop the program", on_suspend);
    el_set(el, EL_ADDFN, "lemur-paste", "insert what is pasted", on_paste);
    el_set(el, EL_ADDFN, "lemur-complete", "complete a command", on_tab);
    el_set(el, EL_BIND, "^C", "lemur-interrupt", NULL);
    el_set(el, EL_BIND, "^Z", "lemur-suspend", NULL);
    el_set(el, EL_BIND, "\033[200~", "lemur-paste", NULL);
    el_set(el, EL_BIND, "\t", "lemur-complete", NULL);
    el_set(el, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(el, EL_SETTY, "-d", "-isig", NULL);
}

Status chat_console_open(ChatConsole **out, const ChatConsoleSetup *setup)
{
    ChatConsole *c = mem_new(ChatConsole);
    c->setup = *setup;
    *out = c;
    if (!setup->terminal)
        return ST_OK;
    take_locale();
    c->el = el_init("lemur", stdin, stderr, stderr);
    if (!c->el) {
        *out = NULL;
        chat_console_close(c);
        return fail(ST_IO, "the terminal cannot be used for editing (TERM); give messages by a pipe");
    }
    const char *term = getenv("TERM");
    c->brackets = term && *term && strcmp(term, "dumb") != 0;
    history_begin(c);
    el_set(c->el, EL_CLIENTDATA, c);
    el_set(c->el, EL_PROMPT, prompt);
    el_set(c->el, EL_EDITOR, "emacs");
    el_set(c->el, EL_SIGNAL, 1); /* a window of another size is drawn anew */
    el_set(c->el, EL_HIST, history, c->history);
    el_source(c->el, NULL);
    bind_keys(c->el);
    return ST_OK;
}

void chat_console_close(ChatConsole *c)
{
    if (!c)
        return;
    if (c->el)
        el_end(c->el);
    if (c->history)
        history_end(c->history);
    str_drop(&c->lines.text);
    str_drop(&c->line);
    str_drop(&c->entry);
    free(c->buffer);
    mem_free(c);
}

/* Reading ------------------------------------------------------------------------------------------------ */

/* Whether signals end a read.  The editor's own handler does so, but only for the first one, which may come
 * before the read begins. */
static void let_interrupt(bool on)
{
    static const int numbers[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction a;
        if (sigaction(numbers[i], NULL, &a) != 0)
            continue;
        a.sa_flags = on ? a.sa_flags & ~SA_RESTART : a.sa_flags | SA_RESTART;
        sigaction(numbers[i], &a, NULL);
    }
}

static Status edit_line(ChatConsole *c, Span *line)
{
    int n = 0;
    c->dropped = c->bare = false;
    el_set(c->el, EL_PREP_TERM, 1); /* before the prompt: what is typed at it is for the editor */
    bracket(c, true);
    let_interrupt(true);
    const char *text = el_gets(c->el, &n);
    bool interrupted = !text && n < 0 && errno == EINTR;
    let_interrupt(false);
    bracket(c, false);
    *line = (Span){NULL, 0};
    if (!text || n <= 0) {
        if (!c->dropped)
            put_sequence(interrupted ? "^C\n" : "\n");
        c->dropped |= interrupted; /* a signal leaves the line as Ctrl-C does */
        c->bare |= interrupted;
        return ST_OK;
    }
    replace_all(&c->line, (Span){text, (size_t)n - (text[n - 1] == '\n')}, NEWLINE_SIGN, "\n");
    *line = (Span){str_c(&c->line), c->line.n};
    return ST_OK;
}

static Status read_line(ChatConsole *c, Span *line)
{
    if (c->el)
        return edit_line(c, line);
    errno = 0;
    ssize_t n = getline(&c->buffer, &c->buffer_n, stdin);
    *line = (Span){NULL, 0};
    if (n < 0)
        return ferror(stdin) && errno != EINTR ? fail_errno(ST_IO, "cannot read standard input") : ST_OK;
    if (n > LINE_MAX_BYTES)
        return fail(ST_LIMIT, "a line of %zd bytes; at most %d are taken", n, LINE_MAX_BYTES);
    while (n && (c->buffer[n - 1] == '\n' || c->buffer[n - 1] == '\r'))
        n--;
    *line = (Span){c->buffer, (size_t)n};
    return ST_OK;
}

Status chat_console_next(ChatConsole *c, Span *message)
{
    Span line;
    *message = (Span){NULL, 0};
    for (;;) {
        TRY(read_line(c, &line));
        if (c->dropped && c->setup.leaving && c->setup.leaving())
            return ST_OK;
        if (c->dropped) {
            bool leaves = c->setup.leave && c->bare && !c->lines.open && ++c->drops == 2;
            if (c->setup.leave && c->bare && !c->lines.open && !leaves)
                put_sequence("(Ctrl-C again leaves)\n");
            c->lines.open = c->lines.block = false;
            if (leaves)
                return ST_OK;
            continue;
        }
        c->drops = 0;
        bool whole = line.at ? chat_lines_take(&c->lines, line) : chat_lines_end(&c->lines);
        if (line.at && !whole)
            continue;
        if (whole)
            *message = (Span){str_c(&c->lines.text), c->lines.text.n};
        if (whole && c->el)
            remember(c, *message);
        return ST_OK;
    }
}

/* What stands there already is given as if it were pasted, so that none of it is taken for a key. */
static void begin_line(ChatConsole *c, const char *begun)
{
    Str keys = {0};
    str_adds(&keys, "\033[200~");
    for (; *begun; begun++) {
        unsigned char b = (unsigned char)*begun;
        str_addc(&keys, b == '\n' || b == '\t' || (b >= 32 && b != 127) ? *begun : ' ');
    }
    str_adds(&keys, "\033[201~");
    el_push(c->el, str_c(&keys));
    str_drop(&keys);
}

Status chat_console_ask(ChatConsole *c, const char *question, const char *begun, Span *answer)
{
    *answer = (Span){NULL, 0};
    if (!c->el)
        return ST_OK;
    c->question = mem_str(question);
    if (begun && *begun)
        begin_line(c, begun);
    Status st = edit_line(c, answer);
    if (c->dropped)
        *answer = (Span){NULL, 0};
    mem_free(c->question);
    c->question = NULL;
    return st;
}
