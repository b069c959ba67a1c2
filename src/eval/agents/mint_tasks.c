/* The tasks of MINT as benchmarks, and the one of one's own. */
#include "eval/agents/household_tasks.h"
#include "eval/agents/mint.h"

#define SOURCE(path, sum) {path, MINT_BENCH path, sum}
#define PROMPT(path, at, sum) {"mint/prompt/" path, MINT_BENCH at path, sum}
#define EXAMPLES(kind, plain, commented)                                                \
    PROMPT("in_context_examples/" kind "/with_tool.txt", "mint/tasks/", plain),         \
        PROMPT("in_context_examples/" kind "/with_tool_and_feedback.txt", "mint/tasks/", commented)
#define TEMPLATES                                                                                       \
    PROMPT("templates/template_with_tool.txt", "mint/prompt/",                                                 \
           "af2b3747af174f28f0773d41d82f922b929356c857cc6f097b287b0c9d3a267e"),                         \
        PROMPT("templates/template_feedback_agent.txt", "mint/prompt/",                                        \
               "080f92ff98f07206590124100af0c6f8c93c927997e8b0d10b3b1c40df768c6a")
#define REASONING                                                                                       \
    TEMPLATES,                                                                                          \
        EXAMPLES("reasoning", "998b74764f19230f88ee413d272f48de0eef036915af99e8bc9a962fceef2229",       \
                 "c74804f61b17fcb1d7619f232da216bfcc0d6d08579d6344144e84d8dcd39913"),                   \
        SOURCE(MINT_TOOLSET_FILE, "dc602f0cb33963096a385c645b2d04b7578b261ab55ee6e6b410cec62a6d1927"),  \
        SOURCE(MINT_WIKIPEDIA_FILE, "ed21b7a19c62457b6eb99f99685f9bf722ca818da939a475b66cb872130aeb71")
#define HUMANEVAL                                                                                       \
    TEMPLATES, EXAMPLES("humaneval", "9544297020279c692f4211c323ee76d4702d1cc3b61345dde8736adce6990414", \
                        "82332932601c24c59f2e0c40e1fdc59f120ac1173ea6fffa77a45002f739578d")
#define MBPP                                                                                            \
    TEMPLATES, EXAMPLES("mbpp", "0ff1c1c54c1c815b3c217736d5ef62cca4c194dcfb2f8678f271ba9e52e7a98b",     \
                        "164d1152b21df3c244ed438b4a4273e66d06b0f1c1ae1e827e3ace3fa0a39fe0")

static const char *const programs[] = {"python3", NULL};

/* A task's questions, then its prompt texts; the descriptions of tools lie in mint-bench's sources
 * (mint_data.c). */
#define MINT_TASK(task, TASK_, skill, says, sum, ...)                                                        \
    static const DataFile task##_files[] = {                                                            \
        {"mint/" #task "/test_prompts.json", MINT_BENCH "data/processed/" #task "/test_prompts.json", sum}, \
        __VA_ARGS__,                                                                                    \
        {0}};                                                                                          \
    static Status open_##task(const EvalRun *run, Questions *out, void **state)                         \
    {                                                                                                   \
        return mint_open(TASK_, run, out, state);                                                       \
    }                                                                                                   \
    const Benchmark mint_##task = {                                                                     \
        .name = "mint_" #task,                                                                          \
        .groups = "mint " skill,                                                                        \
        .about = says,                                                                                  \
        .source = "MINT, arXiv:2309.10691; xingyaoww/mint-bench, Apache-2.0",                           \
        .metric = "success",                                                                            \
        .version = 1,                                                                                   \
        .shots = 1,                                                                                     \
        .needs = NEEDS_SANDBOX,                                                                         \
        .programs = programs,                                                                           \
        .files = task##_files,                                                                          \
        .open = open_##task,                                                                            \
        .ask = mint_ask,                                                                                \
        .close = mint_close,                                                                            \
    }

MINT_TASK(gsm8k, MINT_GSM8K, "mint_reasoning", "grade-school word problems, by Python",
     "cb64217de242508aa95ececfffde657c507d244ae434bfed80b9663a331e3006", REASONING);
MINT_TASK(math, MINT_MATH, "mint_reasoning", "competition mathematics, by Python",
     "48a8c50efe9a206ca2cc634192545ed132596846fcd07631d5de2f4c6b54642d", REASONING);
MINT_TASK(theoremqa, MINT_THEOREMQA, "mint_reasoning", "questions that need a theorem, by Python",
     "0a66cce3ccfbb3645fb26c5c37951c7043284f9c82c04121a2bd0102abe12779", REASONING);
MINT_TASK(hotpotqa, MINT_HOTPOTQA, "mint_reasoning", "questions over two articles, by Wikipedia and Python",
     "3d85c77e4c8c25c8c8f7415fb29067be0d13b5a784ab45b6a89900f04e693282", REASONING);
