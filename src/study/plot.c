#include "study/plot.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

enum { SVG_MAX = 16 << 20, POINTS_MOST = 2000 };

PlotLine *plot_line(Plot *p, const char *title)
{
    PlotLine line = {.title = mem_str(title)};
    array_push(&p->lines, line);
    return &p->lines.at[p->lines.n - 1];
}

void plot_point(PlotLine *line, double x, double y, double low, double high)
{
    plot_point_both(line, (PlotPoint){x, y, low, high, x, x});
}

void plot_point_both(PlotLine *line, PlotPoint point)
{
    if (isfinite(point.x) && isfinite(point.y))
        array_push(&line->points, point);
}

void plot_drop(Plot *p)
{
    for (size_t i = 0; i < p->lines.n; i++) {
        mem_free(p->lines.at[i].title);
        array_drop(&p->lines.at[i].points);
    }
    array_drop(&p->lines);
}

/* The script. -------------------------------------------------------------------------------------------- */

/* Between single quotes gnuplot reads two as one; "noenhanced" takes the rest as it is. */
static void add_quoted(Str *out, const char *text)
{
    str_addc(out, '\'');
    for (; *text; text++)
        str_adds(out, *text == '\'' ? "''" : (char[]){*text == '\n' ? ' ' : *text, 0});
    str_addc(out, '\'');
}

static void add_data(Str *out, const Plot *p)
{
    for (size_t i = 0; i < p->lines.n; i++) {
        const PlotLine *l = &p->lines.at[i];
        size_t stride = l->points.n / POINTS_MOST + 1;
        str_addf(out, "$d%zu << EOD\n", i);
        for (size_t k = 0; k < l->points.n; k += stride)
            str_addf(out, "%.9g %.9g %.9g %.9g %.9g %.9g\n", l->points.at[k].x, l->points.at[k].y,
                     l->points.at[k].x_low, l->points.at[k].x_high, l->points.at[k].low,
                     l->points.at[k].high);
        str_adds(out, "EOD\n");
    }
}

static const char *const colours[] = {"#3987c9", "#d9762b", "#3f9b5a", "#b04fa3",
                                      "#a08a2c", "#c0453d", "#5b6fd6", "#7d8791"};
enum { COLOURS = sizeof colours / sizeof *colours };

static void ends_of_x(const Plot *p, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < p->lines.n; i++)
        for (size_t k = 0; k < p->lines.at[i].points.n; k++) {
            *low = fmin(*low, p->lines.at[i].points.at[k].x_low);
            *high = fmax(*high, p->lines.at[i].points.at[k].x_high);
        }
}

/* Few steps have a tick each, millions are written "1.5 M", and what is marked keeps away from the ends. */
static void add_x_axis(Str *out, const Plot *p)
{
    enum { TICKS_MOST = 12, LONG = 10000 };
    double low, high;
    ends_of_x(p, &low, &high);
    if (p->log_x)
        str_adds(out, "set logscale x\n");
    else if (p->points && !p->x_real && high <= TICKS_MOST)
        str_adds(out, "set xtics 1\n");
    if (high >= LONG)
        str_adds(out, "set format x '%.1s %c'\n");
    if (p->points && !p->log_x && low < high)
        str_addf(out, "set xrange [%.9g:%.9g]\n", low - 0.03 * (high - low), high + 0.03 * (high - low));
}

static void add_script(Str *out, const Plot *p)
{
    str_adds(out, "set terminal svg size 720,380 dynamic noenhanced font 'sans-serif,13'\n"
                  "set grid lc rgb '#808080' lt 1 lw 0.3\nset border 3\nset tics nomirror\n"
                  "set key outside top center horizontal\nset xlabel ");
    add_quoted(out, p->x_label);
    str_adds(out, "\nset ylabel ");
    add_quoted(out, p->y_label);
    str_adds(out, "\n");
    add_x_axis(out, p);
    if (p->y_low < p->y_high)
        str_addf(out, "set yrange [%.9g:%.9g]\n", p->y_low, p->y_high);
    add_data(out, p);
    str_adds(out, "plot ");
    for (size_t i = 0, drawn = 0; i < p->lines.n; i++) {
        const char *colour = colours[i % COLOURS];
        const PlotLine *l = &p->lines.at[i];
        if (!l->points.n)
            continue;
        if (p->points)
            str_addf(out, "%s$d%zu using 1:2:3:4:5:6 with xyerrorbars lc rgb '%s' pt 7 ps 0.6 notitle",
                     drawn++ ? ", " : "", i, colour);
        str_addf(out, "%s$d%zu using 1:2 with %s lc rgb '%s' title ", drawn++ ? ", " : "", i,
                 l->points.n > 1 ? "lines lw 2" : "points pt 7 ps 0.6", colour);
        add_quoted(out, l->title);
    }
    str_adds(out, "\n");
}

