/* Any bytes as recorded runs of InterCode-Bash and InterCode-SQL: each comparison is counted once, and what
 * cannot be read is told. */
#include <string.h>

#include "env/sql.h"
#include "eval/replay_bash.h"
#include "eval/replay_intercode.h"
#include "fuzz_replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char questions[] = "[{\"query\": \"q\", \"gold\": \"SELECT 1\", \"db\": \"d\"}, "
                                    "{\"query\": \"\", \"gold\": \"\", \"db\": \"d\"}]";
    char *path = fuzz_file("recorded.json", bytes, n);
    mem_free(fuzz_file(SQL_QUESTIONS, questions, sizeof questions - 1));
    ReplaySpec spec = {.checks = 1 << REPLAY_S2 | 1 << REPLAY_B1, .threads = 1, .intercode = fuzz_folder};
    ReplayReport report = {0};
    fuzz_replay_see(&report, replay_bash_file(&report, &spec, path));
    replay_report_drop(&report);
    report = (ReplayReport){0};
    fuzz_replay_see(&report, replay_intercode_sql_file(&report, &spec, path));
    replay_report_drop(&report);
    mem_free(path);
    return 0;
}
