#include "cli/chat_template_find.h"

#include "base/log.h"

Status chat_template_find(ChatTemplate **out, const Bundle *b, const char *name)
{
    if (name)
        TRY(chat_template_open(out, name));
    else
        TRY(bundle_chat_template(b, out));
    bool silent = !*out;
    if (silent)
        TRY(chat_template_open(out, "chatml"));
    if (chat_template_check(*out, b->tokenizer) == ST_OK)
        return ST_OK;
    if (!silent) {
        log_warn("%s; it is spelled out, which the model was hardly taught", error_text());
        return ST_OK;
    }
    chat_template_free(*out);
    *out = NULL;
    return fail(
        ST_ARG,
        "%s does not say how messages are put to it, and has no ChatML marks: it is a base model, or says it "
        "elsewhere; name a template with --template",
        b->path);
}
