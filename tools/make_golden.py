#!/usr/bin/env python3
"""Golden vectors for src/model/golden_test.c: PyTorch's autograd over a Llama written plainly here.

    /usr/bin/python3 tools/make_golden.py [--out tests/golden/llama]

Nothing of it comes from the C program: the forward pass below is the text of the model, one line per step,
and the gradients and AdamW are PyTorch's.  Everything is computed in f64 and rounded to f32 once, when it is
written; --noise prints how far the same program in f32 ends from that, which is the scale that a tolerance
must respect.

Each case is a model folder that any tool can open (config.json, model.safetensors) and expected.safetensors:

    ids, targets      [1 or 2, B*T] i32  targets < 0 are not learned; step s takes row s mod their number
    positions, starts [B*T] i32          restarted positions, first position each row may attend to;
                                         where documents are isolated
    logits            [B*T, V]           of step 0, before any update
    loss              [B*T]              of step 0, in nats, 0 where not learned
    grad.NAME                            of the mean loss of step 0
    losses            [steps]            mean loss before each AdamW step        (where steps > 1)
    norms             [steps]            norm of all gradients, before clipping
    final.NAME                           weights after the last step
"""
import argparse
import json
import math
import os
import struct

import torch

SEED = 20231010
ADAMW = dict(lr=5e-3, beta1=0.9, beta2=0.95, eps=1e-8, weight_decay=0.1, clip=1.0)

LLAMA3 = dict(rope_type="llama3", factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)
SMALL = dict(V=31, C=24, F=40, L=1, H=3, Hk=1, D=8, T=12, B=2, theta=10000.0, eps=1e-5, tied=False, steps=1)
CASES = {
    "gqa": dict(SMALL, L=2, H=6, Hk=2, steps=10),
    "isolated": dict(SMALL, documents=[[5, 4, 3], [1, 11]]),
    "llama3": dict(SMALL, C=32, H=2, Hk=2, D=16, T=40, theta=500.0, rope=LLAMA3),
    "tied": dict(SMALL, L=2, tied=True, steps=3),
}


def frequencies(c):
    f = c["theta"] ** (-torch.arange(0, c["D"], 2, dtype=torch.float64) / c["D"])
    s = c.get("rope")
    if not s:
        return f
    length, out = 2 * math.pi / f, []
    longest = s["original_max_position_embeddings"] / s["low_freq_factor"]
    shortest = s["original_max_position_embeddings"] / s["high_freq_factor"]
    for one, wave in zip(f.tolist(), length.tolist()):
        if wave < shortest:
            out.append(one)
        elif wave > longest:
            out.append(one / s["factor"])
        else:
            smooth = (s["original_max_position_embeddings"] / wave - s["low_freq_factor"]) / (
                s["high_freq_factor"] - s["low_freq_factor"])
            out.append((1 - smooth) * one / s["factor"] + smooth * one)
    return torch.tensor(out, dtype=torch.float64)


def rotate(x, cos, sin):  # x [B, heads, T, D]; column i turns with column i + D/2
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)


def rmsnorm(x, w, eps):
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * w


