/* Small functions that tests grade, by MINT's protocol: laid out as its mbpp is, for the benchmark
 * mint_mbpp. */
#include "env/family_programs.h"

#include <string.h>

enum { TESTS = 4 };

static const char *const function_names[] = {"solve", "f",    "compute", "pick", "result", "answer",
                                             "task",  "find", "make",    "work", "get",    "run_it"};

/* One test of it; false: the function raises there. */
static bool add_test(Str *out, const Program *p, const char *name, const ProgramInput *in)
{
    str_addf(out, "assert %s(", name);
    program_argument(out, p, in);
    str_adds(out, ") == ");
    return program_result(out, p, in);
}

static bool same_result(const Program *a, const Program *b, const ProgramInput *in)
{
    Str x = {0}, y = {0};
    bool raises = !program_result(&x, a, in) || !program_result(&y, b, in);
    bool same = !raises && x.n == y.n && memcmp(str_c(&x), str_c(&y), x.n) == 0;
    str_drop(&x);
    str_drop(&y);
    return same;
}

/* Some kept, some not, where there is a filter: an input that tells something. */
static void draw_telling(ProgramInput *in, const Program *p, Rng *rng)
{
    Program all = *p;
    all.filter = 0;
    for (int tries = 0; tries < 50; tries++) {
        Str result = {0};
        program_input_draw(in, p, rng);
        bool good =
            program_result(&result, p, in) && (p->filter == 0 || !same_result(&all, p, in)) && result.n > 2;
        str_drop(&result);
        if (good)
            return;
    }
}

static void make_tests(Str *out, const Program *p, const char *name, ProgramInput *first, Rng *rng)
{
    for (int i = 0; i < TESTS; i++) {
        ProgramInput in;
        Str test = {0};
        do {
            str_clear(&test);
            draw_telling(&in, p, rng);
        } while (!add_test(&test, p, name, &in));
        str_addf(out, "%s%s", i ? "\n" : "", str_c(&test));
        *first = i ? *first : in;
        str_drop(&test);
    }
}

/* The function, tried on something that it does not raise on: whether it runs at all, and what it makes of
 * that. */
static void add_trial(Str *out, const Program *p, const char *code, const char *name)
{
    static const ProgramInput tried = {{4, 70, 25, 8, 51, 12},
                                       {"to", "moon", "apple", "glass", "red", "silver"}};
    Str argument = {0}, result = {0};
    str_addf(out, "<execute>%s", code);
    program_argument(&argument, p, &tried);
    if (program_result(&result, p, &tried))
        str_addf(out, "\nprint(%s(%s))", name, str_c(&argument));
    str_adds(out, "</execute>");
    str_drop(&argument);
    str_drop(&result);
}

/* A function without its last parenthesis, tried; or another one, which the tests find wrong, handed in. */
static void slip(FamilyTask *t, const Program *p, const char *name, const ProgramInput *first, Rng *rng)
{
    Program wrong;
    Str code = {0}, trial = {0};
    program_draw_wrong(&wrong, p, rng);
    bool differs = wrong.text == p->text && !same_result(p, &wrong, first);
    program_code(&code, differs ? &wrong : p, name);
    char *last = strrchr(code.at, ')');
    if (differs) {
        family_slip(t, "<solution>%s</solution>", str_c(&code));
    } else if (last) {
        memmove(last, last + 1, strlen(last));
        add_trial(&trial, p, code.at, name);
        family_slip(t, "%s", str_c(&trial));
    }
    str_drop(&code);
    str_drop(&trial);
}

static void make_turns(FamilyTask *t, const Program *p, const char *name, const ProgramInput *first, Rng *rng)
{
    Str code = {0}, trial = {0};
    program_code(&code, p, name);
    add_trial(&trial, p, str_c(&code), name);
    if (draw_chance(rng, 4))
        slip(t, p, name, first, rng);
    family_say(t, "%s", str_c(&trial));
    family_say(t, "<solution>%s</solution>", str_c(&code));
    str_drop(&code);
    str_drop(&trial);
}

static Status draw_programs(void *state, Rng *rng, FamilyTask *out)
{
    (void)state;
    Program p;
    ProgramInput first;
    Str tests = {0};
    const char *name = DRAW_OF(rng, function_names);
    program_draw(&p, rng);
    program_key(&out->key, &p);
    make_tests(&tests, &p, name, &first, rng);
    program_words(&out->question, &p, name);
    str_addc(&out->question, '\n');
    add_test(&out->question, &p, name, &first);
    out->record = json_pack("{s:I, s:s, s:s}", "id", (json_int_t)out->number, "prompt", str_c(&out->question),
                            "reference", str_c(&tests));
    make_turns(out, &p, name, &first, rng);
    program_hints(out, &p, name);
    str_drop(&tests);
    return ST_OK;
}

#define EXAMPLES "mint/prompt/in_context_examples/mbpp/"

static Status open_programs(void **state, Rng *rng, const char *data, size_t files)
{
    (void)files;
    (void)state;
    (void)rng;
    TRY(family_write(data, "mint/prompt/templates/template_with_tool.txt",
                     "Try the function in <execute>, then give it in <solution>.\n{task_prompt}"));
    TRY(family_write(data, EXAMPLES "with_tool.txt", "None.\n"));
    TRY(family_write(data, EXAMPLES "with_tool_and_feedback.txt", "None.\n"));
    return family_write_feedback(data);
}

const Family family_programs = {
    .name = "programs",
    .about = "small functions that tests grade, tried and repaired by MINT's protocol",
    .benchmark = "mint_mbpp",
    .questions = "mint/mbpp/test_prompts.jsonl",
    .open = open_programs,
    .draw = draw_programs,
};
