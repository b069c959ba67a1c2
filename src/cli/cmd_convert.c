/* lemur convert: a model into another form. */
#include "base/cpu.h"
#include "cli/cmd.h"
#include "cli/convert_model.h"
#include "cli/stop_signal.h"

static const Flag flags[] = {
    {"output", 'o', "OUT", "NAME.gguf, or a folder of safetensors"},
    {"type", 0, "T",
     "F32 F16 BF16 Q8_0 Q6_K Q5_K_M Q5_K_S Q5_K Q4_K_M Q4_K_S Q4_K Q4_0 (the input's own; folders: BF16)"},
    {"merge", 0, "ADAPTER", "merge this LoRA adapter in: a PEFT folder, or a run of lemur tune --lora"},
    {"pure", 0, NULL, "every matrix of that very type, the head too"},
    {"vocab", 0, "PATH", "takes this vocabulary; with --random also a number of tokens"},
    {"random", 0, NULL, "no input: random weights, to measure speed with"},
    {"preset", 0, "NAME", "shape of a random model: 5m 15m 60m 110m 1b 7b 70b (1b)"},
    {"seed", 0, "N", "of random weights (1)"},
    {"overwrite", 0, NULL, "replace the model that OUT is or holds"},
    {"threads", 't', "N", "processors to use (0: all)"},
    {"dry-run", 0, NULL, "print the plan and write nothing"},
    {"json", 0, NULL, "print what was written as JSON"},
};

static Status check_words(const Args *args)
{
    bool random = args_has(args, "random");
    if (!args_has(args, "output"))
        return fail(ST_ARG, "say where the model goes: -o NAME.gguf or -o FOLDER");
    if (!random && args->positional_n == 0)
        return fail(ST_ARG, "say which model: a folder or a .gguf (or --random for one of random weights)");
    if (random && args->positional_n)
        return fail(ST_ARG, "%s and --random: give one of them", args->positional[0]);
    if (random && args_has(args, "merge"))
        return fail(ST_ARG,
                    "--merge belongs to a model that an adapter was trained over, and not to --random");
    if (!random && (args_has(args, "preset") || args_has(args, "seed")))
        return fail(ST_ARG, "--preset and --seed belong to --random");
    return ST_OK;
}

static Status run(const Args *args, void *context)
{
    (void)context;
    TRY(check_words(args));
    ConvertJob job = {
        .in = args_has(args, "random") ? NULL : args->positional[0],
        .out = args_value(args, "output"),
        .type = args_value(args, "type"),
        .vocab = args_value(args, "vocab"),
        .preset = args_has(args, "preset") ? args_value(args, "preset") : "1b",
        .seed = 1,
        .merge = args_value(args, "merge"),
        .pure = args_has(args, "pure"),
        .overwrite = args_has(args, "overwrite"),
        .dry_run = args_has(args, "dry-run"),
        .stop = stop_signal_watch(),
    };
    json_t *result;
    TRY(cmd_number(&job.seed, args, "seed", 0, INT64_MAX));
    TRY(cmd_threads(&job.threads, args, cpu_count()));
    TRY(convert_model(&job, &result));
    if (args_has(args, "json"))
        cmd_print_json(result, 0);
    json_decref(result);
    return ST_OK;
}

int cmd_convert(int argc, char **argv)
{
    const Command c = {
        .usage = "IN -o OUT [--type T] [--merge ADAPTER]   |   --random [--preset P] -o OUT",
        .words = "[IN]",
        .about =
            "Writes a model in another form: IN and OUT are each a folder (config.json, safetensors,\n"
            "tokenizer) or a GGUF file.  Prints the plan with the sizes first.  A type's name alone keeps\n"
            "the head at Q6_K or better; _S and _M keep more of the sensitive matrices, as llama.cpp does.\n"
                 "example: lemur convert Llama-folder -o model.gguf --type Q4_K_M",
        COMMAND_FLAGS(flags),
    };
    return cmd_run(&c, argc, argv, run, NULL);
}
