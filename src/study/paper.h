/* What arXiv:2310.06830 reports, to stand beside one's own scores. */
#ifndef STUDY_PAPER_H
#define STUDY_PAPER_H

typedef struct {
    const char *benchmark;     /* as `lemur eval` names it */
    double lemur, gpt35, gpt4; /* per cent: Lemur-70B-Chat, GPT-3.5-turbo, GPT-4; below 0: not reported */
} PaperScore;

/* NULL: none reported for a benchmark of that name. */
const PaperScore *paper_score(const char *benchmark);

#endif
