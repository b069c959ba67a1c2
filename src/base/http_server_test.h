/* A server on this machine that answers what a test tells it to, right or wrong, byte for byte.
 *
 *     TestServer s;
 *     server_start(&s);
 *     server_says(&s, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
 *     ... s.url ...
 *     server_stop(&s);
 *
 * Replies are given in order, the last one again and again.  Each connection has a thread. */
#ifndef BASE_HTTP_SERVER_TEST_H
#define BASE_HTTP_SERVER_TEST_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/str.h"

enum { SERVER_REPLIES = 16, SERVER_CONNECTIONS = 128 };

typedef enum { THEN_KEEP, THEN_CLOSE, THEN_STALL, THEN_FLOOD } Then;

typedef struct {
    Str bytes;
    Then then;
} TestReply;

typedef struct TestServer TestServer;

typedef struct {
    TestServer *server;
    pthread_t thread;
    int fd;
} TestConnection;

struct TestServer {
    char url[64];         /* http://127.0.0.1:PORT */
    pthread_mutex_t lock; /* of what follows, while it runs */
    TestReply replies[SERVER_REPLIES];
    int replies_n, next;
    atomic_int requests;
    Str last; /* request, head and body */
    TestConnection connections[SERVER_CONNECTIONS];
    int connections_n;
    int listener;
    pthread_t thread;
    atomic_bool stop;
};

static inline void server_reply(TestServer *s, const char *bytes, Then then)
{
    check(s->replies_n < SERVER_REPLIES);
    TestReply *r = &s->replies[s->replies_n++];
    *r = (TestReply){.then = then};
    str_adds(&r->bytes, bytes);
}

static inline void server_says(TestServer *s, const char *bytes)
{
    server_reply(s, bytes, THEN_KEEP);
}

/* A whole reply: status line, further headers (each with its \r\n, or ""), and the length of the body. */
static inline void server_answers(TestServer *s, const char *status, const char *headers, const char *body)
{
    Str text = {0};
    str_addf(&text, "HTTP/1.1 %s\r\n%sContent-Length: %zu\r\n\r\n%s", status, headers, strlen(body), body);
    server_says(s, str_c(&text));
    str_drop(&text);
}

/* Whether there is something to read before the server is stopped. */
static inline bool server_waits(const TestServer *s, int fd)
{
    while (!s->stop) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 10) > 0)
            return true;
    }
    return false;
}

static inline size_t server_body_length(const char *head)
{
    const char *at = strcasestr(head, "\ncontent-length:");
    return at ? strtoul(at + 16, NULL, 10) : 0;
}

static inline bool server_reads(const TestServer *s, int fd, Str *request)
{
    char buf[4096];
    str_clear(request);
    for (;;) {
        const char *end = strstr(str_c(request), "\r\n\r\n");
        if (end && request->n >= (size_t)(end + 4 - request->at) + server_body_length(request->at))
            return true;
        ssize_t n = server_waits(s, fd) ? read(fd, buf, sizeof buf) : 0;
        if (n <= 0)
            return false;
        str_add(request, buf, (size_t)n);
    }
}

static inline void server_floods(const TestServer *s, int fd)
{
    static const char zeros[1 << 16];
    while (!s->stop && send(fd, zeros, sizeof zeros, MSG_NOSIGNAL) > 0)
        ;
}

static inline void *server_talks(void *context)
{
    TestConnection *c = context;
    TestServer *s = c->server;
    Str request = {0};
    char buf[64];
    while (server_reads(s, c->fd, &request)) {
        pthread_mutex_lock(&s->lock);
        s->requests++;
        str_clear(&s->last);
        str_add(&s->last, request.at, request.n);
        TestReply reply = s->replies[s->next];
        s->next += s->next + 1 < s->replies_n;
        pthread_mutex_unlock(&s->lock);
        if (reply.bytes.n && send(c->fd, reply.bytes.at, reply.bytes.n, MSG_NOSIGNAL) < 0)
            break;
        if (reply.then == THEN_FLOOD)
            server_floods(s, c->fd);
        while (reply.then == THEN_STALL && server_waits(s, c->fd) && read(c->fd, buf, sizeof buf) > 0)
            ;
        if (reply.then != THEN_KEEP)
            break;
    }
    shutdown(c->fd, SHUT_RDWR);
    str_drop(&request);
    return NULL;
}

static inline void *server_listens(void *context)
{
    TestServer *s = context;
    while (server_waits(s, s->listener)) {
        int fd = accept(s->listener, NULL, NULL);
        if (fd < 0)
            continue;
        check(s->connections_n < SERVER_CONNECTIONS);
        TestConnection *c = &s->connections[s->connections_n++];
        *c = (TestConnection){.server = s, .fd = fd};
        check(pthread_create(&c->thread, NULL, server_talks, c) == 0);
    }
    return NULL;
}

static inline void server_start(TestServer *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(s->listener >= 0 && bind(s->listener, (struct sockaddr *)&at, sizeof at) == 0);
    check(listen(s->listener, 64) == 0 && getsockname(s->listener, (struct sockaddr *)&at, &n) == 0);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    check(pthread_create(&s->thread, NULL, server_listens, s) == 0);
}

static inline void server_stop(TestServer *s)
{
    s->stop = true;
    pthread_join(s->thread, NULL);
    for (int i = 0; i < s->connections_n; i++) {
        pthread_join(s->connections[i].thread, NULL);
        close(s->connections[i].fd);
    }
    close(s->listener);
    for (int i = 0; i < s->replies_n; i++)
        str_drop(&s->replies[i].bytes);
    str_drop(&s->last);
    pthread_mutex_destroy(&s->lock);
}

#endif
