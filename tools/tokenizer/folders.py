"""Writes tokenizer folders of many kinds with the ids that transformers' CLIPTokenizer has for them.

    python3 folders.py small OUT.json          clip/testdata/tokenizer_folders.json: eight folders, without their vocabulary
    python3 folders.py random OUT.jsonl N SEED N random folders with random texts
    python3 folders.py captions OUT.jsonl N SEED FILE
                                               N random captions by CLIP's own vocabulary, FILE is bpe_simple_vocab_16e6.txt.gz

A folder is written as its files by name. Folders that the library refuses are left out. "go run ./tools/tokenizer FILE"
compares the last two with Percept. Made with transformers 5.24.0, tokenizers 0.23.3.
"""
import gzip
import json
import os
import random
import sys
import tempfile
import unicodedata
import warnings

warnings.filterwarnings("ignore")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"

from transformers import AddedToken, CLIPTokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = os.path.join(HERE, "..", "..", "clip", "testdata")
START, END = "<|startoftext|>", "<|endoftext|>"
ALPHABET = list("aeiostrnhdl ABÉéñßΣσİıЖ'.,!?-<|>0123 \t\n\u00a0\u0301\u0308\u200b語猫🐱½²_") + [
    "'s", "'LL", "the ", END, START, "<|StartOfText|>", "riding", "  ", "<cat-toy>", "<Cat-Toy>", "<é>", "sks",
    "!", " new york ", "x<cat-toy>y"]
WORDS = ["<cat-toy>", "<Cat-Toy>", "<cat", "sks", "<é>", "<e\u0301>", "new york", "!", "a", "riding</w>", END + "2", "ss", "ΣΣ",
         "<|StartOfText|>"]


def small():
    vocab = json.load(open(os.path.join(SMALL, "tokenizer_vocab.json"), encoding="utf-8"))
    merges = [tuple(m.split()) for m in open(os.path.join(SMALL, "tokenizer_merges.txt"), encoding="utf-8").read().split("\n")[1:] if m]
    return vocab, merges


def read(folder):
    return {n: open(os.path.join(folder, n), encoding="utf-8").read() for n in sorted(os.listdir(folder))}


def write(folder, files):
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


def saved(vocab, merges, change=lambda t: None, **settings):
    """The files that transformers writes for a tokenizer."""
    t = CLIPTokenizer(vocab=vocab, merges=merges, **settings)
    change(t)
    with tempfile.TemporaryDirectory() as d:
        t.save_pretrained(d)
        return read(d)


def pair(vocab, merges, **more):
    """The files of a folder of earlier releases."""
    files = {"vocab.json": json.dumps(vocab), "merges.txt": "#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n"}
    return files | {name.replace("__", "."): json.dumps(v) for name, v in more.items()}


def ids(files, texts):
    """The ids of texts, at full length and as diffusers asks for them; None where the library refuses the folder."""
    with tempfile.TemporaryDirectory() as d:
        write(d, files)
        try:
            t = CLIPTokenizer.from_pretrained(d)
            length = t.model_max_length if t.model_max_length < 1 << 22 else 77
            padded = t(texts, padding="max_length", max_length=length, truncation=True)["input_ids"]
            return {"ids": [t(x)["input_ids"] for x in texts], "padded": padded}
        except Exception as e:  # whatever the library says of files that it does not take
            print("refused:", repr(e)[:150], file=sys.stderr)
            return None


def texts(rng, n):
    return ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(0, 30))) for _ in range(n)]


def token(rng, content=None):
    return AddedToken(content or rng.choice(WORDS), single_word=rng.random() < 0.3, lstrip=rng.random() < 0.3, rstrip=rng.random() < 0.3,
                      normalized=rng.random() < 0.5, special=rng.random() < 0.3)


def fields(a, special):
    d = {"content": a.content, "single_word": a.single_word, "lstrip": a.lstrip, "rstrip": a.rstrip, "normalized": a.normalized}
    return d | {"special": a.special} if special else d


