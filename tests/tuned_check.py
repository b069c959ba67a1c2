#!/usr/bin/env python3
"""Does transformers see in a tuned model and its rows what lemur tune put there?  docs/checks.md tells how to run it.

    python3 tests/tuned_check.py RUN EXAMPLES.jsonl      (what lemur tune wrote, from examples in OpenAI's messages)

    vocabulary   transformers loads RUN/model; the template's marks are one special token each, below vocab_size
    rows         ids and masks of every example in RUN/data are those of apply_chat_template with the model's template
"""
import collections
import json
import struct
import sys
from pathlib import Path

import transformers


def examples_of(path):
    """(ids, mask) of every example of a shard: docs/formats/shard.md."""
    b = Path(path).read_bytes()
    assert b[:8] == b"LEMURTOK" and struct.unpack_from("<I", b, 8)[0] == 3, f"{path} is no shard with masks"
    id_bytes, room = struct.unpack_from("<II", b, 36)
    rows, = struct.unpack_from("<Q", b, 48)
    ids_at, index_at, starts_at = struct.unpack_from("<QQQ", b, 72)
    padding_at, mask_at = struct.unpack_from("<QQ", b, 144)
    for r in range(rows):
        ids = struct.unpack_from(f"<{room}{'H' if id_bytes == 2 else 'I'}", b, ids_at + r * room * id_bytes)
        bits = b[mask_at + r * ((room + 7) // 8):]
        mask = [bits[t // 8] >> t % 8 & 1 for t in range(room)]
        first, last = struct.unpack_from("<II", b, index_at + 4 * r)
        padding, = struct.unpack_from("<I", b, padding_at + 4 * r)
        starts = list(struct.unpack_from(f"<{last - first}I", b, starts_at + 4 * first)) + [room - padding]
        for at, to in zip(starts, starts[1:]):
            yield ids[at:to], tuple(mask[at:to])


def main():
    run, source = Path(sys.argv[1]), sys.argv[2]
    tok = transformers.AutoTokenizer.from_pretrained(run / "model")
    vocab = json.loads((run / "model/config.json").read_text())["vocab_size"]
    for mark in ("<|im_start|>", "<|im_end|>"):
        assert tok.encode(mark, add_special_tokens=False) == [tok.convert_tokens_to_ids(mark)], mark
        assert tok.convert_tokens_to_ids(mark) < vocab and mark in tok.all_special_tokens, mark
    ends = transformers.GenerationConfig.from_pretrained(run / "model").eos_token_id
    assert tok.convert_tokens_to_ids("<|im_end|>") in (ends if isinstance(ends, list) else [ends])

    ours = collections.Counter(e for f in sorted((run / "data").glob("*.tok")) for e in examples_of(f))
    theirs = collections.Counter()
    for line in open(source, encoding="utf-8"):
        r = tok.apply_chat_template(json.loads(line)["messages"], return_dict=True, return_assistant_tokens_mask=True)
        theirs[tuple(r["input_ids"]), tuple(r["assistant_masks"])] += 1
    only = set(ours) - set(theirs)
    for ids, mask in list(only)[:3]:
        print("only here:", tok.decode(ids), mask, file=sys.stderr)
    print(f"{len(ours)} examples of ours, {len(theirs)} of theirs, {len(only)} differ")
    sys.exit(bool(only) or len(ours) != len(theirs))


main()
