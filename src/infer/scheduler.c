#include "infer/scheduler.h"

#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"

enum { WORTH_WAITING = 16 }; /* ids that another computes: fewer are computed again rather than waited for */

Status scheduler_new(Scheduler **out, const PassModel *model, const SchedulerLimits *limits)
{
    Scheduler *s = mem_new(Scheduler);
    *s = (Scheduler){.model = *model, .limits = *limits, .pages = pages_new(model->pages)};
    check(limits->max_sequences >= 1 && limits->max_sequences <= model->max_rows &&
          limits->max_sequences <= model->max_logits && model->pages >= 1);
    size_t bytes = (size_t)model->max_logits * (size_t)model->vocab * sizeof *s->logits;
    s->logits = mem_aligned(bytes);
    if (!s->logits) {
        scheduler_free(s);
        return fail(ST_NOMEM, "no memory for %lld rows of logits, %zu bytes", (long long)model->max_logits,
                    bytes);
    }
    *out = s;
    return ST_OK;
}

void scheduler_free(Scheduler *s)
{
    if (!s)
        return;
    check(s->running.n == 0 && s->waiting.n == 0);
    pages_free(s->pages);
    array_drop(&s->running);
    array_drop(&s->waiting);
    array_drop(&s->spoke);
    array_drop(&s->chosen);
    array_drop(&s->runs);
    mem_free(s->logits);
    mem_free(s);
}

int64_t scheduler_context(const Scheduler *s)
{
    int64_t room = s->model.pages * KV_PAGE;
    return room < s->model.positions ? room : s->model.positions;
}

/* Lists. ------------------------------------------------------------------------------------------------- */

static bool goes_before(const Sequence *a, const Sequence *b)
{
    return a->spec.priority != b->spec.priority ? a->spec.priority > b->spec.priority : a->serial < b->serial;
}

static void list_insert(Sequences *list, Sequence *q)
{
    size_t at = list->n;
    array_push(list, q);
    for (; at > 0 && goes_before(q, list->at[at - 1]); at--)
        list->at[at] = list->at[at - 1];
    list->at[at] = q;
}

static void list_remove(Sequences *list, const Sequence *q)
{
    size_t at = 0;
    while (list->at[at] != q)
        check(++at < list->n);
    list->n--;
    memmove(list->at + at, list->at + at + 1, (list->n - at) * sizeof *list->at);
}

void scheduler_add(Scheduler *s, Sequence *q)
{
    q->serial = ++s->serial;
    s->fresh++;
    list_insert(&s->waiting, q);
}

static void speak(Scheduler *s, Sequence *q)
{
    if (events_waiting(&q->events))
        array_push(&s->spoke, q);
}

/* It has ended, and is in no list any more. */
static void leave(Scheduler *s, Sequence *q)
{
    pages_release(s->pages, &q->pages);
    speak(s, q);
}

static void leave_waiting(Scheduler *s, Sequence *q)
{
    s->fresh -= q->started <= 0;
    leave(s, q);
}

/* Removes and ends what must; the others close up. */
static void end_some(Scheduler *s, Sequences *list, double now, bool all)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->n; i++) {
        Sequence *q = list->at[i];
        bool late = q->spec.deadline_s > 0 && now - q->submitted >= q->spec.deadline_s;
        if (!all && !q->cancelled && !late) {
            list->at[kept++] = q;
            continue;
        }
        sequence_end(q, all || q->cancelled ? FINISH_CANCELLED : FINISH_DEADLINE);
        if (list == &s->waiting)
            leave_waiting(s, q);
        else
            leave(s, q);
    }
    list->n = kept;
}

void scheduler_cancel_all(Scheduler *s)
{
    array_clear(&s->spoke);
    end_some(s, &s->running, 0, true);
    end_some(s, &s->waiting, 0, true);
}

/* Rows. -------------------------------------------------------------------------------------------------- */

typedef struct {
    int64_t rows, logits; /* that are left of this pass */
} Budget;

static int64_t left(const Sequence *q)
{
    return sequence_target(q) - q->past;
}

