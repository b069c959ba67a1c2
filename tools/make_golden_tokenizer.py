#!/usr/bin/env python3
"""Makes tests/golden/tokenizer: small vocabularies and the ids that the libraries which defined their formats give.

    python3 tools/make_golden_tokenizer.py        (from the repository root)

Needs the Python packages sentencepiece, protobuf and tokenizers; cases.json records their versions.
"""
import io
import json
import os
import sys

import sentencepiece as spm
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as pb
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

OUT = "tests/golden/tokenizer"

PROSE = """The lemur sat in the tree and looked at the river. The river was wide, and the water was slow.
In the morning the lemurs sing; in the evening they sleep. It's said they'll sing again, and we've heard them.
Über den Fluß flog ein Vogel. Le garçon naïf a mangé une crème brûlée. Быстрая лиса прыгает через ленивую собаку.
東京は日本の首都です。東京の天気は晴れです。 ακρόπολη και θάλασσα. Counting: 1, 22, 333, 4444, 55555 and 3.14159.
"""
CODE = """def encode(self, text):
    for index, value in enumerate(text):
        if value == 0:
            return self.result[index]
        else:
            self.result.append(value + 1)
    return None

int main(int argc, char **argv)
{
\tfor (int i = 0; i < argc; i++)
\t\tprintf("%s\\n", argv[i]);
\treturn 0;
}
"""
TEXTS = [
    "", " ", "  ", "   x", "x   ", "\n", "\n\n\n", "\t", "\r\n \r\n  a\r\nb", "Hello world", " Hello world", "  Hello   world  ",
    "hello\u2581world\u2581", "The lemurs' river isn't wide, they'll see. WE'VE seen; IT'S \u017f'\u017f 'Sing",
    "0123456789 12 345 6789 ١٢٣ Ⅷ ½", "東京の天気 ακρόπολη Быстрая лиса", "e\u0301 \u00e9 a\u0308 \ufb01 \u212b",
    "\U0001F600\U0001F9D9\u200d\u2642\ufe0f!", "\u00a0\u2003\u3000x\u180ey\u0085z", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "        indented\n            more\n\n    less", "a\x00b\x01\x7f", "<s>the river</s> <s> the tree", "x <tool> y<tool>z lemurs lemur , <w> a<w>b <w>.",
    "((((!!!!====....)))) --------> ++++", PROSE, CODE, PROSE[::-1],
]


def spm_model(name, **options):
    out = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter((PROSE + CODE).split("\n")), model_writer=out, model_type="bpe", minloglevel=2,
        num_threads=1, hard_vocab_limit=False, **options)
    return out.getvalue()


def save_spm(name, data, cases):
    with open(f"{OUT}/{name}", "wb") as f:
        f.write(data)
    sp = spm.SentencePieceProcessor(model_proto=data)
    for text in TEXTS:
        ids = sp.encode(text)
        cases.append({"vocab": name, "text": text, "special": False, "ids": ids})


def mark_unused(data):
    """Every seventh piece of two characters or more is merged through and then taken apart again."""
    model = pb.ModelProto()
    model.ParseFromString(data)
    for i, piece in enumerate(model.pieces):
        if piece.type == 1 and len(piece.piece) > 1 and i % 7 == 0:
            piece.type = 5
    return model.SerializeToString()


def llama_style(data):
    """Vocabulary and merges of a SentencePiece model, as transformers' converter writes them."""
    model = pb.ModelProto()
    model.ParseFromString(data)
    vocab = {p.piece: i for i, p in enumerate(model.pieces)}
    merges = []
    for p in model.pieces:
        local = [(p.piece[:i], p.piece[i:]) for i in range(1, len(p.piece)) if p.piece[:i] in vocab and p.piece[i:] in vocab]
        merges += [(p.score, *pair) for pair in sorted(local, key=lambda x: (vocab[x[0]], vocab[x[1]]))]
    merges = [(a, b) for _, a, b in sorted(merges, key=lambda m: m[0], reverse=True)]
    return vocab, merges


def save_json(name, tok, cases):
    tok.save(f"{OUT}/{name}", pretty=False)
    for text in TEXTS:
        ids = tok.encode(text, add_special_tokens=False).ids
        cases.append({"vocab": name, "text": text, "special": True, "ids": ids})


