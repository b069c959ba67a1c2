#!/usr/bin/env python3
"""Writes tests/golden/quant: blocks of quantised numbers and what they decode to, by another program.

    pip install gguf numpy safetensors
    python3 tools/make_golden_quant.py [--ggml .../libggml-base.so]

decode_TYPE.bin   8 blocks of random bytes with finite scales, then their numbers as f32
encode_x.bin      6144 f32: rows of different spread, outliers, offsets, ramps, zeros, constants
encode_TYPE.bin   what gguf.quants makes of them (Q8_0, Q4_0)
llama3.gguf       tests/golden/llama/llama3 as gguf.GGUFWriter writes it, after llama.cpp's converter
ggml_rms.txt      root of the mean squared error of ggml's own encoders on encode_x.bin, by type (with --ggml only:
                  a llama.cpp build's library)
"""
import argparse
import ctypes
import json
import math
import os

import numpy as np
import gguf
from gguf import GGMLQuantizationType as T, quants
from safetensors.numpy import load_file

BLOCKS = 8
DECODED = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
HALVES = {"Q8_0": [0], "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2],
          "Q6_K": [208]}  # where a block has its f16 scales


def random_blocks(rng, name):
    size = gguf.GGML_QUANT_SIZES[T[name]][1]
    blocks = rng.integers(0, 256, (BLOCKS, size), dtype=np.uint8)
    for at in HALVES[name]:
        half = (rng.standard_normal(BLOCKS) * 0.01).astype(np.float16)
        half[1] = np.float16(6e-8)  # the smallest
        half[2] = np.float16(-0.0)
        blocks[:, at:at + 2] = half.view(np.uint8).reshape(BLOCKS, 2)
    return blocks


def numbers(rng):
    rows = [rng.standard_normal(256) * s for s in (1e-6, 0.02, 0.02, 0.02, 1, 40)]
    rows += [rng.standard_normal(256) * 0.02 * np.exp(rng.standard_normal(256)) for _ in range(4)]
    rows += [rng.standard_normal(256) * 0.01 + c for c in (0.3, -0.3)]
    rows += [rng.uniform(-1, 1, 256), rng.uniform(0, 1, 256), rng.uniform(-1, 0, 256)]
    rows += [np.zeros(256), np.full(256, 0.125), np.full(256, -3.0), np.linspace(-1, 1, 256)]
    spiky = rng.standard_normal(256) * 0.01
    spiky[::37] = 2
    rows += [spiky, -spiky, np.where(rng.uniform(size=256) < 0.9, 0, rng.standard_normal(256))]
    rows += [np.repeat(rng.standard_normal(8), 32), rng.standard_normal(256) * np.repeat(2.0 ** -np.arange(8), 32)]
    return np.stack(rows).astype(np.float32)


def ggml_rms(library, x):
    lib = ctypes.CDLL(library)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lines = []
    for name in ["Q8_0", "Q4_0", "Q4_K", "Q5_K", "Q6_K"]:
        block, size = gguf.GGML_QUANT_SIZES[T[name]]
        out = np.zeros(x.size // block * size, dtype=np.uint8)
        lib.ggml_quantize_chunk(ctypes.c_int(T[name].value), x.ctypes.data_as(ctypes.c_void_p),
                                out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(0), ctypes.c_int64(x.shape[0]),
                                ctypes.c_int64(x.shape[1]), None)
        back = quants.dequantize(out.reshape(x.shape[0], -1), T[name])
        per_row = np.sqrt(((back - x).astype(np.float64) ** 2).mean(axis=1))
        lines.append(name + " " + " ".join("%.6e" % v for v in per_row))
        if name in ("Q8_0", "Q4_0"):
            assert (out == quants.quantize(x, T[name]).reshape(-1)).all(), name
    return "\n".join(lines) + "\n"


def rope_divisors(c):
    """conversion/llama.py, LlamaModel.generate_extra_tensors."""
    r = c.get("rope_parameters") or c["rope_scaling"]
    base, dim = r.get("rope_theta", c.get("rope_theta")), c["head_dim"]
    freqs = 1.0 / (base ** (np.arange(0, dim, 2, dtype=np.float32) / dim))
    low_wavelen = r["original_max_position_embeddings"] / r["low_freq_factor"]
    high_wavelen = r["original_max_position_embeddings"] / r["high_freq_factor"]
    out = []
    for freq in freqs:
        wavelen = 2 * math.pi / freq
        if wavelen < high_wavelen:
            out.append(1)
        elif wavelen > low_wavelen:
            out.append(r["factor"])
        else:
            smooth = (r["original_max_position_embeddings"] / wavelen - r["low_freq_factor"]) / (
                r["high_freq_factor"] - r["low_freq_factor"])
            out.append(1 / ((1 - smooth) / r["factor"] + smooth))
    return np.array(out, dtype=np.float32)


NAMES = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def gguf_name(name):
    for theirs, ours in (("model.embed_tokens", "token_embd"), ("model.norm", "output_norm"), ("lm_head", "output")):
        name = name.replace(theirs, ours)
    name = name.replace("model.layers.", "blk.")
    for theirs, ours in NAMES.items():
        name = name.replace(theirs, ours)
    return name


def permuted(w, heads):
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def write_llama(folder, path):
    c = json.load(open(os.path.join(folder, "config.json")))
    r = c.get("rope_parameters") or {}
    w = gguf.GGUFWriter(path, "llama")
    w.add_name("llama3")
    w.add_vocab_size(c["vocab_size"])
    w.add_context_length(c["max_position_embeddings"])
    w.add_embedding_length(c["hidden_size"])
    w.add_block_count(c["num_hidden_layers"])
    w.add_feed_forward_length(c["intermediate_size"])
    w.add_head_count(c["num_attention_heads"])
    w.add_head_count_kv(c["num_key_value_heads"])
    w.add_key_length(c["head_dim"])
    w.add_value_length(c["head_dim"])
    w.add_layer_norm_rms_eps(c["rms_norm_eps"])
    w.add_rope_freq_base(r.get("rope_theta", c.get("rope_theta")))
    w.add_rope_dimension_count(c["head_dim"])
    w.add_tensor("rope_freqs.weight", rope_divisors(c))
    for name, t in load_file(os.path.join(folder, "model.safetensors")).items():
        heads = {"q_proj": c["num_attention_heads"], "k_proj": c["num_key_value_heads"]}.get(name.split(".")[-2])
        w.add_tensor(gguf_name(name), np.ascontiguousarray(permuted(t, heads) if heads else t))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--ggml")
    p.add_argument("--out", default="tests/golden/quant")
    args = p.parse_args()
    rng = np.random.default_rng(3)
    os.makedirs(args.out, exist_ok=True)
    for name in DECODED:
        blocks = random_blocks(rng, name)
        values = quants.dequantize(blocks, T[name]).astype(np.float32)
        with open(os.path.join(args.out, "decode_%s.bin" % name), "wb") as f:
            f.write(blocks.tobytes() + values.tobytes())
    x = numbers(rng)
    x.tofile(os.path.join(args.out, "encode_x.bin"))
    for name in ["Q8_0", "Q4_0"]:
        quants.quantize(x, T[name]).tofile(os.path.join(args.out, "encode_%s.bin" % name))
    write_llama("tests/golden/llama/llama3", os.path.join(args.out, "llama3.gguf"))
    if args.ggml:
        with open(os.path.join(args.out, "ggml_rms.txt"), "w") as f:
            f.write(ggml_rms(args.ggml, x))


if __name__ == "__main__":
    main()
