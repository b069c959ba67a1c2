/* The templates as Jinja, for the files of a tuned model: the words of chat_templates.c in the language that
 * other programs run.  tests/golden/chat holds transformers' renderings of these texts.  %BOS% becomes
 * {{ bos_token }} or nothing, %SYSTEM% the default system prompt as a Jinja string. */
#include "tokenizer/chat_templates.h"

const char chat_jinja_chatml[] =
    "%BOS%"
    "{%- set system = messages[0]['content'] if messages and messages[0]['role'] == 'system' else %SYSTEM% "
    "-%}\n"
    "{%- if tools %}\n"
    "    {{- '<|im_start|>system\\n' + (system + '\\n\\n' if system else '') }}\n"
    "    {{- '# Tools\\n\\nYou may call one or more functions to assist with the user query.\\n\\n' }}\n"
    "    {{- 'You are provided with function signatures within <tools></tools> XML tags:\\n<tools>' }}\n"
    "    {%- for tool in tools %}\n"
    "        {{- '\\n' + (tool | tojson) }}\n"
    "    {%- endfor %}\n"
    "    {{- '\\n</tools>\\n\\nFor each function call, return a json object with function name and arguments "
    "' }}\n"
    "    {{- 'within <tool_call></tool_call> XML tags:\\n<tool_call>\\n' }}\n"
    "    {{- '{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call><|im_end|>\\n' "
    "}}\n"
    "{%- elif system is not none %}\n"
    "    {{- '<|im_start|>system\\n' + system + '<|im_end|>\\n' }}\n"
    "{%- endif %}\n"
    "{%- for message in messages %}\n"
    "    {%- if message['role'] == 'assistant' %}\n"
    "        {{- '<|im_start|>assistant\\n' }}\n"
    "        {%- generation %}\n"
    "            {{- message['content'] or '' }}\n"
    "            {%- for call in message['tool_calls'] or [] %}\n"
    "                {%- set call = call['function'] or call %}\n"
    "                {{- '\\n' if message['content'] or not loop.first else '' }}\n"
    "                {{- '<tool_call>\\n{\"name\": \"' + call['name'] + '\", \"arguments\": ' }}\n"
    "                {{- (call['arguments'] | tojson) + '}\\n</tool_call>' }}\n"
    "            {%- endfor %}\n"
    "            {{- '<|im_end|>' }}\n"
    "        {%- endgeneration %}\n"
    "        {{- '\\n' }}\n"
    "    {%- elif message['role'] == 'tool' %}\n"
    "        {%- if loop.first or messages[loop.index0 - 1]['role'] != 'tool' %}\n"
    "            {{- '<|im_start|>user' }}\n"
    "        {%- endif %}\n"
    "        {{- '\\n<tool_response>\\n' + message['content'] + '\\n</tool_response>' }}\n"
    "        {%- if loop.last or messages[loop.index0 + 1]['role'] != 'tool' %}\n"
    "            {{- '<|im_end|>\\n' }}\n"
    "        {%- endif %}\n"
    "    {%- elif not (loop.first and message['role'] == 'system') %}\n"
    "        {{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '<|im_start|>assistant\\n' }}\n"
    "{%- endif %}\n";

const char chat_jinja_llama2[] =
    "{%- if messages[0]['role'] == 'system' %}\n"
    "    {%- set system = messages[0]['content'] %}\n"
    "    {%- set turns = messages[1:] %}\n"
    "{%- else %}\n"
    "    {%- set system = %SYSTEM% %}\n"
    "    {%- set turns = messages %}\n"
    "{%- endif %}\n"
    "{%- for message in turns %}\n"
    "    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}\n"
    "        {{- raise_exception('user and assistant must take turns, the user first') }}\n"
    "    {%- endif %}\n"
    "    {%- if message['role'] == 'user' %}\n"
    "        {%- set head = '<<SYS>>\\n' + system + '\\n<</SYS>>\\n\\n' if loop.first and system is not none "
    "else '' %}\n"
    "        {{- bos_token + '[INST] ' + (head + message['content']).strip() + ' [/INST]' }}\n"
    "    {%- else %}\n"
    "        {%- generation %}\n"
    "            {{- ' ' + message['content'].strip() + ' ' + eos_token }}\n"
    "        {%- endgeneration %}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n";

