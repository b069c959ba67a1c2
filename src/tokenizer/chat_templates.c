/* The styles.  Each names the source of its words; tests/golden/chat holds what transformers makes of them.
 */
#include "tokenizer/chat_templates.h"

#include "tokenizer/json_python.h"

/* What styles share -------------------------------------------------------------------------------------- */

/* The system prompt that stands at the beginning, taken from the messages or the template, and the first
 * message behind it. */
typedef struct {
    Span system;
    bool has;
    size_t first;
} Head;

static Head head_of(const ChatPen *pen)
{
    const Conversation *c = pen->c;
    if (c->messages.n && c->messages.at[0].role == CHAT_SYSTEM)
        return (Head){chat_words(pen->tmpl, c->messages.at[0].content), true, 1};
    if (pen->tmpl->system)
        return (Head){chat_words(pen->tmpl, span(pen->tmpl->system)), true, 0};
    return (Head){{"", 0}, false, 0};
}

static void put_turn(ChatPen *pen, const char *open, Span words, const char *close)
{
    chat_put(pen, open);
    chat_put_message(pen, words);
    chat_put(pen, close);
}

static Status no_second_system(size_t i)
{
    return fail(ST_ARG, "message %zu: this template has room for a system prompt at the beginning only",
                i + 1);
}

static bool is_last(const ChatPen *pen, size_t i)
{
    return i + 1 == pen->c->messages.n;
}

static void answer_words(const ChatTemplate *tmpl, const ChatMessage *m, Str *out)
{
    Span words = chat_words(tmpl, m->content);
    str_add(out, words.at, words.n);
}

static const char *const no_texts[] = {NULL};

/* ChatML ------------------------------------------------------------------------------------------------ */

/* OpenAI's ChatML as Lemur-70b-chat uses it; tools as NousResearch/Hermes-Function-Calling introduced them
 * and the tokenizer_config.json of Qwen/Qwen2.5-7B-Instruct words them. */
static const char *const chatml_marks[] = {"<|im_start|>", "<|im_end|>", NULL};
static const char *const hermes_marks[] = {"<tool_call>", "</tool_call>", "<tool_response>",
                                           "</tool_response>", NULL};

static void chatml_tools(ChatPen *pen)
{
    Str tool = {0};
    json_t *one;
    size_t i;
    chat_put(pen, "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
                  "You are provided with function signatures within <tools></tools> XML tags:\n<tools>");
    json_array_foreach(pen->c->tools, i, one)
    {
        str_clear(&tool);
        json_python_add(&tool, one, 0);
        chat_put(pen, "\n");
        chat_put_message(pen, str_span(&tool));
    }
    str_drop(&tool);
    chat_put(pen,
             "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
             "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
             "{\"name\": <function-name>, \"arguments\": <args-json-object>}\n</tool_call>");
}

static void chatml_answer(const ChatTemplate *tmpl, const ChatMessage *m, Str *out)
{
    json_t *call;
    size_t i;
    answer_words(tmpl, m, out);
    json_array_foreach(m->tool_calls, i, call)
    {
        str_addf(out, "%s<tool_call>\n{\"name\": \"", i || out->n ? "\n" : "");
        str_adds(out, json_string_value(json_object_get(call, "name")));
        str_adds(out, "\", \"arguments\": ");
        json_python_add(out, json_object_get(call, "arguments"), 0);
        str_adds(out, "}\n</tool_call>");
    }
}

/* Results of one round of calls are one user turn. */
static void chatml_result(ChatPen *pen, size_t i)
{
    const ChatMessage *m = pen->c->messages.at;
    if (i == 0 || m[i - 1].role != CHAT_TOOL)
        chat_put(pen, "<|im_start|>user");
    put_turn(pen, "\n<tool_response>\n", chat_words(pen->tmpl, m[i].content), "\n</tool_response>");
    if (is_last(pen, i) || m[i + 1].role != CHAT_TOOL)
        chat_put(pen, "<|im_end|>\n");
}

