#include "agent/assistant.h"

#include <string.h>

#include "base/mem.h"

enum { STEPS = 20, STEPS_TOLD = 3 }; /* from so many left on the model is told how many */

/* How to take a turn back. */
typedef struct {
    size_t at;   /* the message that it began with */
    Span before; /* what that one held already, where it was the last observation; at NULL: it is new */
    AssistantTurn total; /* of the turns before it */
} TurnStart;

struct Assistant {
    AssistantSetup setup;
    Conversation talk;
    Array(TurnStart) turns;
    bool approve, turn_approved;
    AssistantTurn total; /* of this conversation */
    ChatAnswer answer;
    Fences found;
    WorkbenchResult result;
    Str told;  /* the observation in the making */
    bool said; /* some of the answer was given to hooks.say */
};

const char *assistant_end_name(AssistantEnd end)
{
    static const char *const names[] = {"answered", "cut", "steps", "stopped"};
    return names[end];
}

/* The system prompt -------------------------------------------------------------------------------------- */

void assistant_system(Str *out, const AssistantSetup *s)
{
    const char *folder = s->bench ? workbench_folder(s->bench) : NULL;
    if (!s->bench) {
        str_adds(out, "You are a helpful assistant. You cannot run anything here: answer in words.");
        return;
    }
    str_adds(out, "You are an assistant who can act on a computer. What you write in a code block of the "
                  "right language is run, and what it gives comes back to you as the next message.\n");
    if (s->tools[TOOL_PYTHON])
        str_adds(out, "```python\n...\n```\nruns in one Python session: its variables stay. You see what it "
                      "prints and the value of its last expression.\n");
    if (s->tools[TOOL_BASH])
        str_adds(out, "```bash\n...\n```\nruns in a shell: its folder and its files stay, its variables do "
                      "not. You see what it prints.\n");
    str_adds(out, "Work in /work, where you may write.");
    if (folder && strcmp(folder, "/work") == 0)
        str_adds(out, " It is the user's own folder: change there what the task asks for, and nothing else.");
    else if (folder)
        str_addf(out, " The user's files are in %s, which you may read and not change.", folder);
    str_addf(out,
             " There is no network.\nWrite one block in an answer and end the answer there; never write down "
             "what it would give, but wait. When you know, answer in words without such a block: that ends "
             "your turn. A task has at most %d blocks.",
             s->max_steps);
}

static void add_user(Assistant *a, Span text)
{
    Str both = {0};
    if (a->setup.system_in_user && a->talk.messages.n == 0 && a->setup.system[0])
        str_addf(&both, "%s\n\n", a->setup.system);
    str_add(&both, text.at, text.n);
    conversation_add(&a->talk, CHAT_USER, str_span(&both));
    str_drop(&both);
}

static void begin_talk(Assistant *a)
{
    conversation_clear(&a->talk);
    a->turns.n = 0;
    a->total = (AssistantTurn){0};
    if (a->setup.system[0] && !a->setup.system_in_user)
        conversation_add(&a->talk, CHAT_SYSTEM, span(a->setup.system));
}

void assistant_open(Assistant **out, const AssistantSetup *setup)
{
    Assistant *a = mem_new(Assistant);
    Str own = {0};
    a->setup = *setup;
    if (a->setup.max_steps <= 0)
        a->setup.max_steps = STEPS;
    if (!setup->system)
        assistant_system(&own, &a->setup);
    a->setup.system = mem_str(setup->system ? setup->system : str_c(&own));
    a->approve = setup->approve;
    str_drop(&own);
    begin_talk(a);
    *out = a;
}

void assistant_close(Assistant *a)
{
    if (!a)
        return;
    conversation_drop(&a->talk);
    array_drop(&a->turns);
    chatmodel_answer_drop(&a->answer);
    fences_drop(&a->found);
    workbench_result_drop(&a->result);
    str_drop(&a->told);
    mem_free((char *)(uintptr_t)a->setup.system);
    mem_free(a);
}

/* Turns of the conversation ------------------------------------------------------------------------------ */

/* Two messages of the user in a row are more than some templates bear: what the last block gave, after a turn
 * that was stopped, and the new task are one. */
