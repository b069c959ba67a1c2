/* Where the messages of a chat come from: a terminal, with editing and history, or lines of a pipe.
 *
 * A line that ends with a backslash goes on in the next one (two of them: a backslash).  A line that begins
 * with """ begins a message of many lines, which ends with """; a line end behind the first ones or before
 * the last is not a part of it.  On a terminal that brackets what is pasted, a pasted text of many lines is
 * one message: its line ends show as U+2424 until it is sent. */
#ifndef CLI_CHAT_CONSOLE_H
#define CLI_CHAT_CONSOLE_H

#include <stdio.h>

#include "base/str.h"

/* Lines to messages. */
typedef struct {
    Str text;
    bool block, open; /* between """ and """; a line is still to come */
} ChatLines;
/* True: `text` is a whole message. */
bool chat_lines_take(ChatLines *l, Span line);
bool chat_lines_end(ChatLines *l); /* the input is over: true where there is text left */

typedef struct {
    bool terminal;                                 /* edit; else read lines as they come */
    const char *history;                           /* file; NULL: nothing is read or kept */
    const char *const *commands, *const *settings; /* for completion, NULL-terminated */
    bool leave; /* a second Ctrl-C in a row, each on an empty line, is the end of the input */
    bool (*leaving)(void); /* asked when a signal ended a read: whether it was the end of the input; NULL: no */
} ChatConsoleSetup;

typedef struct ChatConsole ChatConsole;

/* Takes the standard input, and stderr for the prompt.  An unreadable history is passed over. */
MUST_CHECK Status chat_console_open(ChatConsole **out, const ChatConsoleSetup *setup);
void chat_console_close(ChatConsole *c);
/* The next message, valid until the one after; NULL at: the input is over (Ctrl-D).  ST_IO, ST_LIMIT. */
MUST_CHECK Status chat_console_next(ChatConsole *c, Span *message);

/* One line of a terminal behind a prompt of its own, not remembered; `begun` (NULL: none) stands there to be
 * edited, its line ends as U+2424, control characters but tabs as spaces.  NULL at: Ctrl-C, Ctrl-D, or no
 * terminal.  ST_IO. */
MUST_CHECK Status chat_console_ask(ChatConsole *c, const char *question, const char *begun, Span *answer);

/* Where the history is kept: $XDG_STATE_HOME/lemur/chat_history, else ~/.local/state/...; NULL where neither
 * is known.  Caller frees. */
char *chat_console_history_path(void);

#endif
