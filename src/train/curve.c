#include "train/curve.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/file.h"

typedef struct {
    double step, loss;
    bool held_out;
} Point;

typedef Array(Point) Points;

static const double wildest = 1e30; /* no loss is; sums and differences of such are numbers */

/* A line that is cut short (a run that was killed) or has no loss is passed over. */
static void read_line(Points *points, const char *line, size_t n)
{
    json_t *object = json_loadb(line, n, 0, NULL);
    const json_t *step = json_object_get(object, "step"), *loss = json_object_get(object, "loss_nats");
    const json_t *held_out = json_object_get(object, "held_out_loss_nats");
    double value = json_number_value(held_out ? held_out : loss);
    if (json_integer_value(step) >= 0 && json_is_integer(step) && json_is_number(held_out ? held_out : loss) &&
        fabs(value) < wildest) {
        Point p = {.step = json_number_value(step), .loss = value, .held_out = held_out != NULL};
        array_push(points, p);
    }
    json_decref(object);
}

static Status read_points(Points *points, const char *path)
{
    Str text = {0};
    Status st = file_read(&text, path, 0);
    for (size_t at = 0; st == ST_OK && at < text.n;) {
        const char *end = memchr(text.at + at, '\n', text.n - at);
        size_t n = end ? (size_t)(end - (text.at + at)) : text.n - at;
        read_line(points, text.at + at, n);
        at += n + 1;
    }
    str_drop(&text);
    if (st == ST_OK && points->n == 0)
        return fail(ST_FORMAT, "%s holds no step yet", path);
    return st;
}

static double last_step(const Points *points)
{
    double last = 0;
    for (size_t i = 0; i < points->n; i++)
        last = fmax(last, points->at[i].step);
    return last;
}

static int column_of(double step, double last, int width)
{
    int c = last > 0 ? (int)(step / last * (width - 1) + 0.5) : 0;
    return c < 0 ? 0 : c >= width ? width - 1 : c;
}

/* Mean training loss of each column; NaN where it has none.  Caller frees. */
static double *column_means(const Points *points, double last, int width)
{
    double *mean = mem_array(double, width);
    int *count = mem_array(int, width);
    for (size_t i = 0; i < points->n; i++) {
        const Point *p = &points->at[i];
        int c = column_of(p->step, last, width);
        if (!p->held_out)
            mean[c] += p->loss, count[c]++;
    }
    for (int c = 0; c < width; c++)
        mean[c] = count[c] ? mean[c] / count[c] : (double)NAN;
    mem_free(count);
    return mean;
}

typedef struct {
    double low, high;
} Range;

/* Of what is drawn: single losses lie above and below their column's mean. */
static Range range_of(const Points *points, const double *mean, int width)
{
    Range r = {.low = INFINITY, .high = -INFINITY};
    for (int c = 0; c < width; c++) { /* fmin and fmax pass over NaN */
        r.low = fmin(r.low, mean[c]);
        r.high = fmax(r.high, mean[c]);
    }
    for (size_t i = 0; i < points->n; i++) {
        if (!points->at[i].held_out)
            continue;
        r.low = fmin(r.low, points->at[i].loss);
        r.high = fmax(r.high, points->at[i].loss);
    }
    return r;
}

static int row_of(const Range *r, double loss, int height)
{
    double all = r->high - r->low;
    return all > 0 ? (int)((r->high - loss) / all * (height - 1) + 0.5) : 0;
}

static void draw(char *grid, const Points *points, const double *mean, const Range *r, double last, int width,
                 int height)
{
    for (int c = 0; c < width; c++)
        if (!isnan(mean[c]))
            grid[row_of(r, mean[c], height) * width + c] = '*';
    for (size_t i = 0; i < points->n; i++) {
        const Point *p = &points->at[i];
        if (p->held_out)
            grid[row_of(r, p->loss, height) * width + column_of(p->step, last, width)] = 'o';
    }
}

Status curve_plot(Str *out, const char *run_folder, int width, int height)
{
    Points points = {0};
    char *path = path_join(run_folder, "log.jsonl");
    Status st = read_points(&points, path);
    mem_free(path);
    if (st == ST_OK) {
        double last = last_step(&points), *mean = column_means(&points, last, width);
        Range r = range_of(&points, mean, width);
        char *grid = mem_zeroed((size_t)(width * height), 1);
        memset(grid, ' ', (size_t)(width * height));
        draw(grid, &points, mean, &r, last, width, height);
        for (int y = 0; y < height; y++) {
            if (y % 4 == 0 || y == height - 1)
                str_addf(out, "%7.3f |", r.high - (r.high - r.low) * y / (height - 1));
            else
                str_adds(out, "        |");
            str_addf(out, "%.*s\n", width, grid + y * width);
        }
        str_addf(out, "         0%*.0f steps    * training, o held out, nats a token\n", width - 1, last);
        mem_free(grid);
        mem_free(mean);
    }
    array_drop(&points);
    return st;
}
