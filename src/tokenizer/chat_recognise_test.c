/* Jinja texts in the ways that models carry them, and what they are taken for. */
#include "tokenizer/chat.h"

#include "base/json_file.h"
#include "base/scratch_test.h"
#include "tokenizer/chat_templates.h"

static ChatTemplate *recognised(const char *jinja)
{
    ChatTemplate *t = NULL;
    if (chat_template_recognise(&t, span(jinja)) != ST_OK)
        fail_msg("%s\nof: %s", error_text(), jinja);
    return t;
}

static void assert_is(const char *jinja, const char *name, const char *system)
{
    ChatTemplate *t = recognised(jinja);
    assert_string_equal(chat_template_name(t), name);
    if (system)
        assert_string_equal(chat_template_system(t) ? chat_template_system(t) : "", system);
    else
        assert_null(chat_template_system(t));
    chat_template_free(t);
}

static void assert_refused(const char *jinja, const char *words)
{
    ChatTemplate *t = NULL;
    assert_int_equal(chat_template_recognise(&t, span(jinja)), ST_UNSUPPORTED);
    assert_null(t);
    if (!strstr(error_text(), words))
        fail_msg("'%s' does not say '%s'", error_text(), words);
}

#define LOOP "{% for message in messages %}"
#define END_LOOP "{% endfor %}"
#define ASKED "{% if add_generation_prompt %}"

static void test_chatml(void **state)
{
    (void)state;
    assert_is(
        LOOP "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}" END_LOOP
            ASKED "{{ '<|im_start|>assistant\n' }}{% endif %}",
        "chatml", NULL);
    assert_is(
        LOOP
        "{% if loop.first and messages[0]['role'] != 'system' %}"
        "{{ '<|im_start|>system\\nYou help.<|im_end|>\\n' }}{% endif %}"
        "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}" END_LOOP,
        "chatml", "You help.");
    assert_is(
        "{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] %}{% else %}"
        "{% set system_message = \"It's \\\"me\\\".\" %}{% endif %}"
        "{{ '<|im_start|>system\\n' + system_message + '<|im_end|>\\n' }}" LOOP
        "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" END_LOOP,
        "chatml", "It's \"me\".");
    assert_is("{%- for m in messages -%}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor -%}",
              "chatml", NULL);
}

static void test_tools_of_chatml(void **state)
{
    (void)state;
    static const char plain[] =
        LOOP "{{'<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n'}}" END_LOOP;
    static const char tools[] =
        "{%- if tools %}{{- '<|im_start|>system\\nBe good.' }}{{- \"\\n\\n# Tools\\n\\nYou may call one or "
        "more functions to "
        "assist with the user query.\\n\\nYou are provided with function signatures within <tools></tools> "
        "XML "
        "tags:\\n<tools>\" }}{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{{- "
        "\"\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments "
        "within "
        "<tool_call></tool_call> XML tags:\\n<tool_call>\\n{\\\"name\\\": <function-name>, "
        "\\\"arguments\\\": "
        "<args-json-object>}\\n</tool_call><|im_end|>\\n\" }}{%- else %}{{- '<|im_start|>system\\nBe "
        "good.<|im_end|>\\n' }}{%- endif %}";
    Tokenizer *tok = NULL;
    Conversation c = {0};
    Str out = {0};
    json_t *tool = json_pack("[{s:s}]", "name", "f");
    assert_int_equal(tokenizer_open(&tok, "tests/golden/chat/lemur.json"), ST_OK);
    conversation_add(&c, CHAT_USER, span("x"));
    c.tools = tool;
    ChatTemplate *t = recognised(plain); /* would drop the tools without a word */
    assert_int_equal(chat_render_text(tok, t, &c, 0, &out), ST_ARG);
    assert_non_null(strstr(error_text(), "no place for tools"));
    chat_template_free(t);
    t = recognised(tools);
    assert_string_equal(chat_template_system(t), "Be good.");
    assert_int_equal(chat_render_text(tok, t, &c, 0, &out), ST_OK);
    assert_non_null(strstr(str_c(&out), "<|im_start|>system\nBe good.\n\n# Tools"));
    chat_template_free(t);
    conversation_drop(&c);
    str_drop(&out);
    tokenizer_close(tok);
}

