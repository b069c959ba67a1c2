/* A command as the originals of InterCode run one in a container: `docker exec`, by its Python client.
 *
 *     Str words = {0}, folder = {0};
 *     docker_words(&words, span("/bin/bash -c \"ls -a\""));      "/bin/bash" "-c" "ls -a"
 *     TRY(docker_exec(&out, &done, &spec, "/", &words));
 *     docker_go(&folder, span("../x"));                          as their `cd` counts, by the text alone
 *
 * Source: princeton-nlp/intercode, intercode/envs/bash/bash_env.py; docker-py, docker/utils, split_command.
 */
#ifndef ENV_DOCKER_EXEC_H
#define ENV_DOCKER_EXEC_H

#include "env/sandbox.h"

/* What they say instead of an output. */
extern const char docker_timed_out[]; /* "Command timed out" */
extern const char docker_malformed[]; /* "Malformed command": also for an output that is no UTF-8 */

enum { DOCKER_SECONDS = 10 }; /* of a command */

/* Appends the words of a command line, each ended by NUL, as Python's shlex.split finds them (posix); false:
 * a quote that nothing closes, or a backslash at the end. */
bool docker_words(Str *out, Span line);
/* Overwrites *out with the words of `/bin/bash -c "ACTION"`: the action's own double quotes end those around
 * it, so that it loses them, and words behind the first are arguments.  False: as above, or no bash could be
 * given it. */
bool docker_bash(Str *out, Span action);

/* Runs `words` in `folder`, an absolute one of the inside; both outputs go one way and are appended to *out.
 * *done: it ended with 0.  Of *spec `argv` is not read, and limits.output_bytes is ours.  Failures as of
 * sandbox_run. */
MUST_CHECK Status docker_exec(Str *out, bool *done, const SandboxSpec *spec, const char *folder,
                              const Str *words);

/* The path as seen from *folder, without "." and ".."; overwrites *folder. */
void docker_go(Str *folder, Span path);
/* `cd PATH`: what it says is appended to *out; on success *folder is the new one, else the old.  `words_of`
 * makes the command that tries it. */
MUST_CHECK Status docker_cd(Str *out, bool *done, const SandboxSpec *spec, Str *folder, Span path,
                            bool (*words_of)(Str *words, Span action));

#endif
