/* Events of one request between the thread that writes them and the one that reads them: a batch is filled by
 * the one, handed over as a whole, and read by the other. */
#ifndef INFER_EVENTS_H
#define INFER_EVENTS_H

#include "base/array.h"
#include "infer/request.h"

typedef struct {
    RequestEvent event; /* its two pointers are set when it is read */
    size_t text, top;   /* where they begin */
} EventRecord;

typedef struct {
    Array(EventRecord) list;
    Array(TokenLogprob) tops;
    Str text;
    size_t read;
} Events;

/* Adds an event; its text and its most likely tokens are copied. */
void events_add(Events *e, const RequestEvent *event);
bool events_waiting(const Events *e);
/* The next one; valid until `e` is changed.  False: there is none. */
bool events_read(Events *e, RequestEvent *out);
/* all that `from` has, of which nothing was read, behind what `to` has */
void events_move(Events *to, Events *from);
void events_clear(Events *e);               /* keeps the memory */
void events_drop(Events *e);

#endif
