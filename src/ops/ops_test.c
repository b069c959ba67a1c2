#include "ops/ops.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ops/select.h"

/* cmocka's macro `fail` would spoil base/status.h, so it comes last. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

enum { N = 4, C = 8, F = 6, V = 10, H = 2, Hk = 1, D = 4, TENSORS_MAX = 10 };
static const AttentionShape heads = {.B = 1, .T = N, .H = H, .Hk = Hk, .D = D};
static const AdamWStep step = {
    .beta1 = 0.9f, .beta2 = 0.99f, .eps = 1e-8f, .bias1 = 1, .bias2 = 1, .grad_scale = 1};

/* What may be wrong about one tensor while the others are right.  A tensor says which of these its operation
 * allows. */
enum { ROW_TOO_MANY = 1, COLUMN_TOO_MANY = 2, NO_SUCH_TYPE = 4 };

typedef struct {
    DType dtype;
    int64_t rows, cols;
    int allowed;
} Given;

typedef struct {
    const char *op;
    void (*call)(Device *dev, Tensor *t);
    Given given[TENSORS_MAX]; /* in the order of the operation's arguments */
} Case;

static void call_embed(Device *dev, Tensor *t)
{
    embed(dev, &t[0], &t[1], &t[2]);
}
static void call_embed_back(Device *dev, Tensor *t)
{
    embed_back(dev, &t[0], &t[1], &t[2]);
}
static void call_rmsnorm(Device *dev, Tensor *t)
{
    rmsnorm(dev, &t[0], &t[1], &t[2], &t[3], 1e-5f);
}
static void call_rmsnorm_back(Device *dev, Tensor *t)
{
    rmsnorm_back(dev, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6]);
}
static void call_rope(Device *dev, Tensor *t)
{
    rope(dev, &t[0], &t[1], &t[2], D);
}
static void call_rope_back(Device *dev, Tensor *t)
{
    rope_back(dev, &t[0], &t[1], &t[2], D);
}
static void call_matmul(Device *dev, Tensor *t)
{
    matmul(dev, &t[0], &t[1], &t[2], false);
}
static void call_matmul_back_x(Device *dev, Tensor *t)
{
    matmul_back_x(dev, &t[0], &t[1], &t[2], false);
}
static void call_matmul_back_w(Device *dev, Tensor *t)
{
    matmul_back_w(dev, &t[0], &t[1], &t[2], false);
}
static void call_attention(Device *dev, Tensor *t)
{
    attention(dev, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &heads);
}
static void call_attention_back(Device *dev, Tensor *t)
{
    attention_back(dev, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7], &t[8], &t[9], &heads);
}
static void call_swiglu(Device *dev, Tensor *t)
{
    swiglu(dev, &t[0], &t[1]);
}
static void call_swiglu_back(Device *dev, Tensor *t)
{
    swiglu_back(dev, &t[0], &t[1], &t[2]);
}
static void call_cross_entropy(Device *dev, Tensor *t)
{
    cross_entropy(dev, &t[0], &t[1], &t[2], &t[3], 1);
}
static void call_adamw(Device *dev, Tensor *t)
{
    adamw(dev, &t[0], &t[1], &t[2], &t[3], &t[4], &step);
}
static void call_sum_squares(Device *dev, Tensor *t)
{
    sum_squares(dev, &t[0], &t[1]);
}
static void call_cast(Device *dev, Tensor *t)
{
    cast(dev, &t[0], &t[1]);
}

static void call_dropout(Device *dev, Tensor *t)
{
    dropout(dev, &t[0], &t[1], &(Dropout){.rate = 0.25f, .scale = 1}, false);
}

static void call_decode_rows(Device *dev, Tensor *t)
{
    decode_rows(dev, &t[0], t[1].data, QUANT_Q8_0, &t[2]);
}

static PackedMatrix packed_view(const Tensor *t)
{
    return (PackedMatrix){t->dtype == DTYPE_F32 ? QUANT_F32 : QUANT_F16, t->rows, t->cols, t->data};
}
static void call_pack_weights(Device *dev, Tensor *t)
{
    PackedMatrix w = packed_view(&t[0]);
    pack_weights(dev, &w, 0, t[1].rows, t[1].data, quant_of_dtype(t[1].dtype));
}
static void call_matmul_packed(Device *dev, Tensor *t)
{
    PackedMatrix w = packed_view(&t[2]);
    matmul_packed(dev, &t[0], &t[1], &w, 1, false);
}
static void call_embed_packed(Device *dev, Tensor *t)
{
    PackedMatrix w = packed_view(&t[1]);
    embed_packed(dev, &t[0], &w, &t[2]);
}

