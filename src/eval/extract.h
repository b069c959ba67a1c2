/* Answers in what a model wrote: one function per published rule, named after who published it, and the
 * comparisons that go with them.
 *
 * A rule that finds nothing returns false and leaves what it would have written alone, unless it says what it
 * takes instead.  Spans are views into `text`.  Text may be any bytes; patterns see it as Python's re sees
 * Unicode, and bytes that are no UTF-8 as characters that are no letter, number or space.
 *
 * Sources, by the names used below:
 *   harness    EleutherAI/lm-evaluation-harness 4e7e0d4: lm_eval/filters/extraction.py (RegexFilter: findall,
 *              first non-empty group, stripped), lm_eval/api/metrics.py (exact_match_hf_evaluate)
 *   publisher  suzgunmirac/BIG-Bench-Hard 9ee07bd: code-davinci-002-outputs and the accuracies beside them;
 *              openai/grade-school-math 3101c7d: grade_school_math/dataset.py, example_model_solutions.jsonl
 *   Lemur      OpenLemur/Lemur: xchat/eval/{gsm,bbh}/run_eval.py, 3df0555 and bd734d6 */
#ifndef EVAL_EXTRACT_H
#define EVAL_EXTRACT_H

#include "base/str.h"

/* GSM8K -------------------------------------------------------------------------------------------------- */

/* The number after the first "#### ", commas and a final dot included: harness, gsm8k.yaml, strict-match. */
bool extract_gsm8k_strict(Span *out, Span text);
/* The number after the first "The answer is ": harness, gsm8k-cot.yaml, strict-match.  Something must stand
 * behind the number, such as the dot. */
bool extract_gsm8k_sentence(Span *out, Span text);
/* The last number, or run of two and more of "$0123456789.,": harness, flexible-extract in both. */
bool extract_gsm8k_flexible(Span *out, Span text);
/* Appends the last number after the commas in numbers are gone: Lemur.  A sign counts only in front of a
 * decimal.  false: there is none, and all of the text was appended. */
bool extract_gsm8k_lemur(Str *out, Span text);
/* Appends the number behind the last `marker` ("#### ", "A: "), without commas: publisher. */
bool extract_gsm8k_marker(Str *out, Span text, const char *marker);

/* Equal once commas, "$", everything up to the last "#### " and one final dot are gone, whatever the case:
 * harness, regexes_to_ignore of gsm8k.yaml. */
bool exact_gsm8k(Span answer, Span gold);

/* BIG-Bench Hard ----------------------------------------------------------------------------------------- */

/* What stands behind the first "the answer is ", to the end of its line, without white space around and a
 * final dot: reproduces the accuracies that the publisher gives beside its outputs. */
bool extract_bbh_published(Span *out, Span text);
/* The same without its last character, whatever that is: harness, bbh/cot_fewshot. */
bool extract_bbh_harness(Span *out, Span text);
/* Lemur's two.  Of local models, which answered without reasoning: the first paragraph's text in front of its
 * first dot, of which only "(X)" is kept where there is one and no "[" or "]"; *out is all of the paragraph
 * where no dot is.  Of chat services: between "So the answer is " and the next dot on that line; false: *out
 * is all of the text, stripped. */
bool extract_bbh_lemur(Span *out, Span text);
bool extract_bbh_lemur_chat(Span *out, Span text);

/* Equal but for case and ASCII punctuation: Hugging Face evaluate's exact_match with ignore_case and
 * ignore_punctuation, as Lemur's programs call it ("18.00" is "1800"). */
bool exact_folded(Span answer, Span gold);

/* Multiple choice ---------------------------------------------------------------------------------------- */

/* The letter that the text chooses among the first `choices` capitals, the first that is found of
 *   1. "answer is X", "Answer: (X)", "answer is option X"
 *   2. X at the beginning, with ")", "]", ".", ",", ":", "*", a quote or the end of the line behind it
 *   3. "(X)"
 *   4. X as a word of its own; "A" not in front of a small letter, where it is an article
 * A rule of ours, after the harness's multi_choice_regex and mmlu_pro's "answer is \(?([A-J])\)?"; unlike the
 * first it does not look for the choices' texts. */
bool extract_choice(char *letter, Span text, int choices);
/* The text's first line, without white space around: harness, mmlu/generative. */
Span extract_first_line(Span text);

#endif
