/* lemur study: questions to finished runs. */
#include "cli/cmd.h"
#include "cli/parts.h"
#include "cli/study_errors.h"
#include "cli/study_explore.h"
#include "cli/study_feedback.h"
#include "cli/study_harmony.h"
#include "cli/study_improve.h"
#include "cli/study_keep.h"
#include "cli/study_overlap.h"

int cmd_study(int argc, char **argv)
{
    static const Part parts[] = {
        {"errors", "RUN...", "why episodes failed, class by class", study_errors, false},
        {"feedback", "RUN...", "what observations and a second model's words are worth", study_feedback,
         false},
        {"explore", "RUN...", "how agents look before they act", study_explore, false},
        {"harmony", "RUN...", "how much code, how much text", study_harmony, false},
        {"overlap", "RUN... --train PATH...", "whether tasks for testing were learned", study_overlap, false},
        {"keep", "RUN... -o FOLDER", "their successes, as examples to learn from", study_keep, false},
        {"improve", "-m MODEL -o FOLDER", "rounds of playing, keeping, tuning and testing", study_improve,
         false},
    };
    return parts_run(parts, sizeof parts / sizeof parts[0], argc, argv);
}
