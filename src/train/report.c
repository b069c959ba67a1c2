#include "train/report.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

static const double redraw_seconds = 0.1, terminal_seconds = 15, file_seconds = 10;

void report_init(Report *r, int64_t every)
{
    *r = (Report){.every = every, .terminal = isatty(STDERR_FILENO) == 1};
}

/* 12345.6 -> "12,345" */
static const char *grouped(char buf[32], double v)
{
    char digits[32];
    int n = snprintf(digits, sizeof digits, "%.0f", v < 1e15 ? v : 1e15), out = 0;
    for (int i = 0; i < n; i++) {
        if (i && (n - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = digits[i];
    }
    buf[out] = 0;
    return buf;
}

void report_line(char *out, size_t size, const TrainStep *s, double tokens_per_s, double mfu,
                 double seconds_left)
{
    char rate[32], left[32], share[32] = "";
    if (isfinite(mfu))
        snprintf(share, sizeof share, "  MFU %.0f%%", 100 * mfu);
    snprintf(out, size, "step %lld/%lld  %.1f%%  loss %.3f  lr %.1e  norm %.2f  %s tok/s%s  ETA %s%s",
             (long long)s->step, (long long)s->total_steps, 100 * (double)s->step / (double)s->total_steps,
             s->loss_nats, s->lr, s->grad_norm, grouped(rate, tokens_per_s), share,
             human_time(left, seconds_left), s->skipped ? "  (skipped)" : "");
}

void report_wipe(Report *r)
{
    if (r->drawn)
        fputs("\r\x1b[K", stderr);
    r->drawn = false;
}

void report_step(Report *r, const TrainStep *s)
{
    char line[256];
    double now = clock_now();
    /* A running mean over about the last 20 steps; the first step also warms up and does not count for long.
     */
    double weight = r->steps_seen < 2 ? 1 : fmax(0.05, 1.0 / (double)r->steps_seen);
    r->step_seconds += weight * (s->seconds - r->step_seconds);
    r->step_work += weight * (s->mfu * s->seconds - r->step_work);
    r->steps_seen++;
    bool last = s->step == s->total_steps;
    bool due = r->every > 0 ? s->step % r->every == 0
                            : now - r->last_line >= (r->terminal ? terminal_seconds : file_seconds);
    bool stays = due || last || r->steps_seen == 1;
    if (!stays && (!r->terminal || now - r->last_draw < redraw_seconds))
        return;
    report_line(line, sizeof line, s, s->tokens_per_s * s->seconds / r->step_seconds,
                r->step_work / r->step_seconds, (double)(s->total_steps - s->step) * r->step_seconds);
    if (stays) {
        report_wipe(r);
        log_info("%s", line);
        r->last_line = now;
    } else {
        fprintf(stderr, "\r%s\x1b[K", line);
        r->drawn = true;
    }
    r->last_draw = now;
}

static void add_loss(Str *s, const LossSum *l)
{
    double bits = loss_bits_per_byte(l);
    str_addf(s, " %.3f", loss_per_token(l));
    if (isfinite(bits))
        str_addf(s, " (%.3f bits/byte)", bits);
}

void report_eval(Report *r, int64_t step, const LossReport *e, const ShardSource *sources)
{
    Str line = {0};
    str_addf(&line, "held out at step %lld: loss", (long long)step);
    add_loss(&line, &e->all);
    for (int32_t i = 0; i < e->sources_n; i++) {
        if (e->source[i].tokens == 0)
            continue;
        str_addf(&line, "  %s", sources[i].name);
        add_loss(&line, &e->source[i]);
    }
    report_wipe(r);
    log_info("%s", line.at);
    str_drop(&line);
}