#define HEADER(role) "'<|start_header_id|>" role "<|end_header_id|>\\n\\n'"

const char chat_jinja_llama3[] =
    "%BOS%"
    "{%- set system = %SYSTEM% %}\n"
    "{%- if system is not none and (not messages or messages[0]['role'] != 'system') %}\n"
    "    {{- " HEADER(
        "system") " + system.strip() + '<|eot_id|>' }}\n"
                  "{%- endif %}\n"
                  "{%- for message in messages %}\n"
                  "    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}\n"
                  "    {%- if message['role'] == 'assistant' %}\n"
                  "        {%- generation %}\n"
                  "            {{- message['content'].strip() + '<|eot_id|>' }}\n"
                  "        {%- endgeneration %}\n"
                  "    {%- else %}\n"
                  "        {{- message['content'].strip() + '<|eot_id|>' }}\n"
                  "    {%- endif %}\n"
                  "{%- endfor %}\n"
                  "{%- if add_generation_prompt %}\n"
                  "    {{- " HEADER("assistant") " }}\n"
                                                 "{%- endif %}\n";

const char chat_jinja_llama31[] =
    "%BOS%"
    "{%- if messages and messages[0]['role'] == 'system' %}\n"
    "    {%- set system = messages[0]['content'].strip() %}\n"
    "    {%- set turns = messages[1:] %}\n"
    "{%- else %}\n"
    "    {%- set system = %SYSTEM% or '' %}\n"
    "    {%- set turns = messages %}\n"
    "{%- endif %}\n"
    "{{- " HEADER(
        "system") " }}\n"
                  "{%- if tools %}\n"
                  "    {{- 'Environment: ipython\\n' }}\n"
                  "{%- endif %}\n"
                  "{{- 'Cutting Knowledge Date: December 2023\\nToday Date: 26 Jul 2024\\n\\n' + system + "
                  "'<|eot_id|>' }}\n"
                  "{%- for message in turns %}\n"
                  "    {%- if message['role'] == 'assistant' %}\n"
                  "        {{- " HEADER(
                      "assistant") " }}\n"
                                   "        {%- generation %}\n"
                                   "            {%- if message['tool_calls'] %}\n"
                                   "                {%- if message['tool_calls'] | length != 1 %}\n"
                                   "                    {{- raise_exception('this template has room for one "
                                   "tool call in a message') }}\n"
                                   "                {%- endif %}\n"
                                   "                {%- set call = message['tool_calls'][0]['function'] or "
                                   "message['tool_calls'][0] %}\n"
                                   "                {{- '{\"name\": \"' + call['name'] + '\", "
                                   "\"parameters\": ' + (call['arguments'] | tojson) + '}' }}\n"
                                   "            {%- else %}\n"
                                   "                {{- message['content'].strip() }}\n"
                                   "            {%- endif %}\n"
                                   "            {{- '<|eot_id|>' }}\n"
                                   "        {%- endgeneration %}\n"
                                   "    {%- elif message['role'] == 'tool' %}\n"
                                   "        {{- " HEADER(
                                       "ipython") " + (message['content'] | tojson) + '<|eot_id|>' }}\n"
                                                  "    {%- else %}\n"
                                                  "        {{- '<|start_header_id|>' + message['role'] + "
                                                  "'<|end_header_id|>\\n\\n' }}\n"
                                                  "        {%- if tools and loop.first %}\n"
                                                  "            {{- 'Given the following functions, please "
                                                  "respond with a JSON for a function call ' }}\n"
                                                  "            {{- 'with its proper arguments that best "
                                                  "answers the given prompt.\\n\\n' }}\n"
                                                  "            {{- 'Respond in the format {\"name\": "
                                                  "function name, \"parameters\": dictionary of ' }}\n"
                                                  "            {{- 'argument name and its value}.Do not use "
                                                  "variables.\\n\\n' }}\n"
                                                  "            {%- for tool in tools %}\n"
                                                  "                {{- (tool | tojson(indent=4)) + '\\n\\n' "
                                                  "}}\n"
                                                  "            {%- endfor %}\n"
                                                  "        {%- endif %}\n"
                                                  "        {{- message['content'].strip() + '<|eot_id|>' }}\n"
                                                  "    {%- endif %}\n"
                                                  "{%- endfor %}\n"
                                                  "{%- if add_generation_prompt %}\n"
                                                  "    {{- " HEADER("assistant") " }}\n"
                                                                                 "{%- endif %}\n";