static Status chatml_write(ChatPen *pen)
{
    static const char *const opens[] = {"<|im_start|>system\n", "<|im_start|>user\n",
                                        "<|im_start|>assistant\n"};
    const Conversation *c = pen->c;
    Head head = head_of(pen);
    if (head.has || c->tools)
        put_turn(pen, opens[CHAT_SYSTEM], head.system, c->tools && head.system.n ? "\n\n" : "");
    if (c->tools)
        chatml_tools(pen);
    if (head.has || c->tools)
        chat_put(pen, "<|im_end|>\n");
    for (size_t i = head.first; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        if (m->role == CHAT_TOOL) {
            chatml_result(pen, i);
        } else if (m->role == CHAT_ASSISTANT) {
            chat_put(pen, opens[CHAT_ASSISTANT]);
            chat_put_answer(pen, m, is_last(pen, i));
            chat_put(pen, is_last(pen, i) && pen->flags & CHAT_CONTINUE ? "" : "\n");
        } else {
            put_turn(pen, opens[m->role], chat_words(pen->tmpl, m->content), "<|im_end|>\n");
        }
    }
    chat_put(pen, pen->flags & CHAT_GENERATE ? opens[CHAT_ASSISTANT] : "");
    return ST_OK;
}

static const char *const chatml_spelled[] = {"<|im_end|>", NULL};
static const ChatStyle chatml = {
    .name = "chatml",
    .about = "<|im_start|>user\\n...<|im_end|>\\n, with tools; Lemur's own and the default",
    .marks = chatml_marks,
    .tool_marks = hermes_marks,
    .opening = "<|im_start|>assistant\n",
    .end = "<|im_end|>",
    .stops = no_texts,
    .spelled = chatml_spelled,
    .tools = true,
    .write = chatml_write,
    .answer = chatml_answer,
    .jinja = chat_jinja_chatml,
};

/* Llama 2 ----------------------------------------------------------------------------------------------- */

/* meta-llama/llama, llama/generation.py, chat_completion; the chat_template of Llama-2-7b-chat-hf trims the
 * whole of system prompt and first message together. */
static Status llama2_user(ChatPen *pen, const Head *head, size_t i)
{
    Str words = {0};
    if (i == head->first && head->has) {
        str_adds(&words, "<<SYS>>\n");
        str_add(&words, head->system.at, head->system.n);
        str_adds(&words, "\n<</SYS>>\n\n");
    }
    str_add(&words, pen->c->messages.at[i].content.at, pen->c->messages.at[i].content.n);
    put_turn(pen, BOS "[INST] ", chat_strip(str_span(&words)), " [/INST]");
    str_drop(&words);
    return ST_OK;
}

static void llama2_answer(const ChatTemplate *tmpl, const ChatMessage *m, Str *out)
{
    Span words = chat_strip(m->content);
    (void)tmpl;
    str_addc(out, ' ');
    str_add(out, words.at, words.n);
    str_addc(out, ' ');
}

static Status llama2_write(ChatPen *pen)
{
    const Conversation *c = pen->c;
    Head head = head_of(pen);
    if (head.has && head.first == c->messages.n)
        return fail(ST_ARG,
                    "this template has room for a system prompt in the first user message only, and there "
                    "is none");
    for (size_t i = head.first; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        if (m->role == CHAT_SYSTEM)
            return no_second_system(i);
        if ((m->role == CHAT_USER) != ((i - head.first) % 2 == 0))
            return fail(ST_ARG,
                        "message %zu (%s): in this template user and assistant take turns, the user first",
                        i + 1, conversation_role_name(m->role));
        if (m->role == CHAT_USER)
            TRY(llama2_user(pen, &head, i));
        else
            chat_put_answer(pen, m, is_last(pen, i));
    }
    return ST_OK;
}

