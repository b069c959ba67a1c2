/* The sections of studies, from files as the studies write them. */
#include "study/report_parts.h"

#include "base/scratch_test.h"

static void add_part(Report *r, const char *name)
{
    ReportPart p = {.name = mem_str(name), .folder = mem_str(in_scratch(name)), .kind = REPORT_OTHER};
    array_push(&r->parts, p);
}

static void expect(const Str *page, const char *text)
{
    if (!strstr(str_c(page), text))
        fail_msg("no \"%s\" in:\n%s", text, str_c(page));
}

static void studies_are_sections(void **state)
{
    (void)state;
    Report r = {.no_plots = true};
    Str page = {0};
    scratch_text(
        "gains/study.json",
        "{\"study\": \"feedback\", \"groups\": [{\"model\": \"a<b\", \"task\": \"tasks\", \"untuned\": true, "
        "\"conditions\": {\"neither\": {\"n\": 8, \"success\": 0.25, \"ci95\": [0.1, 0.5], \"by_turns\": "
        "[]}}, "
        "\"gains\": [{\"of\": \"environment\", \"n\": 8, \"gain\": -0.125, \"ci95\": [-0.3, 0.1], "
        "\"gained\": 1, "
        "\"lost\": 2, \"p\": 0.5}]}], \"pooled\": []}");
    scratch_text(
        "looks/study.json",
        "{\"study\": \"explore\", \"groups\": [{\"run\": \"x/direct\", \"benchmark\": \"alfworld\", "
        "\"measures\": "
        "{\"looks\": {\"n\": 3, \"mean\": 0.5, \"ci95\": [0.4, 0.6]}}}, {\"run\": \"x/code\", \"benchmark\": "
        "\"alfworld_python\", \"measures\": {}}], \"pairs\": [{\"first\": 0, \"second\": 1, \"measures\": "
        "{\"looks\": "
        "{\"n\": 3, \"difference\": -0.25, \"ci95\": [-0.5, 0], \"p\": 0.25, \"p_holm\": 0.75}}}]}");
    scratch_text("broken/study.json", "{");
    scratch_text("other/study.json", "{\"study\": \"harmony\"}");
    add_part(&r, "broken");
    add_part(&r, "other");
    add_part(&r, "none");
    report_studies(&page, &r);
    assert_int_equal(page.n, 0);
    add_part(&r, "gains");
    add_part(&r, "looks");
    report_studies(&page, &r);
    expect(&page, "<h2 id=\"gains\">What feedback is worth");
    expect(&page, "<td>a&lt;b</td><td>tasks (never tuned on)</td><td class=\"w\"><b>25.0</b> <span "
                  "class=\"small\">10.0 to 50.0, n 8</span></td>");
    expect(&page, "<b>-12.5</b></td><td class=\"r\">-30.0 to +10.0</td><td class=\"r\">1 / 2 of 8</td><td "
                  "class=\"r\">0.5</td>");
    expect(
        &page,
        "<td>direct</td><td>alfworld</td><td>looks</td><td class=\"r\">3</td><td class=\"r\"><b>0.500</b>");
    expect(&page, "<td>alfworld_python less alfworld</td><td>looks</td><td class=\"r\">3</td><td "
                  "class=\"r\"><b>-0.250</b>");
    report_drop(&r);
    str_drop(&page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(studies_are_sections)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
