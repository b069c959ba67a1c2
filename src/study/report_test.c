/* A report of small folders in the forms that the verbs write. */
#include "study/report.h"

#include "base/log.h"
#include "base/scratch_test.h"
#include "study/html.h"

static void must(Status st)
{
    if (st != ST_OK)
        fail_msg("%s", error_text());
}

static void text_cannot_become_html(void **state)
{
    (void)state;
    Str page = {0};
    html_add(&page, "<p>%s %5.1f%% %d %zu %lld", "<script>alert('x')</script> & \"\x01\xff", 2.5, 3, (size_t)4, 5LL);
    assert_string_equal(str_c(&page), "<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;\xEF\xBF\xBD\xEF\xBF\xBD"
                                      "   2.5% 3 4 5");
    str_clear(&page);
    HtmlTable t = html_table(&page, "lr");
    html_cell(&t, "%s", "a<b");
    html_cell(&t, "n");
    html_cell(&t, "x");
    html_cell(&t, "%d", 7);
    html_table_end(&t);
    assert_string_equal(str_c(&page), "<div class=\"wide\"><table>\n<tr><th>a&lt;b</th><th class=\"r\">n</th></tr>\n"
                                      "<tr><td>x</td><td class=\"r\">7</td></tr>\n</table></div>\n");
    str_drop(&page);
}

static void write_folders(void)
{
    scratch_text("corpus/manifest.json",
                 "{\"format\": \"lemur-corpus\", \"sources\": [{\"name\": \"py<thon\", \"kind\": \"code\", \"input\": "
                 "{\"documents\": 9, \"bytes\": 9000}, \"dropped\": {\"a\": {\"documents\": 2}, \"b\": {\"documents\": 1}}, "
                 "\"train\": {\"bytes\": 7000}, \"held_out\": {\"bytes\": 500}}]}");
    scratch_text("packed/manifest.json",
                 "{\"format\": \"lemur-shards\", \"row_tokens\": 513, \"rows_code\": 20, \"rows_text\": 2, \"ledger\": "
                 "[{\"source\": \"python\", \"kind\": \"code\", \"tokens\": 10000, \"share\": 0.909, \"rows\": 20}]}");
    scratch_text("base/results.json", "{\"status\": \"done\", \"steps\": 3, \"tokens\": 300, \"parameters\": 5000000, "
                                      "\"held_out\": {\"loss_nats\": 2.5, \"bits_per_byte\": 1.25, \"kinds\": {\"code\": "
                                      "{\"bytes\": 77, \"bits_per_byte\": 1.125}}}}");
    scratch_text("base/log.jsonl", "{\"step\":1,\"loss_nats\":4,\"lr\":1,\"tokens\":100}\n{\"step\":2,\"loss_nats\":3,"
                                   "\"lr\":1,\"tokens\":200}\n{\"event\":\"checkpoint\"}\n{\"step\":3,\"loss_n");
    scratch_text("score/results.json",
                 "{\"results\": {\"mint_gsm8k\": {\"success,none\": 0.5, \"success_ci95,none\": [0.3, 0.7], \"success@1_ci95,"
                 "none\": [0.1, 0.3], \"sample_len\": 48}}, \"metrics\": {\"mint_gsm8k\": \"success\"}, \"curves\": "
                 "{\"mint_gsm8k\": {\"success\": [0.2, 0.5]}}, \"errors\": {\"mint_gsm8k\": {\"unreadable\": 3}}, "
                 "\"config\": {\"model\": {\"name\": \"small\"}}}");
    scratch_text("score/transcripts_mint_gsm8k.jsonl",
                 "{\"task\": \"1\", \"success\": true, \"end\": \"task_success\", \"messages\": [{\"role\": \"user\", "
                 "\"content\": \"<b>How many?</b>\"}]}\n{\"task\": \"2\", \"success\": false, \"end\": \"max_steps\", "
                 "\"messages\": []}\n{cut");
    scratch_text("run/lock.json", "{\"lock\": 1, \"machine\": {\"program\": \"lemur\"}, \"stages\": {\"scores\": {\"folder\": "
                                  "\"none\", \"words\": [\"eval\"], \"key\": \"0123456789\"}}}");
}

static void expect(const Str *page, const char *text)
{
    if (!strstr(str_c(page), text))
        fail_msg("the page has no %s", text);
}

static void a_page_tells_all(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    write_folders();
    static const char *const folders[] = {"corpus", "packed", "base", "score"};
    for (size_t i = 0; i < 4; i++)
        must(report_add(&r, in_scratch(folders[i])));
    report_write(&page, &r);
    static const char *const has[] = {
        "py&lt;thon", "<td class=\"r\">3</td>", "20 : 2 rows", "10.00 : 1", "90.9 %", "5.00 M", "1.250", "1.125",
        "<b>50.0</b>", "30.0 to 70.0", "58.3", "93.8", "unreadable 3", "&lt;b&gt;How many?", "not solved", "small"};
    for (size_t i = 0; i < sizeof has / sizeof *has; i++)
        expect(&page, has[i]);
    assert_null(strstr(str_c(&page), "http://www.google"));
    assert_null(strstr(str_c(&page), "src=")); /* nothing from outside */
    if (!r.no_plots)
        expect(&page, "<svg");
    str_drop(&page);
    report_drop(&r);
}

static void without_gnuplot_there_is_a_page(void **state)
{
    (void)state;
    Report r = {0};
    Str page = {0};
    char *path = mem_str(getenv("PATH"));
    setenv("PATH", in_scratch("nowhere"), 1);
    log_level_set(LOG_ERROR);
    must(report_add(&r, in_scratch("base")));
    must(report_add(&r, in_scratch("score")));
    report_write(&page, &r);
    setenv("PATH", path, 1);
    expect(&page, "Plots are missing here: there is no gnuplot");
    expect(&page, "<b>50.0</b>");
    assert_null(strstr(str_c(&page), "<svg"));
    str_drop(&page);
    report_drop(&r);
    mem_free(path);
}

static void what_is_no_run_is_refused(void **state)
{
    (void)state;
    Report r = {0};
    assert_int_equal(report_add(&r, in_scratch("absent")), ST_IO);
    scratch_text("other/x", "");
    assert_int_equal(report_add(&r, in_scratch("other")), ST_ARG);
    expect_words("nothing that a report tells of");
    assert_int_equal(report_add(&r, in_scratch("run")), ST_ARG); /* its stages are gone */
    scratch_text("broken/manifest.json", "{");
    assert_int_equal(report_add(&r, in_scratch("broken")), ST_ARG);
    report_drop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_cannot_become_html),
        cmocka_unit_test(a_page_tells_all),
        cmocka_unit_test(without_gnuplot_there_is_a_page),
        cmocka_unit_test(what_is_no_run_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
