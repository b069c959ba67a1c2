/* The table of verbs, and what holds for all of them: where output goes wrong, and how the program ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cmd.h"
#include "cli/parts.h"
#include "cli/wait_policy.h"

/* In the order of the work. */
static const Part verbs[] = {
    {"corpus", NULL, "build a clean corpus from trees, text and JSONL; show it", cmd_corpus, false},
    {"tokenizer", NULL, "learn a vocabulary; text to ids and back", cmd_tokenizer, false},
    {"pack", NULL, "tokenise a corpus and pack it into shards at a stated ratio", cmd_pack, false},
    {"train", NULL, "train a model on shards; resume; show a run", cmd_train, true},
    {"convert", NULL, "write a model in another form: safetensors, GGUF, quantised", cmd_convert, false},
    {"tune", NULL, "tune a model on instructions, with proved masks", cmd_tune, true},
    {"generate", NULL, "let a model go on with a prompt", cmd_generate, true},
    {"chat", NULL, "talk with a model", cmd_chat, true},
    {"agent", NULL, "a model that acts: Python and bash in a sandbox", cmd_agent, true},
    {"env", NULL, "worlds without a model: play one, score policies", cmd_env, false},
    {"eval", NULL, "put benchmarks to a model; replay, compare, fetch", cmd_eval, true},
    {"run", NULL, "a recipe's stages from corpus to scores, each once", cmd_run_recipe, false},
    {"study", NULL, "questions to finished runs; rounds of learning from successes", cmd_study, false},
    {"report", NULL, "runs on one HTML page", cmd_report, false},
    {"bench", NULL, "measure this machine and what is made of it", cmd_bench, true},
    {"doctor", NULL, "say what this machine has and which kernels it will use", cmd_doctor, false},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static void overview(FILE *out)
{
    fputs("usage: lemur VERB [words and flags]\n\nverbs:\n", out);
    parts_list(out, verbs, VERBS);
    fputs("\nlemur help VERB says more about one.  lemur --version prints the version.\n", out);
}

/* help [VERB [WORD...]]: what --help behind them says. */
static int help(int argc, char **argv)
{
    char flag[] = "--help";
    if (argc < 3 || argv[2][0] == '-' || strcmp(argv[2], "help") == 0) {
        overview(stdout);
        return EXIT_DONE;
    }
    const Part *v = parts_find(verbs, VERBS, "lemur", argv[2]);
    if (!v)
        return EXIT_USAGE;
    char **words = mem_array(char *, (size_t)argc);
    int n = argc - 2;
    memcpy(words, argv + 2, (size_t)n * sizeof *words);
    words[n++] = flag;
    int code = v->run(n, words);
    mem_free(words);
    return code;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        overview(stderr);
        return EXIT_USAGE;
    }
    const char *first = argv[1];
    if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        return help(argc, argv);
    if (strcmp(first, "--version") == 0) {
        puts("lemur " LEMUR_VERSION);
        return EXIT_DONE;
    }
    const Part *v = parts_find(verbs, VERBS, "lemur", first);
    if (v && v->computes)
        wait_policy_apply(argv);
    return v ? v->run(argc - 1, argv + 1) : EXIT_USAGE;
}

/* A file opened while 0, 1 or 2 is closed would take that number, and words for people would end in it.
 * Opened the wrong way round, the numbers are taken and every use of them still fails. */
static void take_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            _exit(EXIT_FAILED);
}

/* A reader that left (head, less) chose to: no error.  A full disk is one. */
static bool reader_left(void)
{
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLERR | POLLHUP));
}

int main(int argc, char **argv)
{
    take_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    int code = run(argc, argv);
    errno = 0;
    bool lost = fflush(stdout) != 0 || ferror(stdout);
    if (!lost || reader_left())
        return code;
    log_error("cannot write to standard output%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
    return code == EXIT_DONE ? EXIT_FAILED : code;
}
