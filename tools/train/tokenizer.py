"""A byte-level BPE vocabulary in CLIP's format, learned from captions.

    python tokenizer.py --data DIR --out MODEL

Merges are added until each word of the captions is one token; any other text falls back to
shorter pieces, down to bytes.
"""
import argparse
import json
import re
from collections import Counter
from pathlib import Path

START, END = "<|startoftext|>", "<|endoftext|>"
PATTERN = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+")


def byte_alphabet():
    """CLIP's printable stand-ins for the 256 bytes, in the order of its vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(256 - len(plain))]


def learn(words):
    """Merges that make each word one token, the most frequent pair first."""
    pieces = {w: (*w[:-1], w[-1] + "</w>") for w in words}
    merges = []
    while any(len(p) > 1 for p in pieces.values()):
        pairs = Counter()
        for w, p in pieces.items():
            for pair in zip(p, p[1:]):
                pairs[pair] += words[w]
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        for w, p in pieces.items():
            pieces[w] = merge(p, best)
    return merges


def merge(piece, pair):
    out, i = [], 0
    while i < len(piece):
        if piece[i:i + 2] == pair:
            out.append(pair[0] + pair[1])
            i += 2
        else:
            out.append(piece[i])
            i += 1
    return tuple(out)


def write(captions, folder):
    words = Counter(w for c in captions for w in PATTERN.findall(c.lower()))
    merges = learn(words)
    alphabet = byte_alphabet()
    tokens = alphabet + [b + "</w>" for b in alphabet] + ["".join(m) for m in merges] + [START, END]
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(tokens)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges))
    return len(words), len(tokens)


class Tokenizer:
    """Encodes captions whose words are single tokens."""

    def __init__(self, folder, positions):
        self.vocab = json.loads((Path(folder) / "vocab.json").read_text())
        self.start, self.end, self.positions = self.vocab[START], self.vocab[END], positions

    def __call__(self, caption):
        ids = [self.vocab[w + "</w>"] for w in PATTERN.findall(caption.lower())][: self.positions - 2]
        ids = [self.start, *ids, self.end]
        return ids + [self.end] * (self.positions - len(ids))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--data", required=True)
    p.add_argument("--out", required=True)
    a = p.parse_args()
    with open(Path(a.data) / "captions.jsonl") as f:
        captions = [c for line in f for c in json.loads(line)]
    words, tokens = write(captions, Path(a.out) / "tokenizer")
    longest = max(len(PATTERN.findall(c)) for c in captions)
    print(f"{words} words, {tokens} tokens, the longest caption has {longest} words")


if __name__ == "__main__":
    main()