static bool has_points(const Plot *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->lines.n; i++)
        n += p->lines.at[i].points.n;
    return n > 0;
}

/* The process. ------------------------------------------------------------------------------------------- */

static Status write_all(int fd, Span text)
{
    for (size_t at = 0; at < text.n;) {
        ssize_t n = write(fd, text.at + at, text.n - at);
        if (n <= 0)
            return fail_errno(ST_IO, "gnuplot's script cannot be written");
        at += (size_t)n;
    }
    return ST_OK;
}

/* The script lies in a file without a name, so that gnuplot may write while it reads. */
static Status run_gnuplot(Str *svg, Str *said, Span script)
{
    int in = memfd_create("gnuplot", MFD_CLOEXEC), out = memfd_create("svg", MFD_CLOEXEC),
        err = memfd_create("said", MFD_CLOEXEC), status = 0;
    Status st = in < 0 || out < 0 || err < 0 ? fail_errno(ST_IO, "no memory file") : write_all(in, script);
    if (st == ST_OK) {
        lseek(in, 0, SEEK_SET);
        pid_t pid = fork();
        if (pid == 0) {
            if (dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(err, 2) == 2)
                execlp("gnuplot", "gnuplot", "-", (char *)NULL);
            _exit(127);
        }
        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            st = fail_errno(ST_IO, "gnuplot cannot be started");
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", out);
    if (st == ST_OK && status == 0)
        st = file_read(svg, path, SVG_MAX);
    snprintf(path, sizeof path, "/proc/self/fd/%d", err);
    if (st == ST_OK)
        st = file_read(said, path, SVG_MAX);
    if (st == ST_OK && WIFEXITED(status) && WEXITSTATUS(status) == 127)
        st = fail(ST_UNSUPPORTED, "there is no gnuplot (Debian: gnuplot-nox)");
    else if (st == ST_OK && status != 0)
        st = fail(ST_IO, "gnuplot failed: %.300s", str_c(said));
    for (int i = 0; i < 3; i++) {
        int fd = i == 0 ? in : i == 1 ? out : err;
        if (fd >= 0)
            close(fd);
    }
    return st;
}

/* What gnuplot draws black takes the page's colour; its prolog and its fixed size do not belong inside a
 * page. */
static void add_inline(Str *out, Span svg)
{
    static const struct {
        const char *was, *is;
    } swaps[] = {
        {"fill=\"black\"", "fill=\"currentColor\""},     {"fill = \"black\"", "fill=\"currentColor\""},
        {"stroke=\"black\"", "stroke=\"currentColor\""}, {"fill: black", "fill: currentColor"},
        {"stroke: black", "stroke: currentColor"},       {"color=\"black\"", "color=\"currentColor\""},
        {"stroke='black'", "stroke='currentColor'"}};
    const char *begin = memmem(svg.at, svg.n, "<svg", 4);
    Span at = begin ? (Span){begin, (size_t)(svg.at + svg.n - begin)} : (Span){svg.at, 0};
    while (at.n) {
        size_t step = 1;
        const char *with = NULL;
        for (size_t i = 0; i < sizeof swaps / sizeof *swaps && !with; i++)
            if (span_starts(at, swaps[i].was)) {
                with = swaps[i].is;
                step = strlen(swaps[i].was);
            }
        if (with)
            str_adds(out, with);
        else
            str_addc(out, *at.at);
        at = (Span){at.at + step, at.n - step};
    }
}

Status plot_svg(Str *out, const Plot *p)
{
    Str script = {0}, svg = {0}, said = {0};
    Status st = ST_OK;
    if (!has_points(p))
        return ST_OK;
    add_script(&script, p);
    st = run_gnuplot(&svg, &said, str_span(&script));
    if (st == ST_OK) {
        str_adds(out, "<div class=\"plot\">");
        add_inline(out, str_span(&svg));
        str_adds(out, "</div>\n");
    }
    str_drop(&script);
    str_drop(&svg);
    str_drop(&said);
    return st;
}