static const char *const llama2_stops[] = {"[INST]", NULL};
static const ChatStyle llama2 = {
    .name = "llama-2",
    .about = "[INST] ... [/INST] ... </s>, <<SYS>>; Llama 2 and Code Llama",
    .marks = no_texts,
    .tool_marks = no_texts,
    .opening = " [/INST]",
    .end = EOS,
    .stops = llama2_stops,
    .spelled = llama2_stops,
    .bos = BOS_INSIDE,
    .pads = true,
    .write = llama2_write,
    .answer = llama2_answer,
    .jinja = chat_jinja_llama2,
};

/* Llama 3 ----------------------------------------------------------------------------------------------- */

/* meta-llama/llama3, llama/tokenizer.py, ChatFormat; Llama 3.1's tools and its fixed first lines as its
 * chat_template words them, with the date that the template falls back on. */
static const char *const llama3_marks[] = {"<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", NULL};
#define HEADER(role) "<|start_header_id|>" role "<|end_header_id|>\n\n"
static const char *const llama3_opens[CHAT_ROLES] = {HEADER("system"), HEADER("user"), HEADER("assistant"),
                                                     HEADER("ipython")};

static void llama3_message(ChatPen *pen, size_t i)
{
    const ChatMessage *m = &pen->c->messages.at[i];
    chat_put(pen, llama3_opens[m->role]);
    if (m->role == CHAT_ASSISTANT) {
        chat_put_answer(pen, m, is_last(pen, i));
        return;
    }
    if (m->role == CHAT_TOOL) {
        Str quoted = {0};
        json_t *text = json_stringn(m->content.at, m->content.n);
        if (text)
            json_python_add(&quoted, text, 0);
        chat_put_message(pen, text ? str_span(&quoted) : m->content);
        json_decref(text);
        str_drop(&quoted);
    } else {
        chat_put_message(pen, chat_words(pen->tmpl, m->content));
    }
    chat_put(pen, "<|eot_id|>");
}

static Status llama3_write(ChatPen *pen)
{
    Head head = head_of(pen);
    if (head.has)
        put_turn(pen, llama3_opens[CHAT_SYSTEM], head.system, "<|eot_id|>");
    for (size_t i = head.first; i < pen->c->messages.n; i++)
        llama3_message(pen, i);
    chat_put(pen, pen->flags & CHAT_GENERATE ? llama3_opens[CHAT_ASSISTANT] : "");
    return ST_OK;
}

static const char *const llama3_spelled[] = {"<|eot_id|>", NULL};
static const ChatStyle llama3 = {
    .name = "llama-3",
    .about = "<|start_header_id|>user<|end_header_id|>\\n\\n...<|eot_id|>; Llama 3",
    .marks = llama3_marks,
    .tool_marks = no_texts,
    .opening = HEADER("assistant"),
    .end = "<|eot_id|>",
    .stops = no_texts,
    .spelled = llama3_spelled,
    .bos = BOS_ALWAYS,
    .trims = true,
    .write = llama3_write,
    .answer = answer_words,
    .jinja = chat_jinja_llama3,
};

static void llama31_answer(const ChatTemplate *tmpl, const ChatMessage *m, Str *out)
{
    const json_t *call = json_array_get(m->tool_calls, 0);
    if (!call) {
        answer_words(tmpl, m, out);
        return;
    }
    str_adds(out, "{\"name\": \"");
    str_adds(out, json_string_value(json_object_get(call, "name")));
    str_adds(out, "\", \"parameters\": ");
    json_python_add(out, json_object_get(call, "arguments"), 0);
    str_adds(out, "}");
}

static void llama31_tools(ChatPen *pen)
{
    Str tool = {0};
    json_t *one;
    size_t i;
    chat_put(
        pen,
        "Given the following functions, please respond with a JSON for a function call with its proper "
        "arguments that best answers the given prompt.\n\nRespond in the format {\"name\": function name, "
        "\"parameters\": dictionary of argument name and its value}.Do not use variables.\n\n");
    json_array_foreach(pen->c->tools, i, one)
    {
        str_clear(&tool);
        json_python_add(&tool, one, 4);
        chat_put_message(pen, str_span(&tool));
        chat_put(pen, "\n\n");
    }
    str_drop(&tool);
}

