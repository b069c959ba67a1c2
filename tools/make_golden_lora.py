#!/usr/bin/env python3
"""Golden vectors for src/model/adapter_test.c: adapters that PEFT made, saved and computed, over tests/golden/llama/gqa.

    python3 tools/make_golden_lora.py [--out tests/golden/lora]     needs torch, transformers and peft

Each case is a folder as PEFT's save_pretrained writes it (adapter_config.json, adapter_model.safetensors), and
expected.safetensors with what PEFT and PyTorch's autograd make of it, in f64, rounded to f32 once:

    ids, targets   [B*T] i32    targets < 0 are not learned
    logits         [B*T, V]     before any update
    loss           [B*T]        in nats, 0 where not learned
    grad.NAME                   of the mean loss, by the names of adapter_model.safetensors
    losses         [steps]      mean loss before each AdamW step
    final.NAME                  what is trained after the last step
"""
import argparse
import os
import shutil

import peft
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

BASE = "tests/golden/llama/gqa"
B, T, STEPS = 2, 12, 5
ADAMW = dict(lr=5e-3, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.1)
CASES = {
    "all": dict(r=4, lora_alpha=8, target_modules="all-linear"),
    "patterns": dict(r=4, lora_alpha=6, use_rslora=True, target_modules=["q_proj", "v_proj", "down_proj"],
                     rank_pattern={"down_proj": 2}, alpha_pattern={r"layers\.\d+\.self_attn\.v_proj": 3},
                     modules_to_save=["embed_tokens", "lm_head"]),
}


def trained(model):
    """By the names under which PEFT saves them."""
    return {n.replace(".default", "").replace(".modules_to_save", ""): p for n, p in model.named_parameters()
            if p.requires_grad}


def mean_loss(model, ids, targets):
    logits = model(ids.view(B, T)).logits.view(B * T, -1)
    keep = targets >= 0
    loss = torch.zeros(B * T, dtype=logits.dtype)
    loss[keep] = torch.nn.functional.cross_entropy(logits[keep], targets[keep], reduction="none")
    return logits, loss, loss.sum() / keep.sum()


def make(name, settings, out):
    torch.manual_seed(20231010)
    base = AutoModelForCausalLM.from_pretrained(BASE, attn_implementation="eager").float()
    model = peft.get_peft_model(base, peft.LoraConfig(task_type="CAUSAL_LM", bias="none", **settings))
    with torch.no_grad():
        for n, p in trained(model).items():
            if "lora_B" in n:
                p.normal_(0, 0.2)
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    os.remove(os.path.join(folder, "README.md"))
    model = model.double()
    params = trained(model)
    ids = torch.randint(0, base.config.vocab_size, (B * T,))
    targets = torch.where(torch.arange(B * T) % 7 == 5, -1, torch.randint(0, base.config.vocab_size, (B * T,)))
    logits, loss, mean = mean_loss(model, ids, targets)
    mean.backward()
    e = {"ids": ids.int(), "targets": targets.int(), "logits": logits.detach().float(), "loss": loss.detach().float()}
    e.update({"grad." + n: p.grad.float() for n, p in params.items()})
    optimizer, losses = torch.optim.AdamW(params.values(), **ADAMW), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        mean = mean_loss(model, ids, targets)[2]
        losses.append(mean.item())
        mean.backward()
        optimizer.step()
    e["losses"] = torch.tensor(losses)
    e.update({"final." + n: p.detach().float() for n, p in params.items()})
    save_file({k: v.contiguous().clone() for k, v in e.items()}, os.path.join(folder, "expected.safetensors"),
              {"lr": str(ADAMW["lr"]), "beta1": str(ADAMW["betas"][0]), "beta2": str(ADAMW["betas"][1]),
               "eps": str(ADAMW["eps"]), "weight_decay": str(ADAMW["weight_decay"]), "peft": peft.__version__})


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--out", default="tests/golden/lora")
    out = a.parse_args().out
    for name, settings in CASES.items():
        make(name, settings, out)


main()
