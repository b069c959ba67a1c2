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

/* A line that is cut short (a run that was killed) or has no loss is passed over. */
static void read_line(Points *points, const char *line, size_t n)
{
    json_t *object = json_loadb(line, n, 0, NULL);
    const json_t *step = json_object_get(object, "step"), *loss = json_object_get(object, "loss_nats");
    const json_t *held_out = json_object_get(object, "held_out_loss_nats");
    double value = json_number_value(held_out ? held_out : loss);
    if (json_is_number(step) && json_is_number(held_out ? held_out : loss) && isfinite(value)) {
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

typedef struct {
    double low, high, last_step;
} Range;

static Range range_of(const Points *points)
{
    Range r = {.low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < points->n; i++) {
        r.low = fmin(r.low, points->at[i].loss);
        r.high = fmax(r.high, points->at[i].loss);
        r.last_step = fmax(r.last_step, points->at[i].step);
    }
    if (r.high - r.low < 1e-9)
        r.high = r.low + 1e-9;
    return r;
}

static int column_of(const Range *r, double step, int width)
{
    int c = r->last_step > 0 ? (int)(step / r->last_step * (width - 1) + 0.5) : 0;
    return c < 0 ? 0 : c >= width ? width - 1 : c;
}

static int row_of(const Range *r, double loss, int height)
{
    return (int)((r->high - loss) / (r->high - r->low) * (height - 1) + 0.5);
}

static void draw(char *grid, const Points *points, const Range *r, int width, int height)
{
    double *sum = mem_array(double, width);
    int *count = mem_array(int, width);
    for (size_t i = 0; i < points->n; i++) {
        const Point *p = &points->at[i];
        int c = column_of(r, p->step, width);
        if (p->held_out)
            grid[row_of(r, p->loss, height) * width + c] = 'o';
        else
            sum[c] += p->loss, count[c]++;
    }
    for (int c = 0; c < width; c++)
        if (count[c] && grid[row_of(r, sum[c] / count[c], height) * width + c] == ' ')
            grid[row_of(r, sum[c] / count[c], height) * width + c] = '*';
    mem_free(sum);
    mem_free(count);
}

Status curve_plot(Str *out, const char *run_folder, int width, int height)
{
    Points points = {0};
    char *path = path_join(run_folder, "log.jsonl");
    Status st = read_points(&points, path);
    mem_free(path);
    if (st == ST_OK) {
        Range r = range_of(&points);
        char *grid = mem_zeroed((size_t)(width * height), 1);
        memset(grid, ' ', (size_t)(width * height));
        draw(grid, &points, &r, width, height);
        for (int y = 0; y < height; y++) {
            if (y % 4 == 0 || y == height - 1)
                str_addf(out, "%7.3f |", r.high - (r.high - r.low) * y / (height - 1));
            else
                str_adds(out, "        |");
            str_addf(out, "%.*s\n", width, grid + y * width);
        }
        str_addf(out, "         0%*.0f steps    * training, o held out, nats a token\n", width - 1,
                 r.last_step);
        mem_free(grid);
    }
    array_drop(&points);
    return st;
}