def forward(w, c, ids, positions, starts):
    B, T, H, Hk, D = ids.shape[0], ids.shape[1], c["H"], c["Hk"], c["D"]
    angle = positions.to(torch.float64)[..., None] * frequencies(c)  # [B, T, D/2]
    cos, sin = (f(angle).to(w["model.norm.weight"].dtype)[:, None] for f in (torch.cos, torch.sin))
    t = torch.arange(T)
    visible = (t[None, None, :] <= t[None, :, None]) & (t[None, None, :] >= starts[:, :, None])  # [B, T, T]
    x = w["model.embed_tokens.weight"][ids]
    for l in range(c["L"]):
        p = f"model.layers.{l}."
        h = rmsnorm(x, w[p + "input_layernorm.weight"], c["eps"])
        q, k, v = (h @ w[p + f"self_attn.{n}_proj.weight"].T for n in "qkv")
        q = rotate(q.view(B, T, H, D).transpose(1, 2), cos, sin)
        k = rotate(k.view(B, T, Hk, D).transpose(1, 2), cos, sin).repeat_interleave(H // Hk, 1)
        v = v.view(B, T, Hk, D).transpose(1, 2).repeat_interleave(H // Hk, 1)
        score = (q @ k.transpose(2, 3)) / math.sqrt(D)
        share = score.masked_fill(~visible[:, None], -math.inf).softmax(-1)
        x = x + (share @ v).transpose(1, 2).reshape(B, T, H * D) @ w[p + "self_attn.o_proj.weight"].T
        h = rmsnorm(x, w[p + "post_attention_layernorm.weight"], c["eps"])
        gate, up = (h @ w[p + f"mlp.{n}_proj.weight"].T for n in ("gate", "up"))
        x = x + (gate * torch.sigmoid(gate) * up) @ w[p + "mlp.down_proj.weight"].T
    head = w["model.embed_tokens.weight" if c["tied"] else "lm_head.weight"]
    return rmsnorm(x, w["model.norm.weight"], c["eps"]) @ head.T


def make_weights(c):
    def matrix(rows, cols, scale=1.0):
        return torch.randn(rows, cols) * scale / math.sqrt(cols)

    def norm():
        return 1 + 0.1 * torch.randn(c["C"])

    w = {"model.embed_tokens.weight": matrix(c["V"], c["C"], 3.0)}
    for l in range(c["L"]):
        p = f"model.layers.{l}."
        w[p + "self_attn.q_proj.weight"] = matrix(c["H"] * c["D"], c["C"])
        w[p + "self_attn.k_proj.weight"] = matrix(c["Hk"] * c["D"], c["C"])
        w[p + "self_attn.v_proj.weight"] = matrix(c["Hk"] * c["D"], c["C"])
        w[p + "self_attn.o_proj.weight"] = matrix(c["C"], c["H"] * c["D"], 0.7)
        w[p + "mlp.gate_proj.weight"] = matrix(c["F"], c["C"])
        w[p + "mlp.up_proj.weight"] = matrix(c["F"], c["C"])
        w[p + "mlp.down_proj.weight"] = matrix(c["C"], c["F"], 0.7)
        w[p + "input_layernorm.weight"] = norm()
        w[p + "post_attention_layernorm.weight"] = norm()
    w["model.norm.weight"] = norm()
    if not c["tied"]:
        w["lm_head.weight"] = matrix(c["V"], c["C"])
    return w


def make_batches(c):
    shape = min(c["steps"], 2), c["B"], c["T"]  # few, so that ten steps learn them and the losses fall
    ids, targets = torch.randint(0, c["V"], shape), torch.randint(0, c["V"], shape)
    targets[torch.rand(targets.shape) < 0.15] = -100
    positions = torch.arange(c["T"]).repeat(c["B"], 1)
    starts = torch.zeros_like(positions)
    for row, lengths in enumerate(c.get("documents", [])):
        at = 0
        for n in lengths:
            positions[row, at:at + n] = torch.arange(n)
            starts[row, at:at + n] = at
            at += n
    return ids, targets, positions, starts


def run(c, weights, batches, dtype):
    w = {n: t.to(dtype).requires_grad_() for n, t in weights.items()}
    decayed = [t for t in w.values() if t.dim() == 2]
    others = [t for t in w.values() if t.dim() == 1]
    optimizer = torch.optim.AdamW(
        [dict(params=decayed, weight_decay=ADAMW["weight_decay"]), dict(params=others, weight_decay=0.0)],
        lr=ADAMW["lr"], betas=(ADAMW["beta1"], ADAMW["beta2"]), eps=ADAMW["eps"])
    ids, targets, positions, starts = batches
    out, losses, norms = {}, [], []
    for step in range(c["steps"]):
        x, y = ids[step % len(ids)], targets[step % len(ids)].view(-1)
        logits = forward(w, c, x, positions, starts).view(-1, c["V"])
        loss = torch.nn.functional.cross_entropy(logits, y, ignore_index=-100, reduction="none")
        mean = loss.sum() / (y >= 0).sum()
        optimizer.zero_grad()
        mean.backward()
        if step == 0:
            out["logits"], out["loss"] = logits.detach(), loss.detach()
            out.update({"grad." + n: t.grad.clone() for n, t in w.items()})
        losses.append(mean.item())
        norms.append(float(torch.nn.utils.clip_grad_norm_(w.values(), ADAMW["clip"])))
        optimizer.step()
    if c["steps"] > 1:
        out["losses"], out["norms"] = torch.tensor(losses), torch.tensor(norms)
        out.update({"final." + n: t.detach() for n, t in w.items()})
    return out


def write_safetensors(path, tensors, metadata):
    header, blobs, at = {"__metadata__": metadata}, [], 0
    for name, t in tensors.items():
        integer = not t.is_floating_point()
        t = t.to(torch.int32 if integer else torch.float32).contiguous()
        blob = t.numpy().tobytes()
        header[name] = dict(dtype="I32" if integer else "F32", shape=list(t.shape),
                            data_offsets=[at, at + len(blob)])
        at += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def config(c):
    o = dict(architectures=["LlamaForCausalLM"], model_type="llama", vocab_size=c["V"], hidden_size=c["C"],
             intermediate_size=c["F"], num_hidden_layers=c["L"], num_attention_heads=c["H"],
             num_key_value_heads=c["Hk"], head_dim=c["D"], hidden_act="silu", max_position_embeddings=128,
             rms_norm_eps=c["eps"], tie_word_embeddings=c["tied"], bos_token_id=1, eos_token_id=2)
    if "rope" in c:  # transformers 5's spelling; the other cases have the older one
        return dict(o, rope_parameters=dict(c["rope"], rope_theta=c["theta"]), dtype="float32")
    return dict(o, rope_theta=c["theta"], rope_scaling=None, torch_dtype="float32")


def noise(exact, rough):
    worst = 0.0, ""
    for name, t in exact.items():
        if t.is_floating_point() and t.abs().sum() > 0:
            e = ((rough[name].double() - t.double()).abs().sum() / t.double().abs().sum()).item()
            worst = max(worst, (e, name))
    return worst


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="tests/golden/llama")
    parser.add_argument("--noise", action="store_true",
                        help="also run in f32 and print the largest difference")
    args = parser.parse_args()
    for number, (name, c) in enumerate(CASES.items()):
        torch.manual_seed(SEED + number)
        folder = os.path.join(args.out, name)
        os.makedirs(folder, exist_ok=True)
        weights, batches = make_weights(c), make_batches(c)
        exact = run(c, weights, batches, torch.float64)
        ids, targets, positions, starts = batches
        given = dict(ids=ids.flatten(1), targets=targets.flatten(1))
        if "documents" in c:
            given.update(positions=positions.view(-1), starts=starts.view(-1))
        metadata = {k: repr(v) for k, v in ADAMW.items()}
        metadata.update(B=str(c["B"]), T=str(c["T"]), steps=str(c["steps"]), torch=torch.__version__)
        write_safetensors(os.path.join(folder, "model.safetensors"), weights, {"format": "pt"})
        write_safetensors(os.path.join(folder, "expected.safetensors"), dict(given, **exact), metadata)
        with open(os.path.join(folder, "config.json"), "w") as f:
            f.write(json.dumps(config(c), indent=2) + "\n")
        print(name, sum(t.numel() for t in weights.values()), "parameters; losses", exact.get("losses", "-"),
              "norms", exact.get("norms", "-"))
        if args.noise:
            rough = run(c, weights, batches, torch.float32)
            print("  f32 against f64, sum |a-b| / sum |b|: %.2e at %s" % noise(exact, rough))


if __name__ == "__main__":
    main()