static int64_t wanted_of(const Sequence *q, int64_t rows)
{
    int64_t from = sequence_first_wanted(q), end = q->past + rows;
    int64_t begin = from > q->past ? from : q->past;
    return end > begin ? end - begin : 0;
}

/* Up to `most` rows more for q, as far as there are rows and logits. */
static void give_rows(Budget *b, Sequence *q, int64_t most)
{
    int64_t n = left(q) - q->rows;
    n = n < most ? n : most;
    n = n < b->rows ? n : b->rows;
    while (n > 0 && wanted_of(q, q->rows + n) - q->wanted > b->logits) {
        int64_t over = wanted_of(q, q->rows + n) - q->wanted - b->logits;
        n -= over < n ? over : n;
    }
    if (n <= 0)
        return;
    int64_t wanted = wanted_of(q, q->rows + n);
    b->rows -= n;
    b->logits -= wanted - q->wanted;
    q->rows += n;
    q->wanted = wanted;
}

static Sequence *shortest(const Sequences *list)
{
    Sequence *least = NULL;
    for (size_t i = 0; i < list->n; i++) {
        Sequence *q = list->at[i];
        if (left(q) > q->rows && q->rows == 0 && (!least || left(q) < left(least)))
            least = q;
    }
    return least;
}

/* Rows of those that run.  *oldest: the prompt that is to have what is left in the end, or NULL. */
static Budget share_rows(Scheduler *s, Sequence **oldest)
{
    Budget b = {s->model.max_rows, s->model.max_logits};
    int64_t prompts = s->waiting.n > 0;
    bool writing = false;
    Sequence *q;
    *oldest = NULL;
    for (size_t i = 0; i < s->running.n; i++) {
        q = s->running.at[i];
        q->rows = q->wanted = 0;
        writing |= sequence_writes(q);
        if (left(q) == 1)
            give_rows(&b, q, 1);
        else
            prompts++;
        if (left(q) > 1 && !*oldest)
            *oldest = q;
    }
    if (writing && b.rows > s->limits.prefill_rows)
        b.rows = s->limits.prefill_rows;
    if (*oldest)
        give_rows(&b, *oldest, prompts > 1 ? (b.rows + 1) / 2 : b.rows);
    while (b.rows > 0 && (q = shortest(&s->running))) {
        give_rows(&b, q, b.rows);
        if (q->rows == 0)
            break; /* no logits left */
    }
    return b;
}

/* What neither other prompts nor those that wait had use for, as far as there are free pages. */
static void give_rest(Scheduler *s, Budget *b, Sequence *oldest)
{
    int64_t rows = oldest->rows, wanted = oldest->wanted;
    if (rows == 0) /* it was preempted */
        return;
    give_rows(b, oldest, b->rows);
    if (!pages_grow(s->pages, &oldest->pages, oldest->past + oldest->rows)) {
        oldest->rows = rows;
        oldest->wanted = wanted;
    }
}

/* Pages. ------------------------------------------------------------------------------------------------- */

static void preempt(Scheduler *s, Sequence *q)
{
    list_remove(&s->running, q);
    pages_release(s->pages, &q->pages);
    q->past = q->rows = q->wanted = 0;
    q->result.preemptions++;
    s->counts.preemptions++;
    list_insert(&s->waiting, q);
}

/* Oldest first; the victims are at the other end of the list. */
static void provide_pages(Scheduler *s)
{
    for (size_t i = 0; i < s->running.n; i++) {
        Sequence *q = s->running.at[i];
        while (!pages_grow(s->pages, &q->pages, q->past + q->rows)) {
            Sequence *youngest = s->running.at[s->running.n - 1];
            preempt(s, youngest);
            if (youngest == q)
                break;
        }
    }
}

/* Pages that prompts under way will still take, with one token each; and one more for every text, so that who
 * is let in now need not give way in a moment. */