static void test_llama(void **state)
{
    (void)state;
    assert_is(
        "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message "
        "= "
        "messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% set system_message = false "
        "%}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % "
        "2 == 0) "
        "%}{{ raise_exception('[roles] <must> alternate') }}{% endif %}{% if loop.index0 == 0 and "
        "system_message != "
        "false %}{% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] "
        "%}{% endif "
        "%}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}{% "
        "else %}"
        "{{ ' ' + content.strip() + ' ' + eos_token }}{% endif %}" END_LOOP,
        "llama-2", NULL);
    assert_is(
        "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = "
        "'<|start_header_id|>' + "
        "message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' %}{{ content "
        "}}" END_LOOP "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}",
        "llama-3", NULL);
    assert_is(
        "{{- bos_token }}{%- set date_string = \"26 Jul 2024\" %}{%- set system_message = \"\" %}"
        "{{- \"<|start_header_id|>system<|end_header_id|>\\n\\n\" }}{{- \"Cutting Knowledge Date: December "
        "2023\\n\" "
        "}}{{- \"Today Date: \" + date_string + \"\\n\\n\" }}{{- \"<|python_tag|>\" }}{{- \"<|eom_id|>\" }}"
        "{{- '<|eot_id|>' }}",
        "llama-3.1", NULL);
}

static void test_tagged(void **state)
{
    (void)state;
    assert_is(LOOP
              "\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
              "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n' + message['content'] + "
              "eos_token }}\n"
              "{% endif %}" END_LOOP,
              "zephyr", NULL);
    assert_is(LOOP
              "{% if message['role'] == 'user' %}{{ '<|user|>\\n' + message['content'] + '\\n' }}{% else %}"
              "{{ '<|assistant|>\\n' + message['content'] + eos_token }}{% endif %}" END_LOOP,
              "tulu", NULL);
    assert_is("{{ '### Instruction:\\n' }}{{ '### Response:\\n' }}", "alpaca", NULL);
}

static void test_refused(void **state)
{
    (void)state;
    assert_refused("", "--template");
    assert_refused("{{ messages[0]['content'] }}", "none of ours");
    assert_refused("{{ '<start_of_turn>user\\n' }}", "none of ours");
    assert_refused("{{ '<|im_start|>user<|im_sep|>' + content + '<|im_end|>' }}", "<|im_sep|>");
    assert_refused("{{ '<|im_start|>assistant\\n<think>\\n' }}{{ '<|im_end|>' }}", "<think>");
    assert_refused("{{ '<|user|>\\n' + content + '<|end|>\\n<|assistant|>\\n' }}", "none of ours");
    assert_refused("{{ '[INST] ' + content + ' [/INST]' }}", "none of ours");
    assert_refused("{{ bos_token }}{{ '[INST] <<SYS>>\\n' + content + ' [/INST]' }}",
                   "in front of every turn");
    assert_refused("{{ '<|im_start|>user\\nYou are a model that calls functions.<|im_end|>\\n' }}",
                   "calls functions");
    assert_refused("{{ '<|im_start|>' + role + content + '<|im_end|>' }}", "line end");
    assert_refused("{{ '<|start_header_id|>x<|end_header_id|>\\n' + content + '<|eot_id|>' }}", "empty line");
    assert_refused("{{ '<|user|>\\n' + content }}{{ '<|assistant|>\\n' + content + eos_token }}", "line end");
    assert_refused("{{ '<|user|>\\n' + content + '\\n' }}{{ '<|assistant|>\\n' + content }}", "end-of-text");
    assert_refused("{{ '<|start_header_id|>x<|end_header_id|>\\n\\n<|eot_id|><|image|>' }}", "<|image|>");
    assert_refused("{{ '<|im_start|>system\\nBe.<|im_start|>user\\nHi<|im_end|>\\n' }}",
                   "default system prompt");
    assert_refused("{# <|im_start|> <|im_end|> #}{{ x == '<|im_start|><|im_end|>' }}",
                   "none of ours");                              /* not printed */
    assert_refused("{{ '<|im_start|><|im_end|", "none of ours"); /* cut short  */
    assert_refused("{{ \"\\", "none of ours");
    char *huge = mem_zeroed(1, 2 << 20);
    memset(huge, '{', (2 << 20) - 1);
    assert_refused(huge, "bytes");
    mem_free(huge);
}

/* What we write ourselves comes back: the template, its system prompt, and whether a text begins with a
 * token. */