static void begin_turn(Assistant *a, Span task)
{
    size_t n = a->talk.messages.n;
    const ChatMessage *last = n ? &a->talk.messages.at[n - 1] : NULL;
    TurnStart start = {.at = n, .total = a->total};
    if (last && last->role == CHAT_USER) {
        Str both = {0};
        start.at = n - 1;
        start.before = last->content;
        str_add(&both, last->content.at, last->content.n);
        str_adds(&both, "\n\n");
        str_add(&both, task.at, task.n);
        conversation_pop(&a->talk);
        conversation_add(&a->talk, CHAT_USER, str_span(&both));
        str_drop(&both);
    } else {
        add_user(a, task);
    }
    array_push(&a->turns, start);
    a->turn_approved = false;
}

bool assistant_undo(Assistant *a)
{
    if (!a->turns.n)
        return false;
    TurnStart start = a->turns.at[--a->turns.n];
    while (a->talk.messages.n > start.at)
        conversation_pop(&a->talk);
    if (start.before.at)
        conversation_add(&a->talk, CHAT_USER, start.before);
    a->total = start.total;
    return true;
}

void assistant_clear(Assistant *a)
{
    begin_talk(a);
}

const Conversation *assistant_conversation(const Assistant *a)
{
    return &a->talk;
}

void assistant_set_approve(Assistant *a, bool approve)
{
    a->approve = approve;
}

bool assistant_approves(const Assistant *a)
{
    return a->approve;
}

ChatCall *assistant_call(Assistant *a)
{
    return &a->setup.call;
}

/* The model ---------------------------------------------------------------------------------------------- */

static void say(void *context, const char *text, size_t n)
{
    Assistant *a = context;
    a->said = true;
    a->setup.hooks.say(a->setup.hooks.self, text, n);
}

static Status ask(Assistant *a, AssistantTurn *turn)
{
    const AssistantHooks *h = &a->setup.hooks;
    ChatCall call = a->setup.call;
    call.messages = &a->talk;
    call.stopped = h->stopped;
    call.stopped_context = h->self;
    call.say = h->say ? say : NULL;
    call.say_context = a;
    a->said = false;
    Status st = chatmodel_ask(a->setup.model, &call, &a->answer);
    turn->prompt_tokens += a->answer.prompt_tokens;
    turn->completion_tokens += a->answer.completion_tokens;
    turn->retries += a->answer.retries;
    turn->model_seconds += a->answer.seconds;
    TRY(st);
    a->setup.call.sampler.seed++; /* the next answer draws with one of its own */
    turn->answer = conversation_add(&a->talk, CHAT_ASSISTANT, str_span(&a->answer.text))->content;
    if (h->answered)
        h->answered(h->self, &a->answer, a->said);
    return ST_OK;
}

/* Actions ------------------------------------------------------------------------------------------------ */

static Approval approval(Assistant *a, const AssistantAction *action, Str *words)
{
    const AssistantHooks *h = &a->setup.hooks;
    if (!a->approve || a->turn_approved)
        return APPROVE_RUN;
    Approval said = h->approve ? h->approve(h->self, action, words) : APPROVE_SKIP;
    if (said == APPROVE_ALWAYS)
        a->approve = false;
    if (said == APPROVE_TURN)
        a->turn_approved = true;
    return said;
}

/* What came of a block, for the loop over an answer's blocks. */
typedef enum { BLOCK_GOOD, BLOCK_BAD, BLOCK_STOP } BlockEnd;

static void tell_run(Assistant *a, const AssistantAction *action, bool edited)
{
    if (edited) {
        str_adds(&a->told, "[The user changed the block; this ran:]\n");
        str_add(&a->told, action->code.at, action->code.n);
        str_adds(&a->told, action->code.n && action->code.at[action->code.n - 1] != '\n' ? "\n" : "");
        str_adds(&a->told, "[It gave:]\n");
    }
    if (a->result.text.n)
        str_add(&a->told, a->result.text.at, a->result.text.n);
    else
        str_adds(&a->told, "[no output]");
}