MINT_TASK(mmlu, MINT_MMLU, "mint_reasoning", "multiple choice, by Wikipedia and Python",
     "77bd8aa372ddabb587392d7c9c7d275b75ac32d31fdbc836f1faa4d66d4300c3", REASONING);
MINT_TASK(humaneval, MINT_HUMANEVAL, "mint_code", "complete a function, tests decide",
     "4928a066639367b11c18d903816d6c5705073694c974892371fe9d30f5b6a75d", HUMANEVAL);
MINT_TASK(mbpp, MINT_MBPP, "mint_code", "write a function, tests decide",
     "5aa7dd825467a624b400f4a18c95f23211019bb9da76c9041288b44b315538b6", MBPP);

static const DataFile household_files[] = {
    HOUSEHOLD_LIST_FILE,
    TEMPLATES,
    EXAMPLES("alfworld/put", "8f18382e994ce6cc93ebed7eb40523b2fa761d51edb9e12befb763c58eb503bc",
             "171ffbdb4f671932c11f051efd7b59513e9ac3765bd8ab58bc758b43e147222b"),
    EXAMPLES("alfworld/clean", "f1d077d80966258171d9b14049bb05ec03bae00e735956b8f9a7a6b698d00bae",
             "0bc30cf2b178ad3c0aed5a4e28ae7e63820693e352464701594f40cd3f152bcf"),
    EXAMPLES("alfworld/heat", "741bdc398dd06a93c3d1c36444db0bd00a97503aefc3eda2f504f27176b4f0ad",
             "aa464b7c75ce60ad69306b5e8516b9655cdf78faf9baa34fe424cf3c17316848"),
    EXAMPLES("alfworld/cool", "a84d45031dbc475334d7027d5f115ce9eab16767782a54dbf40707630e7bf164",
             "a60b17486513825823307a42e6e431b3d8720e10d714274a779512d743f970bf"),
    EXAMPLES("alfworld/examine", "0771148531d1226cec6808b45ec58da5779ebe1ad2a04e7e30b7ff1446b3dd19",
             "7479f439d97c78fac5e9942112599b8f6126dc83012b2e61cd4e4e958ea15c4b"),
    EXAMPLES("alfworld/puttwo", "59aa1e2df66ed02773c69d003d2b685c05f4a06a73d86d8e2c1ce97fcf1e4059",
             "a406d2b9f6715ffc3cf96b504bf0856abcec33d41f451ea39a19325de6024629"),
    SOURCE(MINT_TOOLSET_FILE, "dc602f0cb33963096a385c645b2d04b7578b261ab55ee6e6b410cec62a6d1927"),
    SOURCE(MINT_HOUSEHOLD_FILE, "2fc0effbea725af8baa3b889f8d8f4b0af7e42ba2c916803c82f88a0ed39c07d"),
#define GAME(name, game, list)                         \
    HOUSEHOLD_GAME_FILE(name, "game.tw-pddl", game),   \
        HOUSEHOLD_GAME_FILE(name, "gt_traj.txt", list),
#include "eval/agents/alfworld_games.def"
#undef GAME
    {0}};
static Status open_household(const EvalRun *run, Questions *out, void **state)
{
    return mint_open(MINT_ALFWORLD, run, out, state);
}
const Benchmark mint_alfworld = {
    .name = "mint_alfworld",
    .groups = "mint mint_decision_making",
    .about = "find, clean, heat, cool and put things in a household, by Python",
    .source = "MINT, arXiv:2309.10691; xingyaoww/mint-bench, Apache-2.0; games are ALFWorld's, arXiv:2010.03768, MIT",
    .metric = "success",
    .version = 1,
    .shots = 1,
    .needs = NEEDS_SANDBOX,
    .programs = programs,
    .files = household_files,
    .open = open_household,
    .ask = mint_ask,
    .close = mint_close,
};

static const DataFile own_files[] = {{"tasks/questions.jsonl", NULL, NULL}, {"tasks/prompt.txt", NULL, NULL}, {0}};
static Status open_own(const EvalRun *run, Questions *out, void **state)
{
    return mint_open(MINT_OWN, run, out, state);
}
const Benchmark own_tasks = {
    .name = "tasks",
    .groups = "",
    .about = "tasks of your own by MINT's protocol: a Python session, and the exact answer",
    .source = "write tasks/questions.jsonl, a line {\"id\", \"prompt\", \"reference\"} each, and tasks/prompt.txt,\n"
              "the opening with the holes {task_prompt}, {max_total_steps}, {max_propose_solution}",
    .metric = "success",
    .version = 2,
    .needs = NEEDS_SANDBOX,
    .programs = programs,
    .files = own_files,
    .open = open_own,
    .ask = mint_ask,
    .close = mint_close,
};