/* One page of positions 0 .. N - 1. */
static float page[(D + 16) * KV_PAGE];
static const int32_t pages[] = {0};
static const PagedRows paged = {.pages = pages, .past = 0, .first = 0, .n = N};
static KvPages one_page(void)
{
    return (KvPages){.data = page, .dtype = DTYPE_F32, .pages = 1, .Hk = Hk, .D = D};
}
static void call_kv_write(Device *dev, Tensor *t)
{
    KvPages kv = one_page();
    kv_write(dev, &kv, &t[0], &t[1], &paged, 1);
}
static void call_attention_paged(Device *dev, Tensor *t)
{
    KvPages kv = one_page();
    attention_paged(dev, &t[0], &t[1], &kv, &paged, 1, &heads);
}

/* clang-format off */
#define F32(rows, cols) {DTYPE_F32, rows, cols, 0}
#define F32_LONGER(rows, cols) {DTYPE_F32, rows, cols, ROW_TOO_MANY}
#define BF16(rows, cols) {DTYPE_BF16, rows, cols, 0}
#define I32(cols) {DTYPE_I32, 1, cols, 0}
static const Case cases[] = {
    {"embed", call_embed, {F32(N, C), F32_LONGER(V, C), I32(N)}},
    {"embed_back", call_embed_back, {F32_LONGER(V, C), F32(N, C), I32(N)}},
    {"rmsnorm", call_rmsnorm, {F32(N, C), F32(1, N), F32(N, C), F32(1, C)}},
    {"rmsnorm_back", call_rmsnorm_back,
     {F32(N, C), BF16(N, C), F32(1, C), F32(N, C), F32(N, C), F32(1, C), F32(1, N)}},
    {"rope", call_rope, {F32(N, C), F32_LONGER(N, D), I32(N)}},
    {"rope_back", call_rope_back, {F32(N, C), F32_LONGER(N, D), I32(N)}},
    {"matmul", call_matmul, {F32(N, F), F32(N, C), F32(F, C)}},
    {"matmul_back_x", call_matmul_back_x, {F32(N, C), F32(N, F), F32(F, C)}},
    {"matmul_back_w", call_matmul_back_w, {F32(F, C), F32(N, F), F32(N, C)}},
    {"attention", call_attention,
     {F32(N, H * D), F32(N, H), F32(N, H * D), F32(N, Hk * D), F32(N, Hk * D), I32(N)}},
    {"attention_back", call_attention_back,
     {F32(N, H * D), F32(N, Hk * D), F32(N, Hk * D), F32(N, H * D), F32(N, H * D), F32(N, H),
      F32(N, H * D), F32(N, Hk * D), F32(N, Hk * D), I32(N)}},
    {"swiglu", call_swiglu, {F32(N, F), F32(N, 2 * F)}},
    {"swiglu_back", call_swiglu_back, {F32(N, 2 * F), F32(N, F), F32(N, 2 * F)}},
    {"cross_entropy", call_cross_entropy, {F32(1, N), F32(N, V), F32(N, V), I32(N)}},
    {"adamw", call_adamw, {F32(1, V), BF16(1, V), F32(1, V), F32(1, V), F32(1, V)}},
    {"sum_squares", call_sum_squares,
     {{DTYPE_F64, 1, 1, 0}, {DTYPE_F32, 1, V, ROW_TOO_MANY | COLUMN_TOO_MANY}}},
    {"cast", call_cast, {BF16(N, C), F32(N, C)}},
    {"dropout", call_dropout, {F32(N, C), F32(N, C)}},
    {"decode_rows", call_decode_rows,
     {F32(N, 32), {DTYPE_F32, N, 32, ROW_TOO_MANY | COLUMN_TOO_MANY | NO_SUCH_TYPE}, I32(N)}},
    {"pack_weights", call_pack_weights,
     {{DTYPE_F32, F, C, COLUMN_TOO_MANY}, {DTYPE_F32, F, C, COLUMN_TOO_MANY | NO_SUCH_TYPE}}},
    {"matmul_packed", call_matmul_packed, {F32(N, F), F32(N, C), F32(F, C)}},
    {"embed_packed", call_embed_packed, {F32(N, C), F32_LONGER(V, C), I32(N)}},
    {"kv_write", call_kv_write, {F32(N, Hk * D), F32(N, Hk * D)}},
    {"attention_paged", call_attention_paged, {F32(N, H * D), F32(N, H * D)}},
};
/* clang-format on */
enum { CASES = sizeof cases / sizeof cases[0] };

static double numbers[TENSORS_MAX][2 * V * C]; /* room for one row or column more than any tensor has */

/* The tensors of a case, zeroed; returns how many. */
static int right_tensors(Tensor *t, const Case *c)
{
    int n = 0;
    memset(numbers, 0, sizeof numbers);
    for (; n < TENSORS_MAX && c->given[n].rows; n++)
        t[n] = tensor_view(numbers[n], c->given[n].dtype, c->given[n].rows, c->given[n].cols);
    return n;
}

