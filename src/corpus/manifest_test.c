/* What a kill or a full disk leaves: shards_write_test.c and corpus_build_test.c. */
#include "corpus/manifest.h"

#include <unistd.h>

#include "corpus/scratch_test.h"

static bool owns(const char *name)
{
    return name[0] == 'd';
}

static const ManifestKind kind = {.format = "test-set",
                                  .version = 3,
                                  .holds = "a test's set",
                                  .made = "make it with `make test`",
                                  .owns = owns};

static Status write_set(const char *data)
{
    ManifestStage stage;
    char *folder = scratch_path("set");
    Status st = manifest_begin(&stage, &kind, folder);
    mem_free(folder);
    TRY(st);
    char *inner = path_join(stage.folder, "data"), *file = path_join(inner, "text");
    st = folder_make(inner);
    if (st == ST_OK)
        st = file_replace(file, data, strlen(data));
    mem_free(inner);
    mem_free(file);
    json_t *m = json_pack("{s:s, s:i}", "format", kind.format, "version", kind.version);
    if (st == ST_OK)
        st = manifest_commit(&stage, m);
    json_decref(m);
    manifest_end(&stage);
    return st;
}

static Status read_set(char **place)
{
    json_t *m;
    char *folder = scratch_path("set");
    Status st = manifest_read(&m, &kind, folder);
    if (st == ST_OK) {
        st = manifest_place(place, m, folder);
        json_decref(m);
    }
    mem_free(folder);
    return st;
}

static void a_set_replaces_what_is_its_own(void **state)
{
    (void)state;
    char *place;
    assert_int_equal(write_set("first"), ST_OK);
    scratch_text("set/data-old", "goes");
    scratch_text("set/notes", "stays");
    assert_int_equal(write_set("second"), ST_OK);
    assert_int_equal(read_set(&place), ST_OK);
    assert_non_null(strstr(place, "/set"));
    mem_free(place);
    scratch_run("test \"$(cat set/data/text)\" = second && test \"$(cat set/notes)\" = stays");
    scratch_run("test \"$(ls -A set | tr '\\n' ' ')\" = 'data manifest.json notes '");
}

/* Where no manifest says so, nothing is. */
static void what_is_somebody_elses_stays(void **state)
{
    (void)state;
    ManifestStage stage;
    char *folder = scratch_path("mine");
    scratch_text("mine/data/text", "stays");
    assert_int_equal(manifest_begin(&stage, &kind, folder), ST_ARG);
    assert_non_null(strstr(error_text(), "mine/data is there already"));
    assert_non_null(strstr(error_text(), "of a test's set"));
    scratch_run("test \"$(cat mine/data/text)\" = stays && test \"$(ls -A mine)\" = data");
    scratch_run("mv mine/data mine/other");
    assert_int_equal(manifest_begin(&stage, &kind, folder), ST_OK);
    manifest_end(&stage);
    mem_free(folder);
}

/* As after a kill between the two renames, and as on a file system without hard links. */
static void a_set_in_its_stage_is_read_and_replaced(void **state)
{
    (void)state;
    char *place;
    scratch_run("rm -rf set && mkdir -p set/.partial/data && echo staged > set/.partial/data/text");
    scratch_text("set/manifest.json", "{\"format\":\"test-set\",\"version\":3,\"folder\":\".partial\"}");
    assert_int_equal(read_set(&place), ST_OK);
    assert_non_null(strstr(place, "/set/.partial"));
    mem_free(place);
    ManifestStage stage;
    char *folder = scratch_path("set");
    assert_int_equal(manifest_begin(&stage, &kind, folder), ST_OK);
    assert_non_null(strstr(stage.folder, "/set/.partial-2"));
    scratch_run("test -e set/.partial/data/text"); /* not taken away before there is another */
    manifest_end(&stage);
    scratch_run("test -e set/.partial/data/text && test ! -e set/.partial-2");
    mem_free(folder);
    assert_int_equal(write_set("third"), ST_OK);
    scratch_run("test \"$(cat set/data/text)\" = third");
    scratch_run("test \"$(ls -A set | tr '\\n' ' ')\" = 'data manifest.json '");
}

static void refuse(const char *text, Status wanted, const char *says)
{
    char *place;
    scratch_text("set/manifest.json", text);
    assert_int_equal(read_set(&place), wanted);
    assert_non_null(strstr(error_text(), "set/manifest.json"));
    assert_non_null(strstr(error_text(), says));
}

static void what_is_no_such_manifest_is_refused(void **state)
{
    (void)state;
    refuse("{\"format\":\"test-set\",", ST_FORMAT, "damaged");
    refuse("[]", ST_FORMAT, "nothing");
    refuse("{\"format\":\"other\",\"version\":3}", ST_FORMAT, "other");
    refuse("{\"format\":\"test-set\",\"version\":\"3\"}", ST_FORMAT, "version");
    refuse("{\"format\":\"test-set\",\"version\":2}", ST_UNSUPPORTED, "make it with `make test` again");
    refuse("{\"format\":\"test-set\",\"version\":3,\"folder\":\"../x\"}", ST_FORMAT, "folder");
    scratch_run("rm set/manifest.json");
    char *place;
    assert_int_equal(read_set(&place), ST_IO);
    assert_non_null(strstr(error_text(), "make it with"));
}

/* Else each removes the other's stage, and a set is mixed of both. */
static void one_writes_a_folder_at_a_time(void **state)
{
    (void)state;
    ManifestStage first, second;
    char *folder = scratch_path("locked");
    assert_int_equal(manifest_begin(&first, &kind, folder), ST_OK);
    assert_int_equal(manifest_begin(&second, &kind, folder), ST_ARG);
    assert_non_null(strstr(error_text(), "another process writes to"));
    manifest_end(&second);
    assert_true(path_is_folder(first.folder));
    manifest_end(&first);
    assert_int_equal(manifest_begin(&second, &kind, folder), ST_OK);
    manifest_end(&second);
    mem_free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_replaces_what_is_its_own),
        cmocka_unit_test(what_is_somebody_elses_stays),
        cmocka_unit_test(a_set_in_its_stage_is_read_and_replaced),
        cmocka_unit_test(what_is_no_such_manifest_is_refused),
        cmocka_unit_test(one_writes_a_folder_at_a_time),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