static Status run_block(Assistant *a, AssistantTurn *turn, const AssistantAction *action, bool edited,
                        BlockEnd *end)
{
    const AssistantHooks *h = &a->setup.hooks;
    size_t from = a->told.n;
    if (h->runs)
        h->runs(h->self, action);
    TRY(workbench_run(a->setup.bench, &a->result, action->tool, action->code));
    turn->act_seconds += a->result.seconds;
    tell_run(a, action, edited);
    *end = a->result.stopped ? BLOCK_STOP : a->result.good ? BLOCK_GOOD : BLOCK_BAD;
    if (h->observed)
        h->observed(h->self, action, &a->result, (Span){a->told.at + from, a->told.n - from});
    return ST_OK;
}

static void leave_block(Assistant *a, const AssistantAction *action, const char *why, Span reason)
{
    const AssistantHooks *h = &a->setup.hooks;
    size_t from = a->told.n;
    str_addf(&a->told, "[Not run: %s%s", why, reason.n ? ": " : "");
    str_add(&a->told, reason.at, reason.n);
    str_addc(&a->told, ']');
    if (h->observed)
        h->observed(h->self, action, NULL, (Span){a->told.at + from, a->told.n - from});
}

static Status take_block(Assistant *a, AssistantTurn *turn, const Fence *block, BlockEnd *end)
{
    AssistantAction action = {block->tool, block->code, turn->steps, a->setup.max_steps};
    Str words = {0};
    Status st = ST_OK;
    *end = BLOCK_BAD;
    if (!a->setup.tools[block->tool]) {
        char *why = mem_format("there is no %s here; use %s", tool_name(block->tool),
                               tool_name(block->tool == TOOL_BASH ? TOOL_PYTHON : TOOL_BASH));
        leave_block(a, &action, why, (Span){NULL, 0});
        mem_free(why);
        return ST_OK;
    }
    Approval said = approval(a, &action, &words);
    if (said == APPROVE_SKIP) {
        leave_block(a, &action, "the user declined", span_trim(str_span(&words)));
    } else if (said == APPROVE_STOP) {
        leave_block(a, &action, "the user stopped here", (Span){NULL, 0});
        *end = BLOCK_STOP;
    } else {
        if (said == APPROVE_EDIT)
            action.code = str_span(&words);
        st = run_block(a, turn, &action, said == APPROVE_EDIT, end);
    }
    str_drop(&words);
    return st;
}

/* All blocks in their order, up to the first that does not go well. */
static Status take_blocks(Assistant *a, AssistantTurn *turn, BlockEnd *end)
{
    size_t n = a->found.blocks.n;
    *end = BLOCK_GOOD;
    for (size_t i = 0; i < n; i++) {
        if (*end != BLOCK_GOOD || turn->steps == a->setup.max_steps) {
            str_addf(&a->told, "\n[The %zu block%s behind it did not run: %s]", n - i, n - i == 1 ? "" : "s",
                     *end == BLOCK_GOOD ? "no steps are left" : "this one did not go well");
            return ST_OK;
        }
        const Fence *block = &a->found.blocks.at[i];
        turn->steps++;
        if (n > 1)
            str_addf(&a->told, "%s[block %zu, %s]\n", i ? "\n" : "", i + 1, tool_name(block->tool));
        TRY(take_block(a, turn, block, end));
    }
    return ST_OK;
}

static void tell_steps(Assistant *a, const AssistantTurn *turn)
{
    int left = a->setup.max_steps - turn->steps;
    if (left <= 0)
        str_adds(&a->told, "\n[No steps are left: answer now, in words and without a code block.]");
    else if (left <= STEPS_TOLD && left < a->setup.max_steps)
        str_addf(&a->told, "\n[%d step%s left]", left, left == 1 ? " is" : "s are");
}

/* One answer's blocks run, and what they gave becomes the next message, also where running failed in the
 * middle: what ran has run. */
static Status act(Assistant *a, AssistantTurn *turn, BlockEnd *end)
{
    Status st = ST_OK;
    str_clear(&a->told);
    *end = BLOCK_BAD;
    if (a->found.blocks.n) {
        st = take_blocks(a, turn, end);
    } else {
        turn->steps++;
        str_adds(&a->told, "[Nothing was run: the code block is not closed. Write it again, to its end.]");
    }
    if (st == ST_OK)
        tell_steps(a, turn);
    else
        str_adds(&a->told, "\n[It cannot be run here now]");
    conversation_add(&a->talk, a->setup.observation_role, str_span(&a->told));
    return st;
}

