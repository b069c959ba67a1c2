/* Lines with points and intervals, drawn by gnuplot (a process) as SVG for the inside of a page. */
#ifndef STUDY_PLOT_H
#define STUDY_PLOT_H

#include "base/array.h"
#include "base/str.h"

typedef struct {
    double x, y, low, high; /* low = high: no interval */
    double x_low, x_high;   /* the same of x */
} PlotPoint;
typedef struct {
    char *title; /* owned */
    Array(PlotPoint) points;
} PlotLine;
typedef struct {
    const char *x_label, *y_label;
    bool log_x, points;   /* points: each value is marked, with its interval */
    bool x_real;          /* x is measured: ticks of points need be no whole numbers */
    double y_low, y_high; /* equal: as the values are */
    Array(PlotLine) lines;
} Plot; /* {0} is an empty one */

PlotLine *plot_line(Plot *p, const char *title); /* valid until the next */
void plot_point(PlotLine *line, double x, double y, double low, double high);
/* With an interval of x as well. */
void plot_point_both(PlotLine *line, PlotPoint point);
void plot_drop(Plot *p);

/* Appends an <svg> whose text and axes have the colour of the text around it; nothing where no line has a
 * point. ST_UNSUPPORTED: no gnuplot; ST_IO: it failed, with what it said. */
MUST_CHECK Status plot_svg(Str *out, const Plot *p);

#endif
