#!/usr/bin/env python3
"""Compares `lemur tokenizer encode` with SentencePiece and Hugging Face tokenizers on the text of this machine, and its speed
with SentencePiece's.  Not part of `make test`: needs the Python packages sentencepiece and tokenizers, and minutes.

    python3 tests/tokenizer_oracle.py spm   MODEL   [--megabytes 24] [--lemur build/lemur]
    python3 tests/tokenizer_oracle.py hf    FOLDER  [--megabytes 24]     # a folder with a tokenizer.json
    python3 tests/tokenizer_oracle.py train         [--megabytes 24]     # learn a vocabulary, save it, then as hf
    python3 tests/tokenizer_oracle.py speed MODEL   [--megabytes 4]      # both on the same text, one thread, in turns

Text: Python, C, Perl and prose found under /usr (FOLDERS below), whole files that are UTF-8, plus random characters.  It is cut
into documents of some 100 kB at file ends.  Exits 1 at the first id that differs and shows the place.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

FOLDERS = ["/usr/lib/python3", "/usr/lib/python3.11", "/usr/include", "/usr/share/perl", "/usr/share/perl5", "/usr/lib/x86_64-linux-gnu/perl",
           "/usr/share/doc", "/usr/share/common-licenses", "/usr/share/vim"]
ENDINGS = (".py", ".h", ".hpp", ".pm", ".pl", ".pod", ".txt", ".md", ".rst", ".c", ".sh", ".vim", "copyright", "README", "GPL-3")
SEPARATOR = "\x00--- end of document ---\x00"


def gather(megabytes):
    """Documents in an order that mixes the folders; the same on one machine every time."""
    paths = []
    for folder in FOLDERS:
        for where, folders, names in os.walk(folder):
            folders.sort()
            paths += [os.path.join(where, n) for n in sorted(names) if n.endswith(ENDINGS)]
    random.Random(1).shuffle(paths)
    documents, current, size, total, by_ending = [], [], 0, 0, {}
    for path in paths:
        try:
            with open(path, "rb") as f:
                text = f.read(1 << 20).decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if SEPARATOR in text:
            continue
        current.append(text)
        size += len(text.encode())
        ending = os.path.splitext(path)[1] or "no ending"
        by_ending[ending] = by_ending.get(ending, 0) + len(text.encode())
        if size > 100_000:
            documents.append("".join(current))
            total += size
            current, size = [], 0
        if total > megabytes * 1e6:
            break
    top = sorted(by_ending.items(), key=lambda x: -x[1])[:8]
    print(f"{total / 1e6:.1f} MB of text in {len(documents)} documents:", ", ".join(f"{k} {v / 1e6:.1f}" for k, v in top))
    return documents


def random_documents():
    rng = random.Random(2)
    def character():
        kind = rng.randrange(8)
        if kind < 3:
            return chr(rng.randrange(1, 128))
        if kind == 3:
            return rng.choice(" \n\t\u2581\u00a0\u3000'")
        if kind == 4:
            return chr(rng.randrange(128, 0x800))
        if kind == 5:
            return chr(rng.randrange(0x4e00, 0x9fff))
        if kind == 6:
            return chr(rng.choice([rng.randrange(0x800, 0xd800), rng.randrange(0xe000, 0x10000)]))
        return chr(rng.randrange(0x10000, 0x110000))
    return ["".join(character() for _ in range(20_000)) for _ in range(10)]


def lemur_ids(lemur, vocab, documents, flags):
    with tempfile.NamedTemporaryFile("w", newline="", encoding="utf-8") as f:
        f.write(SEPARATOR.join(documents))
        f.flush()
        out = subprocess.run([lemur, "tokenizer", "encode", "--vocab", vocab, "--no-bos", "--separator", "\\0--- end of document ---\\0",
                              *flags, f.name], stdout=subprocess.PIPE, check=True).stdout.decode()
    lines = out.split("\n")[:-1]
    if len(lines) != len(documents):
        sys.exit(f"{len(lines)} lines for {len(documents)} documents")
    return ([int(x) for x in line.split()] for line in lines)


def compare(lemur, vocab, documents, encode, piece, flags=()):
    tokens = 0
    for number, (document, got) in enumerate(zip(documents, lemur_ids(lemur, vocab, documents, flags))):
        want = encode(document)
        tokens += len(want)
        if got != want:
            at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
            print(f"document {number}, token {at}:")
            print("  want", [piece(i) for i in want[max(0, at - 4):at + 8]])
            print("  got ", [piece(i) for i in got[max(0, at - 4):at + 8]])
            sys.exit(1)
    print(f"{vocab}: {sum(len(d.encode()) for d in documents) / 1e6:.1f} MB, {tokens} ids, all equal")


def speed(lemur, model, documents):
    import sentencepiece
    sp = sentencepiece.SentencePieceProcessor(model_file=model)
    text = "".join(documents)
    lines = text.splitlines(keepends=True)
    chunks, chunk, size = [], [], 0
    for line in lines:  # documents of 64 kB, as `lemur bench tokenizer` cuts them
        chunk.append(line)
        size += len(line.encode())
        if size >= 65536:
            chunks.append("".join(chunk))
            chunk, size = [], 0
    chunks.append("".join(chunk))
    n = len(text.encode())
    with tempfile.NamedTemporaryFile("w", newline="", encoding="utf-8") as f:
        f.write(text)
        f.flush()
        for turn in range(3):
            start = time.perf_counter()
            for c in chunks:
                sp.encode(c)
            theirs = n / (time.perf_counter() - start)
            out = subprocess.run([lemur, "bench", "tokenizer", "--json", "--vocab", model, f.name], stdout=subprocess.PIPE, check=True)
            ours = json.loads(out.stdout)["bytes_per_s"]
            print(f"SentencePiece {theirs / 1e6:.2f} MB/s, lemur {ours / 1e6:.1f} MB/s a thread: {ours / theirs:.1f} times")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["spm", "hf", "train", "speed"])
    p.add_argument("vocab", nargs="?")
    p.add_argument("--lemur", default="build/lemur")
    p.add_argument("--megabytes", type=float, default=24)
    a = p.parse_args()
    documents = gather(a.megabytes)
    if a.what == "speed":
        speed(a.lemur, a.vocab, documents)
        return
    documents += random_documents()
    if a.what == "spm":
        import sentencepiece
        sp = sentencepiece.SentencePieceProcessor(model_file=a.vocab)
        compare(a.lemur, a.vocab, documents, sp.encode, sp.id_to_piece)
        return
    import tokenizers
    folder = a.vocab
    if a.what == "train":
        folder = tempfile.mkdtemp(prefix="lemur-oracle-")
        with open(os.path.join(folder, "text.txt"), "w", newline="", encoding="utf-8") as f:
            f.write("".join(documents[:60]))
        subprocess.run([a.lemur, "tokenizer", "train", "--vocab-size", "16000", "-o", folder, f.name], check=True)
        documents.append("<|im_start|>user\nhello<|im_end|>\n<|endoftext|> <pad>")
    tok = tokenizers.Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    compare(a.lemur, folder, documents, lambda d: tok.encode(d, add_special_tokens=False).ids, tok.id_to_token, ["--special"])


if __name__ == "__main__":
    main()