static Status llama31_write(ChatPen *pen)
{
    const Conversation *c = pen->c;
    Head head = head_of(pen);
    if (c->tools && (head.first == c->messages.n || c->messages.at[head.first].role != CHAT_USER))
        return fail(ST_ARG, "this template puts the tools into the first user message, and there is none");
    chat_put(pen, llama3_opens[CHAT_SYSTEM]);
    chat_put(pen, c->tools ? "Environment: ipython\n" : "");
    chat_put(pen, "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n");
    chat_put_message(pen, head.system);
    chat_put(pen, "<|eot_id|>");
    for (size_t i = head.first; i < c->messages.n; i++) {
        if (json_array_size(c->messages.at[i].tool_calls) > 1)
            return fail(ST_ARG, "message %zu: this template has room for one tool call in a message, not %zu",
                        i + 1, json_array_size(c->messages.at[i].tool_calls));
        if (c->tools && i == head.first) {
            chat_put(pen, llama3_opens[CHAT_USER]);
            llama31_tools(pen);
            put_turn(pen, "", chat_words(pen->tmpl, c->messages.at[i].content), "<|eot_id|>");
        } else {
            llama3_message(pen, i);
        }
    }
    chat_put(pen, pen->flags & CHAT_GENERATE ? llama3_opens[CHAT_ASSISTANT] : "");
    return ST_OK;
}

static const ChatStyle llama31 = {
    .name = "llama-3.1",
    .about = "as llama-3, with a knowledge date and tools; Llama 3.1, 3.2 and 3.3",
    .marks = llama3_marks,
    .tool_marks = no_texts,
    .opening = HEADER("assistant"),
    .end = "<|eot_id|>",
    .stops = no_texts,
    .spelled = llama3_spelled,
    .bos = BOS_ALWAYS,
    .trims = true,
    .tools = true,
    .write = llama31_write,
    .answer = llama31_answer,
    .jinja = chat_jinja_llama31,
};

/* Tulu and Zephyr --------------------------------------------------------------------------------------- */

/* allenai/open-instruct's chat template "tulu", HuggingFaceH4/zephyr-7b-beta's: roles as tags on lines of
 * their own; the line end behind an answer belongs to the turn after it. */
static Status tagged_write(ChatPen *pen, const char *user_end)
{
    static const char *const opens[] = {"<|system|>\n", "<|user|>\n", "<|assistant|>\n"};
    const Conversation *c = pen->c;
    Head head = head_of(pen);
    if (head.has)
        put_turn(pen, opens[CHAT_SYSTEM], head.system, user_end);
    for (size_t i = head.first; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        if (m->role != CHAT_ASSISTANT) {
            put_turn(pen, opens[m->role], chat_words(pen->tmpl, m->content), user_end);
            continue;
        }
        chat_put(pen, opens[CHAT_ASSISTANT]);
        chat_put_answer(pen, m, is_last(pen, i));
        chat_put(pen, is_last(pen, i) && !(pen->flags & CHAT_GENERATE) ? "" : "\n");
    }
    chat_put(pen, pen->flags & CHAT_GENERATE ? opens[CHAT_ASSISTANT] : "");
    return ST_OK;
}

static Status tulu_write(ChatPen *pen)
{
    return tagged_write(pen, "\n");
}

static Status zephyr_write(ChatPen *pen)
{
    return tagged_write(pen, EOS "\n");
}

