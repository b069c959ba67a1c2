#include "infer/events.h"

#include "base/check.h"

void events_add(Events *e, const RequestEvent *event)
{
    EventRecord record = {.event = *event, .text = e->text.n, .top = e->tops.n};
    str_add(&e->text, event->text.at, event->text.n);
    for (int64_t i = 0; i < event->top_n; i++)
        array_push(&e->tops, event->top[i]);
    array_push(&e->list, record);
}

bool events_waiting(const Events *e)
{
    return e->read < e->list.n;
}

bool events_read(Events *e, RequestEvent *out)
{
    if (!events_waiting(e))
        return false;
    const EventRecord *r = &e->list.at[e->read++];
    *out = r->event;
    out->text.at = str_c(&e->text) + r->text;
    out->top = r->event.top_n ? e->tops.at + r->top : NULL;
    return true;
}

void events_move(Events *to, Events *from)
{
    check(from->read == 0);
    if (to->list.n == 0) {
        Events empty = *to;
        *to = *from;
        *from = empty;
        return;
    }
    for (size_t i = 0; i < from->list.n; i++) {
        EventRecord r = from->list.at[i];
        r.text += to->text.n;
        r.top += to->tops.n;
        array_push(&to->list, r);
    }
    str_add(&to->text, str_c(&from->text), from->text.n);
    for (size_t i = 0; i < from->tops.n; i++)
        array_push(&to->tops, from->tops.at[i]);
    events_clear(from);
}

void events_clear(Events *e)
{
    array_clear(&e->list);
    array_clear(&e->tops);
    str_clear(&e->text);
    e->read = 0;
}

void events_drop(Events *e)
{
    array_drop(&e->list);
    array_drop(&e->tops);
    str_drop(&e->text);
    *e = (Events){0};
}
