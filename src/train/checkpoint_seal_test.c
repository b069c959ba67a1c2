#include "train/checkpoint_seal.h"

#include <unistd.h>

#include "base/cpu.h"
#include "base/scratch_test.h"

static Status verify(const char *const *needed)
{
    json_t *state = NULL;
    Status st = checkpoint_seal_verify(&state, in_scratch("c"), needed);
    if (st == ST_OK)
        assert_true(json_real_value(json_object_get(state, "loss")) == 1.0 / 3);
    json_decref(state);
    return st;
}

static void every_file_is_held_against_the_seal(void **state)
{
    (void)state;
    static const char *const needed[] = {"weights", NULL}, *const more[] = {"weights", "moments", NULL};
    json_t *j = json_pack("{s:f}", "loss", 1.0 / 3);
    scratch_text("c/weights", "some bytes");
    scratch_text("c/note", "");
    assert_int_equal(checkpoint_seal(in_scratch("c"), j), ST_OK);
    assert_int_equal(verify(needed), ST_OK);
    assert_int_equal(verify(more), ST_FORMAT);
    assert_non_null(strstr(error_text(), "moments"));
    scratch_text("c/weights", "some bytez");
    assert_int_equal(verify(needed), ST_FORMAT);
    assert_non_null(strstr(error_text(), "weights does not match its checksum"));
    scratch_text("c/weights", "some");
    assert_int_equal(verify(needed), ST_FORMAT);
    assert_non_null(strstr(error_text(), "4 bytes and should have 10"));
    assert_int_equal(unlink(in_scratch("c/weights")), 0);
    assert_int_equal(verify(needed), ST_IO);
    scratch_text("c/state.json", "{\"loss\": 0.5, \"files\": {}, \"seal\": \"0\"}");
    assert_int_equal(verify(needed), ST_FORMAT);
    assert_non_null(strstr(error_text(), "its own seal"));
    assert_int_equal(checkpoint_seal(in_scratch("absent"), j), ST_IO);
    json_decref(j);
}

/* As large as the moments of a model, and no part of what a plan counts. */
static void sealing_takes_no_memory(void **state)
{
    (void)state;
    enum { BYTES = 128 << 20 };
    static const char *const needed[] = {"moments", NULL};
    int64_t before = memory_peak();
    if (before < 0) {
        print_message("SKIP /proc is not mounted: memory is unknown\n");
        skip();
    }
    json_t *j = json_pack("{s:f}", "loss", 1.0 / 3);
    scratch_text("large/moments", "some bytes");
    assert_int_equal(truncate(in_scratch("large/moments"), BYTES), 0);
    assert_int_equal(checkpoint_seal(in_scratch("large"), j), ST_OK);
    json_decref(j);
    assert_int_equal(checkpoint_seal_verify(&j, in_scratch("large"), needed), ST_OK);
    json_decref(j);
    assert_true(memory_peak() - before < BYTES / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_held_against_the_seal),
        cmocka_unit_test(sealing_takes_no_memory),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