static int64_t promised(const Scheduler *s)
{
    int64_t sum = 0, context = scheduler_context(s);
    for (size_t i = 0; i < s->running.n; i++) {
        const Sequence *q = s->running.at[i];
        int64_t target = sequence_target(q) + 1 < context ? sequence_target(q) + 1 : context;
        int64_t more = kv_pages_for(target) - (int64_t)q->pages.n;
        sum += (more > 0 ? more : 0) + sequence_writes(q);
    }
    return sum;
}

/* Those that wait. --------------------------------------------------------------------------------------- */

static bool reads_prompt(const Sequence *q)
{
    return !sequence_writes(q) && q->past < sequence_target(q) && !q->spec.no_cache;
}

/* Who is computing a beginning of q's ids that is not in the cache yet; remembered in q, not to look again
 * each time. */
static bool must_wait(const Scheduler *s, Sequence *q)
{
    int64_t most = sequence_first_wanted(q), cached = -1;
    if (!s->limits.prefix_cache || q->spec.no_cache)
        return false;
    for (size_t i = 0; i < s->running.n; i++) {
        const Sequence *other = s->running.at[i];
        if (!reads_prompt(other) || (q->waits_for && q->waits_for != other->serial))
            continue;
        if (q->waits_for == other->serial && other->past < q->waits_until)
            return true;
        int64_t n = most < sequence_target(other) ? most : sequence_target(other), same = 0;
        while (same < n && q->ids.at[same] == other->ids.at[same])
            same++;
        if (cached < 0)
            cached = pages_length(s->pages, q->ids.at, most);
        if (same > other->past && same >= cached + WORTH_WAITING) {
            q->waits_for = other->serial;
            q->waits_until = same;
            return true;
        }
    }
    if (!q->waits_for)
        return false;
    q->waits_for = 0; /* that one is done, or gone: there may be another */
    return must_wait(s, q);
}

/* Takes over what the cache has.  False: there are not enough pages for the rest of it. */
static bool find_pages(Scheduler *s, Sequence *q, int64_t reserved)
{
    int64_t most = sequence_first_wanted(q), end = sequence_target(q);
    int64_t with_one = end + 1 < scheduler_context(s) ? end + 1 : scheduler_context(s);
    int32_t from = -1;
    most = most < end ? most : end;
    if (s->limits.prefix_cache && !q->spec.no_cache)
        from = pages_find(s->pages, &q->pages, q->ids.at, most, &q->past);
    int64_t needed = kv_pages_for(with_one) - (int64_t)q->pages.n;
    if (needed > pages_unused(s->pages) + pages_cached(s->pages) - reserved) {
        pages_release(s->pages, &q->pages);
        q->past = 0;
        return false;
    }
    if (from >= 0)
        s->model.copy_page(s->model.context, q->pages.at[q->pages.n - 1], from);
    return true;
}

static void start(Scheduler *s, Sequence *q)
{
    list_insert(&s->running, q);
    q->waits_for = 0;
    q->rows = q->wanted = 0;
    if (q->started > 0)
        return;
    q->started = clock_now();
    q->result.cached_tokens = q->past < q->spec.prompt_n ? q->past : q->spec.prompt_n;
    s->fresh--;
    s->counts.prompt_tokens += q->spec.prompt_n;
    s->counts.cached_tokens += q->result.cached_tokens;
}

/* Everything was in the cache, and nothing is to be written. */
static bool ended_at_once(Scheduler *s, Sequence *q)
{
    if (left(q) > 0)
        return false;
    sequence_take(q, NULL);
    check(q->finished);
    list_remove(&s->running, q);
    leave(s, q);
    return true;
}

/* In order; one for whom there are no pages lets nobody pass, or it might wait for ever. */
static void admit(Scheduler *s, Budget *b)
{
    int64_t reserved = promised(s);
    for (size_t i = 0; i < s->waiting.n && b->rows > 0 && (int64_t)s->running.n < s->limits.max_sequences;) {
        Sequence *q = s->waiting.at[i];
        if (must_wait(s, q)) {
            i++;
            continue;
        }
        if (!find_pages(s, q, reserved))
            return;
        list_remove(&s->waiting, q);
        start(s, q);
        if (ended_at_once(s, q))
            continue;
        give_rows(b, q, b->rows);
        /* what was just counted as free holds for it: it cannot fail */
        check(pages_grow(s->pages, &q->pages, q->past + q->rows));
        reserved = promised(s);
    }
}

