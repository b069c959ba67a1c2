/* Rows whose target is learned.  Behind the last layer's attention a row depends on itself alone, and one
 * that is not learned has a loss of 0 and sends back nothing: where there are some, the others are gathered
 * there, go side by side through the rest of the layer, norm, head and loss, and their gradients are put back
 * among zeros.  Where all are learned nothing is moved. */
#include "model/state.h"

/* Rows come in so many at a time, a few unlearned ones among them: libraries prepare a product for each
 * number of rows, and batches would bring ever new ones. */
enum { ROWS_TOGETHER = 16 };

void choose_rows(Model *m, const int32_t *targets)
{
    int64_t N = m->a.N, learned = 0;
    for (int64_t i = 0; i < N; i++)
        learned += !targets || targets[i] >= 0;
    int64_t want = (learned + ROWS_TOGETHER - 1) / ROWS_TOGETHER * ROWS_TOGETHER;
    if (want == 0)
        want = ROWS_TOGETHER; /* so that products write their zeros */
    m->chosen = want < N ? want : N;
    if (m->chosen == N) {
        if (targets)
            device_upload(m->dev, m->a.targets.data, targets, (size_t)N * sizeof(int32_t));
        return;
    }
    int64_t n = 0, others = want - learned;
    for (int64_t i = 0; n < want; i++) {
        if (targets[i] < 0 && others-- <= 0)
            continue;
        m->chosen_ids[n] = (int32_t)i;
        m->chosen_targets[n++] = targets[i];
    }
    device_upload(m->dev, m->a.targets.data, m->chosen_targets, (size_t)n * sizeof(int32_t));
}

bool rows_are_chosen(const Model *m)
{
    return m->chosen < m->a.N;
}

/* Chosen rows [first, result) are neighbours among all rows. */
static int64_t stretch_end(const Model *m, int64_t first)
{
    int64_t end = first + 1;
    while (end < m->chosen && m->chosen_ids[end] == m->chosen_ids[end - 1] + 1)
        end++;
    return end;
}

/* One way or the other between the chosen rows and their places among all. */
static void move_chosen(Model *m, const Tensor *chosen, const Tensor *all, bool put)
{
    for (int64_t i = 0, end; i < m->chosen; i = end) {
        end = stretch_end(m, i);
        Tensor here = tensor_rows(chosen, i, end - i), there = tensor_rows(all, m->chosen_ids[i], end - i);
        if (put)
            cast(m->dev, &there, &here);
        else
            cast(m->dev, &here, &there);
    }
}

void take_chosen(Model *m, const Tensor *chosen, const Tensor *all)
{
    move_chosen(m, chosen, all, false);
}

void put_chosen(Model *m, const Tensor *all, const Tensor *chosen)
{
    device_zero(m->dev, all->data, (size_t)(all->rows * all->stride) * dtype_size(all->dtype));
    move_chosen(m, chosen, all, true);
}

LayerRest layer_rest(const Model *m, int64_t layer, const LayerActivations *a)
{
    LayerRest r = {.fewer = rows_are_chosen(m) && layer + 1 == m->h.num_hidden_layers};
    r.n = r.fewer ? m->chosen : m->a.N;
    r.att = tensor_rows(r.fewer ? &m->a.chosen_att : &a->att, 0, r.n);
    r.x_mid = tensor_rows(&a->x_mid, 0, r.n);
    r.rstd2 = tensor_cols(&a->rstd2, 0, r.n);
    r.norm2 = tensor_rows(&a->norm2, 0, r.n);
    r.gate_up = tensor_rows(&a->gate_up, 0, r.n);
    r.ff = tensor_rows(&a->ff, 0, r.n);
    return r;
}
