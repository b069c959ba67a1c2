/* sandbox_run: feeds, listens and waits, all at once, until the program has ended or said too much. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/mem.h"
#include "env/sandbox_inside.h"

enum { PIECE = 64 * 1024 };

/* What is still to be given to stdin: bytes, then a descriptor's. */
typedef struct {
    const char *at;
    size_t n;
    int fd; /* -1: no more comes */
    char *piece;
} Feed;

/* Writes what the pipe takes; closes it when all is given or nobody reads. */
static void give(Sandbox *s, Feed *f)
{
    if (f->n) {
        ssize_t done = inside_write(s->launch.in, f->at, f->n);
        if (done > 0) {
            f->at += done;
            f->n -= (size_t)done;
        } else if (errno != EAGAIN && errno != EINTR) {
            f->n = 0;
            f->fd = -1;
        }
    }
    if (!f->n && f->fd < 0)
        sandbox_close_input(s);
}

static void fetch(Feed *f)
{
    if (!f->piece)
        f->piece = mem_array(char, PIECE);
    ssize_t n = read(f->fd, f->piece, PIECE);
    f->at = f->piece;
    f->n = n > 0 ? (size_t)n : 0;
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        f->fd = -1;
}

/* Keeps what the limit allows.  False: the pipe has no more now. */
static bool listen_to(Sandbox *s, int *fd, Str *to, const SandboxResult *r, char *piece)
{
    ssize_t n = *fd < 0 ? 0 : read(*fd, piece, PIECE);
    if (n < 0 && errno == EINTR)
        return true;
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        if (*fd >= 0)
            close(*fd);
        *fd = -1;
        return false;
    }
    size_t room = (size_t)s->limits.output_bytes - r->out.n - r->err.n,
           keep = (size_t)n < room ? (size_t)n : room;
    str_add(to, piece, keep);
    if (keep < (size_t)n)
        watch_kill(&s->watch, SANDBOX_OUTPUT);
    return true;
}

static void converse(Sandbox *s, Feed *f, SandboxResult *r, char *piece)
{
    Launch *l = &s->launch;
    for (;;) {
        if (l->in >= 0)
            give(s, f);
        bool wants = l->in >= 0 && !f->n && f->fd >= 0;
        struct pollfd on[] = {{.fd = l->bwrap_fd, .events = POLLIN},
                              {.fd = l->out, .events = POLLIN},
                              {.fd = l->err, .events = POLLIN},
                              {.fd = wants ? -1 : l->in, .events = POLLOUT},
                              {.fd = wants ? f->fd : -1, .events = POLLIN}};
        if (poll(on, 5, -1) < 0)
            continue;
        if (on[0].revents)
            return;
        if (on[1].revents)
            listen_to(s, &l->out, &r->out, r, piece);
        if (on[2].revents)
            listen_to(s, &l->err, &r->err, r, piece);
        if (on[4].revents)
            fetch(f);
    }
}

Status sandbox_run(SandboxResult *r, const SandboxSpec *spec, const SandboxInput *input)
{
    *r = (SandboxResult){0};
    Sandbox *s;
    TRY(sandbox_start(&s, spec));
    Feed f = {.fd = -1};
    if (input)
        f = (Feed){.at = input->at, .n = input->n, .fd = input->fd > 0 ? input->fd : -1};
    char *piece = mem_array(char, PIECE);
    SandboxResult said = {0};
    converse(s, &f, &said, piece);
    inside_end_rest(s);
    poll(&(struct pollfd){.fd = s->launch.init_fd, .events = POLLIN}, 1, -1);
    /* What it had said before it ended is still in the pipes; nobody is left to say more. */
    while (listen_to(s, &s->launch.out, &said.out, &said, piece))
        ;
    while (listen_to(s, &s->launch.err, &said.err, &said, piece))
        ;
    Status st = inside_end(s, r, str_span(&said.err));
    if (st == ST_OK) {
        r->out = said.out;
        r->err = said.err;
    } else {
        sandbox_result_drop(&said);
    }
    mem_free(piece);
    mem_free(f.piece);
    sandbox_close(s);
    return st;
}

void sandbox_result_drop(SandboxResult *r)
{
    str_drop(&r->out);
    str_drop(&r->err);
}
