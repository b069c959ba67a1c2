/* A server of this process that answers with the bytes of an input: a reply to each connection, with 0xFF
 * between replies, and 404 behind the last. */
#ifndef FUZZ_SERVER_H
#define FUZZ_SERVER_H

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

static struct {
    pthread_mutex_t lock; /* of what follows */
    const uint8_t *at, *end;
    char url[64];
} fuzz_server = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Up to the empty line: the requests have no body. */
static void fuzz_server_read(int fd)
{
    char head[4096];
    size_t n = 0;
    while (n < sizeof head) {
        ssize_t got = recv(fd, head + n, sizeof head - n, 0);
        if (got <= 0)
            return;
        n += (size_t)got;
        if (memmem(head, n, "\r\n\r\n", 4))
            return;
    }
}

static void fuzz_server_reply(int fd)
{
    static const char none[] = "HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n";
    pthread_mutex_lock(&fuzz_server.lock);
    const uint8_t *at = fuzz_server.at, *end = fuzz_server.end;
    const uint8_t *stop = at < end ? memchr(at, 0xFF, (size_t)(end - at)) : NULL;
    size_t n = (size_t)((stop ? stop : end) - at);
    fuzz_server.at = stop ? stop + 1 : end;
    (void)!send(fd, n ? (const void *)at : none, n ? n : sizeof none - 1, MSG_NOSIGNAL);
    pthread_mutex_unlock(&fuzz_server.lock);
}

static void *fuzz_server_run(void *context)
{
    int listener = (int)(intptr_t)context;
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        fuzz_server_read(fd);
        fuzz_server_reply(fd);
        shutdown(fd, SHUT_WR);
        close(fd);
    }
}

static inline void fuzz_server_start(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    pthread_t thread;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 16) == 0);
    check(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    check(pthread_create(&thread, NULL, fuzz_server_run, (void *)(intptr_t)fd) == 0);
    check(pthread_detach(thread) == 0);
    signal(SIGPIPE, SIG_IGN);
    snprintf(fuzz_server.url, sizeof fuzz_server.url, "http://127.0.0.1:%d/f.bin", ntohs(a.sin_port));
}

/* What the next connections get; NULL once they are over.  False: it would lead to other hosts, and no fuzzer
 * asks those. */
static inline bool fuzz_server_says(const uint8_t *bytes, size_t n)
{
    if (!fuzz_server.url[0])
        fuzz_server_start();
    for (size_t i = 0; i + 7 <= n; i++)
        if (strncasecmp((const char *)bytes + i, "ocation", 7) == 0)
            return false;
    pthread_mutex_lock(&fuzz_server.lock);
    fuzz_server.at = bytes;
    fuzz_server.end = bytes ? bytes + n : NULL;
    pthread_mutex_unlock(&fuzz_server.lock);
    return true;
}

#endif