/* The pass. ---------------------------------------------------------------------------------------------- */

static void choose(Scheduler *s)
{
    array_clear(&s->chosen);
    array_clear(&s->runs);
    for (size_t i = 0; i < s->running.n; i++) {
        Sequence *q = s->running.at[i];
        DecoderRun run = {.ids = q->ids.at + q->past, .n = q->rows, .past = q->past, .pages = q->pages.at,
                          .logits = q->wanted};
        if (q->rows == 0)
            continue;
        array_push(&s->chosen, q);
        array_push(&s->runs, run);
        s->counts.rows += q->rows;
    }
}

static bool run_pass(Scheduler *s)
{
    Status st = s->model.pass(s->model.context, s->runs.at, (int64_t)s->runs.n, s->logits);
    s->counts.passes++;
    if (st == ST_OK)
        return true;
    Error error = error_take();
    for (size_t i = 0; i < s->chosen.n; i++) {
        st = error_put(&error);
        sequence_fail(s->chosen.at[i]);
    }
    return false;
}

/* What is computed goes into the tree before anything else: another that begins alike finds it there. */
static void enter(Scheduler *s)
{
    for (size_t i = 0; i < s->chosen.n; i++) {
        Sequence *q = s->chosen.at[i];
        int64_t now = q->past + q->rows;
        bool page_full = now / KV_PAGE > q->past / KV_PAGE;
        if (s->limits.prefix_cache && !q->spec.no_cache && (q->rows > 1 || page_full || !sequence_writes(q)))
            pages_enter(s->pages, &q->pages, q->ids.at, now);
    }
}

/* Sampling, constraints and text: each sequence by itself. */
static void take_logits(Scheduler *s)
{
    int64_t n = (int64_t)s->chosen.n, at = 0;
    int threads = s->model.threads > 1 ? s->model.threads : 1;
    for (int64_t i = 0; i < n; i++) { /* runs.logits becomes where its logits begin */
        int64_t wanted = s->runs.at[i].logits;
        s->runs.at[i].logits = at;
        at += wanted;
    }
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads) if (threads > 1 && n > 1)
    for (int64_t i = 0; i < n; i++)
        sequence_take(s->chosen.at[i], s->logits + s->runs.at[i].logits * s->model.vocab);
}

/* What an ended one computed stays in the cache, also its last page. */
static void sort_out(Scheduler *s)
{
    for (size_t i = 0; i < s->chosen.n; i++) {
        Sequence *q = s->chosen.at[i];
        s->counts.tokens += q->result.tokens - q->counted;
        q->counted = q->result.tokens;
        if (!q->finished) {
            speak(s, q);
            continue;
        }
        if (s->limits.prefix_cache && !q->spec.no_cache && q->result.finish != FINISH_FAILED)
            pages_enter(s->pages, &q->pages, q->ids.at, q->past);
        list_remove(&s->running, q);
        leave(s, q);
    }
}

bool scheduler_turn(Scheduler *s)
{
    double now = clock_now();
    array_clear(&s->spoke);
    if (s->running.n + s->waiting.n == 0)
        return false;
    end_some(s, &s->running, now, false);
    end_some(s, &s->waiting, now, false);
    Sequence *oldest;
    Budget b = share_rows(s, &oldest);
    provide_pages(s);
    admit(s, &b);
    if (oldest && b.rows > 0)
        give_rest(s, &b, oldest);
    choose(s);
    check(s->chosen.n > 0 || s->running.n + s->waiting.n == 0 || s->spoke.n > 0);
    if (s->chosen.n == 0)
        return true;
    if (run_pass(s)) {
        enter(s);
        take_logits(s);
    }
    sort_out(s);
    return true;
}