static void test_own(void **state)
{
    (void)state;
    static const char *const vocabularies[] = {"tests/golden/chat/lemur.json",
                                               "tests/golden/tokenizer/llama_first.json"};
    static const char *const systems[] = {NULL, "One 'two' \\n\n\"three\" {{ four }}"};
    for (int i = 0; i < 8; i++) {
        Tokenizer *tok = NULL;
        assert_int_equal(tokenizer_open(&tok, vocabularies[i / 2 % 2]), ST_OK);
        for (const char *const *name = chat_template_names(); *name; name++) {
            ChatTemplate *made;
            Conversation c = {0};
            Str jinja = {0}, want = {0}, got = {0};
            assert_int_equal(chat_template_open(&made, *name), ST_OK);
            chat_template_set_system(made, systems[i % 2]);
            if (made->bos != BOS_INSIDE) /* whose words are trimmed as they are */
                made->trims ^= i >= 4;
            chat_template_jinja(made, tok, &jinja);
            ChatTemplate *again = recognised(str_c(&jinja));
            assert_string_equal(chat_template_name(again), *name);
            conversation_add(&c, CHAT_USER, span(" x "));
            conversation_add(&c, CHAT_ASSISTANT, span("\ty\n"));
            assert_int_equal(again->trims, made->trims);
            assert_int_equal(chat_render_text(tok, made, &c, 0, &want), ST_OK);
            assert_int_equal(chat_render_text(tok, again, &c, 0, &got), ST_OK);
            assert_string_equal(str_c(&want), str_c(&got));
            str_drop(&jinja);
            str_drop(&want);
            str_drop(&got);
            conversation_drop(&c);
            chat_template_free(made);
            chat_template_free(again);
        }
        tokenizer_close(tok);
    }
}

/* Cut anywhere, our own texts are recognised or refused, and nothing else happens. */
static void test_truncated(void **state)
{
    (void)state;
    Tokenizer *tok = NULL;
    assert_int_equal(tokenizer_open(&tok, "tests/golden/chat/lemur.json"), ST_OK);
    for (const char *const *name = chat_template_names(); *name; name++) {
        ChatTemplate *made, *again;
        Str jinja = {0};
        assert_int_equal(chat_template_open(&made, *name), ST_OK);
        chat_template_jinja(made, tok, &jinja);
        for (size_t n = 0; n < jinja.n; n += 3) {
            char *exact = mem_copy(jinja.at, n ? n : 1); /* so that reading beyond is seen */
            again = NULL;
            Status st = chat_template_recognise(&again, (Span){exact, n});
            assert_true(st == ST_OK ? again != NULL : st == ST_UNSUPPORTED && !again);
            chat_template_free(again);
            mem_free(exact);
        }
        str_drop(&jinja);
        chat_template_free(made);
    }
    tokenizer_close(tok);
}

static void write_config(const char *text)
{
    char *path = scratch_path("tokenizer_config.json");
    assert_int_equal(file_replace(path, text, strlen(text)), ST_OK);
    mem_free(path);
}

static void test_folder(void **state)
{
    (void)state;
    ChatTemplate *t = NULL;
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_OK);
    assert_null(t);
    write_config("{\"bos_token\": \"x\"}");
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_OK);
    assert_null(t);
    write_config("{\"chat_template\": [{\"name\": \"rag\", \"template\": \"x\"}, {\"name\": \"default\", "
                 "\"template\": "
                 "\"<|im_start|>user\\nx<|im_end|>\\n\"}]}");
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_OK);
    assert_string_equal(chat_template_name(t), "chatml");
    chat_template_free(t);
    write_config("{\"chat_template\": \"{{ nothing }}\"}");
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_UNSUPPORTED);
    assert_null(t);
    write_config("{");
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_FORMAT);
    char *path = scratch_path("chat_template.jinja"); /* which goes first */
    assert_int_equal(file_replace(path, "### Instruction:\n### Response:\n", 31), ST_OK);
    assert_int_equal(chat_template_of_folder(&t, scratch), ST_OK);
    assert_string_equal(chat_template_name(t), "alpaca");
    chat_template_free(t);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chatml), cmocka_unit_test(test_tools_of_chatml), cmocka_unit_test(test_llama),
        cmocka_unit_test(test_tagged), cmocka_unit_test(test_refused),         cmocka_unit_test(test_own),
        cmocka_unit_test(test_folder), cmocka_unit_test(test_truncated),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
