#!/usr/bin/env python3
"""Do Hugging Face transformers and this program agree on what a model folder means?  Both ways.
docs/checks.md tells how to run it, and what came out.

    python3 tests/transformers_check.py LOGITS_OF      (the program that tests/logits_of.c becomes)

    theirs -> ours    transformers makes a model and saves it; logits_of loads the folder: same logits
    ours -> theirs    logits_of saves what it loaded; transformers loads that folder: same logits, no weight
                      missing or left over
    golden            transformers loads tests/golden/llama: the logits that tools/make_golden.py computed

Norm: sum |a - b| / sum |b|, below 1e-5 in f32.  A copy in bf16 or f16 is compared with transformers' own
rounding of the weights to that type, computed in f32, so that it must agree as closely."""
import os
import subprocess
import sys
import tempfile

import safetensors.torch
import torch
import transformers
import transformers.models.llama.modeling_llama
from transformers import LlamaConfig, LlamaForCausalLM

TOLERANCE = 1e-5
BASE = dict(vocab_size=211, hidden_size=64, intermediate_size=112, num_hidden_layers=3, num_attention_heads=8,
            num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5)
ROPE = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=32)
NEW = int(transformers.__version__.split(".")[0]) >= 5
CASES = {
    "grouped": BASE,
    "tied": dict(BASE, tie_word_embeddings=True),
    "wide heads": dict(BASE, head_dim=16),
    "theta": dict(BASE, **({"rope_parameters": dict(rope_type="default", rope_theta=500000.0)} if NEW
                           else {"rope_theta": 500000.0})),
    "llama3": dict(BASE, **({"rope_parameters": dict(ROPE, rope_theta=10000.0)} if NEW
                            else {"rope_scaling": ROPE})),
}
if not hasattr(transformers.models.llama.modeling_llama, "ROPE_INIT_FUNCTIONS"):
    del CASES["llama3"]  # releases before 4.43
if not hasattr(LlamaConfig(), "head_dim"):
    del CASES["wide heads"]  # releases before 4.45

failures = 0


def distance(a, b):
    return ((a.double() - b.double()).abs().sum() / b.double().abs().sum()).item()


def report(what, d):
    global failures
    good = d < TOLERANCE
    failures += not good
    print(f"{'ok    ' if good else 'FAILED'} {what}: {d:.2e}")


def load(folder):
    """Everything in f32, and every weight accounted for."""
    model, info = LlamaForCausalLM.from_pretrained(folder, output_loading_info=True,
                                                   attn_implementation="eager")
    left = {k: v for k, v in info.items() if v and k != "error_msgs"}
    assert not left, f"{folder}: {left}"
    return model.float().eval()


def logits(model, ids):
    with torch.no_grad():
        return model(ids[None].long()).logits[0]


def check_case(program, name, settings, dtype, letter):
    with tempfile.TemporaryDirectory() as work:
        theirs, ours, out = (os.path.join(work, n) for n in ("theirs", "ours", "out.safetensors"))
        torch.manual_seed(1)
        config = LlamaConfig(**settings)
        config._attn_implementation = "eager"
        model = LlamaForCausalLM(config).eval()
        for p in model.parameters():  # away from the initial norms of 1 and matrices near 0
            p.data += 0.1 * torch.randn_like(p)
        model.to(dtype).save_pretrained(theirs, max_shard_size="100KB" if dtype == torch.float32 else "5GB")
        model = load(theirs)  # anew: model.to(dtype) has rounded the frequencies of its rotary embedding too
        subprocess.run([program, theirs, out, ours, letter], check=True)
        result = safetensors.torch.load_file(out)
        label = f"{name}, {letter}"
        report(f"theirs -> ours  {label}", distance(result["logits"], logits(model, result["ids"])))
        report(f"ours -> theirs  {label}", distance(logits(load(ours), result["ids"]), result["logits"]))


def check_golden(folder):
    expected = safetensors.torch.load_file(os.path.join(folder, "expected.safetensors"))
    if "starts" in expected:
        return  # isolated documents are not something transformers' forward is told by positions alone
    with open(os.path.join(folder, "config.json")) as f:
        if "rope_parameters" in f.read() and not NEW:
            return  # a spelling that releases before 5 pass over
    model = load(folder)
    vocabulary = expected["logits"].shape[1]
    with torch.no_grad():
        ids = expected["ids"][0].view(2, -1).long()  # B = 2 in every case
        d = distance(model(ids).logits.view(-1, vocabulary), expected["logits"])
    report(f"golden  {os.path.basename(folder)}", d)


def main():
    torch.set_num_threads(1)
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    print(f"transformers {transformers.__version__}, torch {torch.__version__}")
    root = "tests/golden/llama"
    for name in sorted(os.listdir(root)):
        if os.path.isdir(os.path.join(root, name)):
            check_golden(os.path.join(root, name))
    for name, settings in CASES.items() if len(sys.argv) > 1 else []:
        for dtype, letter in ((torch.float32, "f32"), (torch.bfloat16, "bf16"), (torch.float16, "f16")):
            check_case(sys.argv[1], name, settings, dtype, letter)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