static Tensor spoilt(Tensor t, int how)
{
    return tensor_view(t.data, how == NO_SUCH_TYPE ? DTYPE_F16 : t.dtype, t.rows + (how == ROW_TOO_MANY),
                       t.cols + (how == COLUMN_TOO_MANY));
}

/* One thread: a child of a process whose thread pool runs cannot use it. */
static Device *open_device(void)
{
    Device *dev;
    assert_int_equal(device_open_cpu(&dev, 1), ST_OK);
    assert_int_equal(ops_attach(dev, "ref"), ST_OK);
    return dev;
}

/* Whether the call stops its process by check(). */
static bool aborts(const Case *c, Device *dev, Tensor *t)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY); /* check() says what broke */
        dup2(nowhere, STDERR_FILENO);
        c->call(dev, t);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void each_operation_has_its_case(void **state)
{
    (void)state;
    assert_int_equal(ops_count(), CASES);
    for (int i = 0; i < CASES; i++)
        assert_string_equal(ops_name(i), cases[i].op);
}

static void right_shapes_are_taken(void **state)
{
    (void)state;
    Device *dev = open_device();
    for (int i = 0; i < CASES; i++) {
        Tensor t[TENSORS_MAX];
        right_tensors(t, &cases[i]);
        cases[i].call(dev, t);
    }
    assert_int_equal(device_sync(dev), ST_OK);
    device_close(dev);
}

static void a_wrong_shape_or_type_stops_the_program(void **state)
{
    (void)state;
    static const int ways[] = {ROW_TOO_MANY, COLUMN_TOO_MANY, NO_SUCH_TYPE};
    Device *dev = open_device();
    for (int i = 0; i < CASES; i++) {
        Tensor t[TENSORS_MAX];
        int n = right_tensors(t, &cases[i]);
        for (int k = 0; k < n; k++) {
            for (int w = 0; w < 3; w++) {
                if (cases[i].given[k].allowed & ways[w])
                    continue;
                Tensor right = t[k];
                t[k] = spoilt(right, ways[w]);
                if (!aborts(&cases[i], dev, t))
                    fail_msg("%s takes a wrong tensor %d (%d)", cases[i].op, k, ways[w]);
                t[k] = right;
            }
        }
    }
    device_close(dev);
}

static void right_tensors_of(Tensor *t, const char *op)
{
    for (int i = 0; i < CASES; i++)
        if (strcmp(cases[i].op, op) == 0)
            right_tensors(t, &cases[i]);
}

static void what_is_optional_may_be_absent(void **state)
{
    (void)state;
    Device *dev = open_device();
    Tensor t[TENSORS_MAX];
    right_tensors_of(t, "rmsnorm");
    rmsnorm(dev, &t[0], NULL, &t[2], &t[3], 1e-5f);
    right_tensors_of(t, "rmsnorm_back");
    rmsnorm_back(dev, &t[0], NULL, &t[2], &t[3], &t[4], &t[5], &t[6]);
    right_tensors_of(t, "attention");
    attention(dev, &t[0], &t[1], &t[2], &t[3], &t[4], NULL, &heads);
    right_tensors_of(t, "cross_entropy");
    cross_entropy(dev, &t[0], NULL, &t[2], &t[3], 1);
    right_tensors_of(t, "adamw");
    adamw(dev, &t[0], NULL, &t[2], &t[3], &t[4], &step);
    assert_int_equal(device_sync(dev), ST_OK);
    device_close(dev);
}

static void a_failed_device_does_no_work(void **state)
{
    (void)state;
    static const double zeroes[sizeof numbers / sizeof(double)];
    Device *dev = open_device();
    device_fail(dev, "broken");
    for (int i = 0; i < CASES; i++) {
        Tensor t[TENSORS_MAX];
        int n = right_tensors(t, &cases[i]);
        for (int k = 1; k < n; k++) /* inputs that would leave a trace in the output */
            if (t[k].dtype == DTYPE_F32)
                tensor_set(&t[k], 0, 0, 3);
        double before[sizeof numbers / sizeof(double)];
        memcpy(before, numbers, sizeof numbers);
        assert_memory_not_equal(before, zeroes, sizeof numbers);
        cases[i].call(dev, t);
        assert_memory_equal(before, numbers, sizeof numbers);
    }
    device_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_has_its_case),
        cmocka_unit_test(right_shapes_are_taken),
        cmocka_unit_test(a_wrong_shape_or_type_stops_the_program),
        cmocka_unit_test(what_is_optional_may_be_absent),
        cmocka_unit_test(a_failed_device_does_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