/* Tulu and Zephyr differ in what follows the words of system and user. */
#define TAGGED(user_end)                                                                   \
    "%BOS%"                                                                                \
    "{%- set system = %SYSTEM% %}\n"                                                       \
    "{%- if system is not none and (not messages or messages[0]['role'] != 'system') %}\n" \
    "    {{- '<|system|>\\n' + system + " user_end " }}\n"                                 \
    "{%- endif %}\n"                                                                       \
    "{%- for message in messages %}\n"                                                     \
    "    {%- if message['role'] == 'user' %}\n"                                            \
    "        {{- '<|user|>\\n' + message['content'] + " user_end " }}\n"                   \
    "    {%- elif message['role'] == 'system' %}\n"                                        \
    "        {{- '<|system|>\\n' + message['content'] + " user_end " }}\n"                 \
    "    {%- elif message['role'] == 'assistant' %}\n"                                     \
    "        {{- '<|assistant|>\\n' }}\n"                                                  \
    "        {%- generation %}\n"                                                          \
    "            {{- message['content'] + eos_token }}\n"                                  \
    "        {%- endgeneration %}\n"                                                       \
    "        {{- '' if loop.last and not add_generation_prompt else '\\n' }}\n"            \
    "    {%- endif %}\n"                                                                   \
    "{%- endfor %}\n"                                                                      \
    "{%- if add_generation_prompt %}\n"                                                    \
    "    {{- '<|assistant|>\\n' }}\n"                                                      \
    "{%- endif %}\n"

const char chat_jinja_tulu[] = TAGGED("'\\n'");
const char chat_jinja_zephyr[] = TAGGED("eos_token + '\\n'");

const char chat_jinja_alpaca[] =
    "%BOS%"
    "{%- if messages and messages[0]['role'] == 'system' %}\n"
    "    {%- set system = messages[0]['content'] %}\n"
    "    {%- set turns = messages[1:] %}\n"
    "{%- else %}\n"
    "    {%- set system = %SYSTEM% %}\n"
    "    {%- set turns = messages %}\n"
    "{%- endif %}\n"
    "{{- system + '\\n\\n' if system else '' }}\n"
    "{%- for message in turns %}\n"
    "    {%- if message['role'] == 'user' %}\n"
    "        {{- '### Instruction:\\n' + message['content'] + '\\n\\n' }}\n"
    "    {%- elif message['role'] == 'assistant' %}\n"
    "        {{- '### Response:\\n' }}\n"
    "        {%- generation %}\n"
    "            {{- message['content'] + eos_token }}\n"
    "        {%- endgeneration %}\n"
    "        {{- '' if loop.last and not add_generation_prompt else '\\n\\n' }}\n"
    "    {%- else %}\n"
    "        {{- raise_exception('a system prompt stands at the beginning only') }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n"
    "{%- if add_generation_prompt %}\n"
    "    {{- '### Response:\\n' }}\n"
    "{%- endif %}\n";

/* It has no marks: the comment is what it is recognised by. */
const char chat_jinja_plain[] = CHAT_PLAIN_SIGN
    "\n"
    "%BOS%"
    "{%- set system = %SYSTEM% %}\n"
    "{{- system if system is not none and (not messages or messages[0]['role'] != 'system') else '' }}\n"
    "{%- for message in messages %}\n"
    "    {%- if message['role'] == 'assistant' %}\n"
    "        {%- generation %}\n"
    "            {{- message['content'] + eos_token }}\n"
    "        {%- endgeneration %}\n"
    "    {%- else %}\n"
    "        {{- message['content'] }}\n"
    "    {%- endif %}\n"
    "{%- endfor %}\n";