def random_folder(rng, vocab, merges):
    """A folder saved today, one of an earlier release, or both, with any added and special tokens."""
    length = rng.choice([77, 77, 8, 10**30])
    added = [token(rng) for _ in range(rng.choice([0, 0, 1, 2, 4]))]
    pad = rng.choice([END, END, "!", "<pad>"])
    if rng.random() < 0.5:
        unknown = rng.choice([END, "a"])
        files = saved(vocab, merges, lambda t: t.add_tokens(added), model_max_length=length, pad_token=pad, unk_token=unknown)
        if rng.random() < 0.3:
            j = json.loads(files["tokenizer.json"])
            j["model"]["merges"] = [" ".join(m) for m in j["model"]["merges"]]
            files["tokenizer.json"] = json.dumps(j)
        if rng.random() < 0.2:
            del files["tokenizer_config.json"]
        if rng.random() < 0.2:
            files |= pair(vocab, merges[:10])
        return files
    unique = list({a.content: a for a in added if a.content not in vocab}.values())
    config = {"model_max_length": length, "tokenizer_class": "CLIPTokenizer"}
    specials, later = {}, {}
    for name, text in (("bos_token", START), ("eos_token", END), ("unk_token", END), ("pad_token", pad)):
        a = fields(token(rng, text), False)
        forms = [None, text, a, {"__type": "AddedToken"} | a]
        if (v := rng.choice([forms[0], forms[1], forms[3]])) is not None:
            config[name] = v
        if (v := rng.choice(forms[:3])) is not None:
            specials[name] = v
    if rng.random() < 0.3:
        specials["additional_special_tokens"] = [rng.choice(WORDS), rng.choice(WORDS)]
    if rng.random() < 0.3:
        config["additional_special_tokens"] = [rng.choice(WORDS)]
    files = {}
    if rng.random() < 0.3:
        config["added_tokens_decoder"] = {str(len(vocab) + i): fields(a, True) for i, a in enumerate(unique)}
    elif unique:
        later = {a.content: len(vocab) + i for i, a in enumerate(unique)}
        files["added_tokens__json"] = later
    if rng.random() < 0.8:
        files["tokenizer_config__json"] = config
    if rng.random() < 0.7:
        files["special_tokens_map__json"] = specials
    return pair(vocab, merges, **files)


def full(path):
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
    merges = gzip.open(path).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    tokens = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in merges] + [START, END]
    return {t: i for i, t in enumerate(tokens)}, [tuple(m.split()) for m in merges]


def captions(rng, n, words):
    """Plain captions, and ones with any character of Unicode in them."""
    for i in range(n):
        parts = [rng.choice(words) for _ in range(rng.randint(0, 20))]
        if i % 2:
            for _ in range(rng.randint(1, 8)):
                c = rng.choice([rng.randrange(0x250), rng.randrange(0x3000), rng.randrange(0x110000)])
                if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn":  # of Unicode 14, with Python 3.11
                    parts.insert(rng.randint(0, len(parts)), rng.choice(["", " "]) + chr(c))
            parts = [p.upper() if rng.random() < 0.2 else p for p in parts]
        yield rng.choice([" ", "", "  "]).join(parts)


def main():
    mode, out = sys.argv[1:3]
    if mode == "small":
        vocab, merges = small()
        rng = random.Random(5)
        cases = []
        while len(cases) < 8:
            files, some = random_folder(rng, vocab, merges), texts(rng, 3)
            if cases and ("tokenizer.json" in files) == ("tokenizer.json" in cases[-1]["files"]) or not (got := ids(files, some)):
                continue
            if "tokenizer.json" in files:
                j = json.loads(files["tokenizer.json"])
                j["model"]["merges"] = ["text" if isinstance(j["model"]["merges"][0], str) else "pairs"]
                j["model"]["vocab"] = {}
                files["tokenizer.json"] = json.dumps(j)
            for name in ("vocab.json", "merges.txt"):  # the test has the vocabulary
                if name in files:
                    files[name] = "" if "tokenizer.json" not in files or name == "vocab.json" else "short"
            cases.append({"files": files, "texts": some} | got)
        with open(out, "w") as f:
            f.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
        return
    n, rng = int(sys.argv[3]), random.Random(int(sys.argv[4]))
    with open(out, "w") as f:
        if mode == "random":
            vocab, merges = small()
            for _ in range(n):
                files, some = random_folder(rng, vocab, merges), texts(rng, 20)
                f.write(json.dumps({"files": files, "texts": some} | (ids(files, some) or {"refused": True})) + "\n")
            return
        vocab, merges = full(sys.argv[5])
        words = [t.removesuffix("</w>") for t in vocab if t.isascii() and not t.startswith("<|")]
        files, some = saved(vocab, merges, model_max_length=77), list(captions(rng, n, words))
        f.write(json.dumps({"files": files, "texts": some} | ids(files, some)) + "\n")


if __name__ == "__main__":
    main()