static const char *const tagged_marks[] = {"<|system|>", "<|user|>", "<|assistant|>", NULL};
static const char *const tagged_stops[] = {"\n<|user|>", NULL};
static const ChatStyle tulu = {
    .name = "tulu",
    .about = "<|user|>\\n...\\n<|assistant|>\\n...</s>; Tulu 2 and 3",
    .marks = tagged_marks,
    .tool_marks = no_texts,
    .opening = "<|assistant|>\n",
    .end = EOS,
    .stops = tagged_stops,
    .spelled = tagged_stops,
    .write = tulu_write,
    .answer = answer_words,
    .jinja = chat_jinja_tulu,
};
static const ChatStyle zephyr = {
    .name = "zephyr",
    .about = "<|user|>\\n...</s>\\n<|assistant|>\\n...</s>; Zephyr and TinyLlama",
    .marks = tagged_marks,
    .tool_marks = no_texts,
    .opening = "<|assistant|>\n",
    .end = EOS,
    .stops = tagged_stops,
    .spelled = tagged_stops,
    .write = zephyr_write,
    .answer = answer_words,
    .jinja = chat_jinja_zephyr,
};

/* Alpaca and plain -------------------------------------------------------------------------------------- */

/* tatsu-lab/stanford_alpaca, train.py, PROMPT_DICT["prompt_no_input"], with a line end behind "###
 * Response:", as those write it who go on from it in several turns. */
static Status alpaca_write(ChatPen *pen)
{
    const Conversation *c = pen->c;
    Head head = head_of(pen);
    put_turn(pen, "", head.system, head.system.n ? "\n\n" : "");
    for (size_t i = head.first; i < c->messages.n; i++) {
        const ChatMessage *m = &c->messages.at[i];
        if (m->role == CHAT_SYSTEM)
            return no_second_system(i);
        if (m->role == CHAT_USER) {
            put_turn(pen, "### Instruction:\n", chat_words(pen->tmpl, m->content), "\n\n");
            continue;
        }
        chat_put(pen, "### Response:\n");
        chat_put_answer(pen, m, is_last(pen, i));
        chat_put(pen, is_last(pen, i) && !(pen->flags & CHAT_GENERATE) ? "" : "\n\n");
    }
    chat_put(pen, pen->flags & CHAT_GENERATE ? "### Response:\n" : "");
    return ST_OK;
}

static const char *const alpaca_stops[] = {"### Instruction:", NULL};
static const ChatStyle alpaca = {
    .name = "alpaca",
    .about = "### Instruction:\\n...\\n\\n### Response:\\n...; Stanford Alpaca",
    .marks = no_texts,
    .tool_marks = no_texts,
    .opening = "### Response:\n",
    .end = EOS,
    .stops = alpaca_stops,
    .spelled = alpaca_stops,
    .system =
        "Below is an instruction that describes a task. Write a response that appropriately completes the "
        "request.",
    .write = alpaca_write,
    .answer = answer_words,
    .jinja = chat_jinja_alpaca,
};

/* Prompt and completion: nothing but the words, and the end-of-text id behind each answer. */
static Status plain_write(ChatPen *pen)
{
    Head head = head_of(pen);
    chat_put_message(pen, head.system);
    for (size_t i = head.first; i < pen->c->messages.n; i++) {
        const ChatMessage *m = &pen->c->messages.at[i];
        if (m->role == CHAT_ASSISTANT)
            chat_put_answer(pen, m, is_last(pen, i));
        else
            chat_put_message(pen, chat_words(pen->tmpl, m->content));
    }
    return ST_OK;
}

static const ChatStyle plain = {
    .name = "plain",
    .about = "the words alone, and end of text behind each answer; prompts and completions",
    .marks = no_texts,
    .tool_marks = no_texts,
    .opening = "",
    .end = EOS,
    .stops = no_texts,
    .spelled = no_texts,
    .write = plain_write,
    .answer = answer_words,
    .jinja = chat_jinja_plain,
};

const ChatStyle *const chat_styles[] = {&chatml, &llama2, &llama3, &llama31, &tulu,
                                        &zephyr, &alpaca, &plain,  NULL};
