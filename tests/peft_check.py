#!/usr/bin/env python3
"""Do PEFT and this program agree on what an adapter means?  docs/checks.md tells how to run it, and what came out.

    python3 tests/peft_check.py LEMUR LOGITS_OF BASE ADAPTER        (a model folder; a run of lemur tune --lora, or a PEFT folder)

PEFT loads the adapter over the base; `lemur convert BASE --merge ADAPTER --type F32` writes the merged model, whose logits
logits_of computes (tests/logits_of.c).  Norm: sum |a - b| / sum |b|, below 1e-5 in f32; and the adapter must change them."""
import os
import subprocess
import sys
import tempfile

import peft
import safetensors.torch
import torch
import transformers

lemur, logits_of, base, adapter = sys.argv[1:5]
inside = os.path.join(adapter, "adapter")
folder = inside if os.path.isdir(inside) else adapter


def logits(model, ids):
    with torch.no_grad():
        return model.eval()(ids[None].long()).logits[0]


with tempfile.TemporaryDirectory() as work:
    merged, out = os.path.join(work, "merged"), os.path.join(work, "out.safetensors")
    subprocess.run([lemur, "convert", base, "--merge", adapter, "--type", "F32", "-o", merged], check=True)
    subprocess.run([logits_of, merged, out], check=True)
    ours = safetensors.torch.load_file(out)
model = transformers.AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager").float()
rows = ours["logits"].shape[1]
if rows > model.config.vocab_size:
    model.resize_token_embeddings(rows, mean_resizing=False)
before = logits(model, ours["ids"])
theirs = logits(peft.PeftModel.from_pretrained(model, folder), ours["ids"])
far = ((theirs - before).abs().sum() / theirs.abs().sum()).item()
off = ((ours["logits"] - theirs).double().abs().sum() / theirs.double().abs().sum()).item()
good = off < 1e-5 and far > 1e-3
print(f"{'ok    ' if good else 'FAILED'} {adapter}: off by {off:.2e}; without the adapter {far:.2e}; peft {peft.__version__}, "
      f"transformers {transformers.__version__}, torch {torch.__version__}")
sys.exit(not good)
