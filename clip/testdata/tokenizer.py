"""Writes tokenizer_vocab.json, tokenizer_merges.txt and tokenizer_cases.json.

A small vocabulary is trained on the sentences below with the rule of byte-pair encoding; the expected ids come
from transformers' CLIPTokenizer with that vocabulary. Made with transformers 5.23.0, tokenizers 0.23.3.

    python tokenizer.py
"""

import collections
import json
import random

from transformers import CLIPTokenizer

SENTENCES = """
a photograph of an astronaut riding a horse
a man riding a wave on top of a surfboard
a group of people standing around a kitchen preparing food
two zebras are grazing in a field of tall grass
a red house beside a green tree under a yellow sun
a small boat on a blue lake in front of a mountain at sunset
they're sure we've been there, i'd say; he'll go, she's in, don't i'm
the quick brown fox jumps over the lazy dog
1 2 3 10 20 2022 3.14 50% (approx.) hello... world?! end -- --- !!! ''
startoftext endoftext <| |> naïve café über straße привет мир 日本語 🐱 🐶
""".strip()

PROMPTS = [
    "", " ", "a photograph of an astronaut riding a horse", "A man riding a wave on top of a surfboard.",
    "They're sure we've been there, I'd say; he'll go, she's in, DON'T I'M", "rock'n'roll 'quoted' \"double\" `tick` 's'S''s",
    "3.14159 and 1,000,000 or 50% off at $9.99 (approx.)", "hello...world?!?! --- wait... what???",
    "multiple    spaces\tand\ttabs\nand\nnewlines\r\n end", "   leading and trailing   ", "no\u00a0break\u2003em\u200bzero width\ufeffbom",
    "\x85next\x1cline\u180e\u2028sep\u3000wide", "\x00a\x01\x7f", "Café au lait naïve Ångström", "cafe\u0301 decomposed e\u0301 and n\u0303",
    "ÀÉÎÕÜ ßẞ İstanbul ıstanbul ŒUVRE ŉ ǰ ǅ", "Ελληνικά γλώσσα ΣΊΣΥΦΟΣ ΣΣ", "Привет, мир! Ёлка", "日本語のテキスト 東京 tower 2022年", "한국어 텍스트",
    "مرحبا بالعالم", "हिन्दी में पाठ", "ไทย ภาษา", "🐱 a cat emoji 🐶", "👩\u200d🚀 zwj 👍🏽 🇯🇵", "❤️ ☃ ™ © ®", "&lt;html&gt; AT&amp;T",
    "<|startoftext|> inside <|endoftext|> text", "<|endoftext|>", "a<|endoftext|>b<|startoftext|><|endoftext|>", "<|StartOfText|> x", "<|ENDOFTEXT|>! y!<|EndOfText|>>",
    "<|startoftext|", "e<|endoftext|>\u0301x", "“quotes” ‘single’ – en — em …", "ﬁ ﬀ ½ ² ③ Ⅷ fullwidth ＡＢＣ１２３ ٣ 𝟙", "\u0344 \u212b \u0958", "a" * 64, "ab" * 40 + "!" * 30,
    "the quick brown fox " * 12, "http://example.com/path?query=1&b=2#frag user@mail.com", "x\U0010ffffy\ue000z\ufffd",
]


def byte_letters():
    printable = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, n = {b: chr(b) for b in printable}, 0
    for b in range(256):
        if b not in letters:
            letters[b], n = chr(256 + n), n + 1
    return letters, printable + [b for b in range(256) if b not in printable]


def train(n_merges, letters):
    words = collections.Counter()
    for w in SENTENCES.split():
        s = [letters[b] for b in w.encode()]
        words[tuple(s[:-1] + [s[-1] + "</w>"])] += 1
    merges = []
    while len(merges) < n_merges:
        pairs = collections.Counter()
        for w, c in words.items():
            for p in zip(w, w[1:]):
                pairs[p] += c
        if not pairs:
            break
        best = max(pairs, key=lambda p: (pairs[p], p))
        merges.append(best)
        merged = collections.Counter()
        for w, c in words.items():
            out, i = [], 0
            while i < len(w):
                if w[i : i + 2] == best:
                    out.append(w[i] + w[i + 1])
                    i += 2
                else:
                    out.append(w[i])
                    i += 1
            merged[tuple(out)] += c
        words = merged
    return merges


def random_prompts(n):
    rng = random.Random(0)
    alphabet = list("aeiostrnhdl ABÉéñßΣσİıЖж'.,!?-<|>0123 \t\n\u00a0\u0301\u0308\u200b語猫🐱½²") + ["'s", "'LL", "the ", "<|endoftext|>", "<|StartOfText|>", "riding", "  "]
    return ["".join(rng.choice(alphabet) for _ in range(rng.randint(1, 40))) for _ in range(n)]


letters, order = byte_letters()
merges = train(220, letters)
tokens = [letters[b] for b in order]
tokens += [t + "</w>" for t in tokens] + ["".join(m) for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
vocab = {t: i for i, t in enumerate(tokens)}
assert len(vocab) == len(tokens)
json.dump(vocab, open("tokenizer_vocab.json", "w"), ensure_ascii=False, indent=0)
open("tokenizer_merges.txt", "w").write("#version: 0.2\n" + "\n".join(" ".join(m) for m in merges) + "\n")
tokenizer = CLIPTokenizer(vocab=vocab, merges=merges)
cases = [{"text": p, "ids": tokenizer(p)["input_ids"]} for p in PROMPTS + random_prompts(300)]
with open("tokenizer_cases.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