def llama_json(vocab, merges, normalized, **parts):
    tok = Tokenizer(models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    for key, value in parts.items():
        setattr(tok, key, value)
    tok.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tok.add_special_tokens([AddedToken(t, normalized=normalized, special=True) for t in ("<unk>", "<s>", "</s>")])
    tok.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tok


def byte_json(pre, normalizer=None, ignore_merges=False, size=420):
    tok = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    if normalizer:
        tok.normalizer = normalizer
    tok.pre_tokenizer = pre
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False, special_tokens=["<|end|>", "<s>", "</s>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tok.train_from_iterator([PROSE, CODE], trainer)
    if ignore_merges:  # a whole word that no merge leads to
        data = json.loads(tok.to_str())
        data["model"]["vocab"]["\u0120counting"] = len(data["model"]["vocab"])
        data["model"]["vocab"]["lemurs"] = len(data["model"]["vocab"])
        tok = Tokenizer.from_str(json.dumps(data))
    return tok


LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
# DeepSeek's, and Mistral's "tekken".
HAN = "[一-龥ࠀ-一가-퟿]+"
LETTERS = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅὈ-Ὅὐ-ὗὙὛὝὟ-ώᾀ"
    "-ᾴᾶ-ᾼιῂ-ῄῆ-ῌῐ-ΐῖ-Ίῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤΩℨK-ℭℯ-ℴℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰"
    "-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃")
DEEPSEEK_LLM = ["[\r\n]", r"\s?[" + LETTERS + "]+", r"\s?[!-/:-~！-／：-～‘-‟　-。]+", r"\s+$", HAN]
DEEPSEEK_CODER = ["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", HAN]
TEKKEN = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|"
          r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|"
          r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
# The order of alternatives and the behaviours differ from the known patterns on purpose: PCRE2 has to run this one.
OTHER = r"\p{Lu}?\p{Ll}+|\d+(?:\.\d+)?|\s+\w|[^\p{L}\s]"


def main():
    os.makedirs(OUT, exist_ok=True)
    cases = []
    llama = spm_model("llama", vocab_size=620, byte_fallback=True, normalization_rule_name="identity",
                      remove_extra_whitespaces=False, split_digits=True, allow_whitespace_only_pieces=True)
    save_spm("llama.model", llama, cases)
    save_spm("unused.model", mark_unused(llama), cases)
    save_spm("plain.model", spm_model("plain", vocab_size=260, normalization_rule_name="identity", character_coverage=0.98,
                                      user_defined_symbols=["<tool>", "river", "\u2581the\u2581tree", "aaaa"],
                                      control_symbols=["<ctl>"]), cases)
    save_spm("no_prefix.model", spm_model("np", vocab_size=300, normalization_rule_name="identity", add_dummy_prefix=False,
                                          remove_extra_whitespaces=False, split_by_whitespace=False), cases)

    vocab, merges = llama_style(llama)
    prepend = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    metaspace = lambda scheme, split: pre_tokenizers.Metaspace("\u2581", prepend_scheme=scheme, split=split)
    save_json("llama_legacy.json", llama_json(vocab, merges, False, normalizer=prepend), cases)
    save_json("llama_normalized.json", llama_json(vocab, merges, True, normalizer=prepend), cases)
    save_json("llama_first.json", llama_json(vocab, merges, False, pre_tokenizer=metaspace("first", False)), cases)
    save_json("llama_split.json", llama_json(vocab, merges, False, pre_tokenizer=metaspace("always", True)), cases)

    level = lambda regex, prefix=False: pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)
    save_json("gpt2.json", byte_json(level(True)), cases)
    save_json("gpt2_prefix.json", byte_json(level(True, True)), cases)
    save_json("starcoder.json", byte_json(pre_tokenizers.Sequence([pre_tokenizers.Digits(True), level(True)])), cases)
    split = lambda pattern, behavior, invert=False: pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(pattern), behavior, invert), level(False)])
    save_json("llama3.json", byte_json(split(LLAMA3, "isolated"), ignore_merges=True), cases)
    save_json("qwen2.json", byte_json(split(QWEN2, "removed", True), normalizers.NFC()), cases)
    save_json("tekken.json", byte_json(split(TEKKEN, "isolated"), ignore_merges=True), cases)
    for name, patterns in (("deepseek_llm.json", DEEPSEEK_LLM), ("deepseek_coder.json", DEEPSEEK_CODER)):
        steps = [pre_tokenizers.Split(Regex(p), "isolated") for p in patterns]
        save_json(name, byte_json(pre_tokenizers.Sequence(steps + [pre_tokenizers.Digits(True), level(False)])), cases)
    for behavior in ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"):
        save_json(f"split_{behavior}.json", byte_json(split(OTHER, behavior), size=300), cases)
    tok = byte_json(pre_tokenizers.Sequence([pre_tokenizers.Split(" ", "merged_with_next"), level(False)]), size=300)
    tok.add_tokens([AddedToken("<tool>", lstrip=True, rstrip=True, normalized=False), AddedToken("lemur", single_word=True),
                    AddedToken("<w>", single_word=True, lstrip=True), AddedToken("<", normalized=False)])
    save_json("added.json", tok, cases)

    made_by = {"sentencepiece": spm.__version__, "tokenizers": tokenizers.__version__, "python": sys.version.split()[0]}
    with open(f"{OUT}/cases.json", "w") as f:
        json.dump({"made_by": made_by, "generator": "tools/make_golden_tokenizer.py", "cases": cases}, f, separators=(",", ":"))
        f.write("\n")


if __name__ == "__main__":
    main()
