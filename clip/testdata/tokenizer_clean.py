"""Writes tokenizer_clean.json: texts and their ids by each cleaning, and ids and their text.

The vocabulary is the small one of tokenizer.py. "transformers" is transformers' CLIPTokenizer of today. "openai" is
what OpenAI's simple_tokenizer does, "ftfy" what CLIPTokenizer of transformers 4.19 does where ftfy is installed,
both written down here with the libraries that they use. Made with transformers 5.23.0, tokenizers 0.23.3, ftfy
6.3.1, regex 2026.11.15, Python 3.11.

    python tokenizer_clean.py
"""

import html
import json
import random

import ftfy
import regex
from tokenizers.models import BPE
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
vocab = json.load(open("tokenizer_vocab.json"))
merges = [tuple(m.split()) for m in open("tokenizer_merges.txt").read().split("\n")[1:] if m]
today = CLIPTokenizer(vocab=vocab, merges=merges)
bpe = BPE(vocab, merges, end_of_word_suffix="</w>", unk_token=END)
pattern = regex.compile(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+", regex.IGNORECASE)
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
letters = {b: chr(b) for b in printable}
for n, b in enumerate(b for b in range(256) if b not in printable):
    letters[b] = chr(256 + n)


def words(text):
    """The ids of a cleaned text."""
    text = regex.sub(r"\s+", " ", text).strip().lower()
    ids = []
    for word in regex.findall(pattern, text):
        if word in (START, END):
            ids.append(vocab[word])
        else:
            ids += [t.id for t in bpe.tokenize("".join(letters[b] for b in word.encode()))]
    return ids


def openai(text):
    return words(html.unescape(html.unescape(ftfy.fix_text(text))).strip())


def slow(text):
    ids = []
    for piece in regex.split(r"(<\|startoftext\|>|<\|endoftext\|>)", text):
        ids += [vocab[piece]] if piece in (START, END) else words(ftfy.fix_text(piece))
    return ids


TEXTS = [
    "", " ", "a photograph of an astronaut riding a horse", "no\u00a0break\u2003em\u200bzero width\ufeffbom", "Ελληνικά γλώσσα ΣΊΣΥΦΟΣ", "ΑΣ ΑΣ: ΑΣ'Σ Σ ΣΑ ΑΣ\u0301",
    "&lt;html&gt; &amp; entities &quot;here&quot;", "AT&amp;T &amp;amp; &amp;amp;amp;lt; double", "a &#39;quoted&#39; &eacute;t&eacute; &EACUTE;", "<b>&amp;</b>\n&lt;",
    "smart “quotes” and ‘single’ – en — em … ellipsis", "Mojibake: cafÃ© â€œhelloâ€\x9d", "ﬁ ligature ﬀ and ½ ² ③ Ⅷ fullwidth ＡＢＣ１２３", "İSTANBUL ǅ ẞ K Å",
    "<|StartOfText|> x <|ENDOFTEXT|>", "a.<|EndOfText|> b", "<|ſtartoftext|> it'ſ 'ﬆ", "&lt;|endoftext|&gt; x", "<|startoftext|>&lt;|endoftext|&gt;<|endoftext|>",
    "&amp; <|endoftext|> &amp; <b>", "Ã <|endoftext|> la", "α\u0345 a\u0345b \u0345", "\x1ca\x1fb\x85c", "&#28;a&#x85;b&#160;c", "e&#x301;", "\x1b[31mred\x1b[0m", "rock’n’roll they’re",
    "\ud55c\uad6d\uc5b4 \u1112\u1161\u11ab", "ï»¿bom", "ÃƒÂ©", "Ð¿Ñ€Ð¸Ð²ÐµÑ‚", "100 Â°C Â£5",
]
rng = random.Random(2)
ALPHABET = list("aeiostrnhd ABÉéßΣσİЖ'.,!-<|>0 \t\n\u00a0\u0301\u200b語🐱½ſ") + ["'S", "the ", END, "<|StartOfText|>", "riding", "&amp;", "&lt;", "Ã©", "â€™", "’", "&eacute", "\u0345"]
TEXTS += ["".join(rng.choice(ALPHABET) for _ in range(rng.randint(1, 25))) for _ in range(70)]

cases = []
for text in TEXTS:
    frame = lambda ids: [vocab[START], *ids, vocab[END]]
    cases.append({"text": text, "transformers": today(text)["input_ids"], "openai": frame(openai(text)), "ftfy": frame(slow(text))})
decoded = []
for i in range(80):
    ids = [rng.choice([rng.randint(0, len(vocab) - 1), rng.randint(128, 255), vocab[END]]) for _ in range(rng.randint(0, 10))]
    decoded.append({"ids": ids, "text": today.decode(ids)})
with open("tokenizer_clean.json", "w") as f:
    f.write('{"cases": [\n' + ",\n".join(json.dumps(c) for c in cases) + '\n],\n"decoded": [\n' + ",\n".join(json.dumps(c) for c in decoded) + "\n]}\n")