/* The turn ----------------------------------------------------------------------------------------------- */

/* Whether the answer is the turn's last one, and how it then ends. */
static bool is_last(const Assistant *a, const AssistantTurn *turn, AssistantEnd *end)
{
    bool wants = a->setup.bench && (a->found.blocks.n || a->found.open);
    bool cut = a->answer.finish == CHAT_FINISH_LENGTH;
    *end = cut ? ASSISTANT_CUT : wants ? ASSISTANT_STEPS : ASSISTANT_ANSWERED;
    return !wants || turn->steps >= a->setup.max_steps || (cut && a->found.open);
}

static Status take_steps(Assistant *a, AssistantTurn *turn)
{
    for (;;) {
        BlockEnd end;
        TRY(ask(a, turn));
        fences_find(&a->found, str_span(&a->answer.text));
        if (is_last(a, turn, &turn->end))
            return ST_OK;
        TRY(act(a, turn, &end));
        if (end == BLOCK_STOP) {
            turn->end = ASSISTANT_STOPPED;
            return ST_OK;
        }
    }
}

static void add_up(AssistantTurn *total, const AssistantTurn *turn)
{
    total->end = turn->end;
    total->steps += turn->steps;
    total->prompt_tokens += turn->prompt_tokens;
    total->completion_tokens += turn->completion_tokens;
    total->retries += turn->retries;
    total->model_seconds += turn->model_seconds;
    total->act_seconds += turn->act_seconds;
}

Status assistant_turn(Assistant *a, AssistantTurn *turn, Span task)
{
    *turn = (AssistantTurn){.end = ASSISTANT_STOPPED};
    begin_turn(a, task);
    Status st = take_steps(a, turn);
    if (st != ST_OK && turn->steps == 0)
        assistant_undo(a);
    else
        add_up(&a->total, turn);
    return st;
}

Status assistant_retry(Assistant *a, AssistantTurn *turn, Span task)
{
    Array(ChatMessage) old = {0};
    const AssistantTurn total = a->total;
    if (!a->turns.n)
        return assistant_turn(a, turn, task);
    const TurnStart start = a->turns.at[a->turns.n - 1];
    for (size_t i = start.at; i < a->talk.messages.n; i++) {
        json_incref(a->talk.messages.at[i].tool_calls); /* their text lives as long as the conversation */
        array_push(&old, a->talk.messages.at[i]);
    }
    assistant_undo(a);
    Status st = assistant_turn(a, turn, task);
    if (st != ST_OK && turn->steps == 0) {
        if (start.before.at)
            conversation_pop(&a->talk); /* the first of the old messages holds it */
        for (size_t i = 0; i < old.n; i++)
            array_push(&a->talk.messages, old.at[i]);
        array_push(&a->turns, start);
        a->total = total;
    } else {
        for (size_t i = 0; i < old.n; i++)
            json_decref(old.at[i].tool_calls);
    }
    array_drop(&old);
    return st;
}

/* Transcript --------------------------------------------------------------------------------------------- */

json_t *assistant_transcript(const Assistant *a)
{
    json_t *o = json_object(), *talk = conversation_to_json(&a->talk),
           *messages = json_object_get(talk, "messages"), *message;
    size_t i;
    json_object_set_new(o, "transcript", json_integer(1));
    json_object_set_new(o, "environment", json_string("agent"));
    json_array_foreach(messages, i, message)
    {
        if (strcmp(json_string_value(json_object_get(message, "role")), "user") != 0)
            continue;
        json_object_set(o, "task", json_object_get(message, "content"));
        break;
    }
    json_object_set(o, "messages", messages);
    json_object_set_new(o, "end", json_string(assistant_end_name(a->total.end)));
    json_object_set_new(o, "counts",
                        json_pack("{s:I s:i s:I s:I}", "turns", (json_int_t)a->turns.n, "steps",
                                  a->total.steps, "prompt_tokens", (json_int_t)a->total.prompt_tokens,
                                  "completion_tokens", (json_int_t)a->total.completion_tokens));
    json_object_set_new(o, "seconds", json_real(a->total.model_seconds + a->total.act_seconds));
    json_decref(talk);
    return o;
}
