#!/bin/sh
# transformers 5.24.0: with the padding token "!" of OpenCLIP's text encoders (Stable Diffusion 2), every "!" in a caption is padding.
#
# The vocabulary has two entries for the character: "!" (id 0) inside a word and "!</w>" (id 256) at its end. Padding with id 0 is
# how those encoders were trained, so their folders say pad_token "!". CLIPTokenizer makes it a special token, which is cut out of
# the text before anything else: "wow!" then ends in id 0, where the encoder was trained on 256. One would guess that the
# padding token pads and that captions get the ids that they get with any other padding token.
#
# Seen: ids of "wow!" with pad_token "<|endoftext|>" and with "!" differ, and in the latter the exclamation mark is the id of padding.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q transformers==5.24.0 tokenizers==0.23.3
cd "$dir"
"$dir/env/bin/python" - <<'PY' 2>/dev/null
import importlib.metadata as md
from transformers import CLIPTokenizer

assert md.version("transformers") == "5.24.0"
# A vocabulary of CLIP's layout: the 256 letters, the same at the end of a word, the marks of beginning and end.
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
letters = [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]
words = letters + [c + "</w>" for c in letters] + ["<|startoftext|>", "<|endoftext|>"]
vocab = {w: i for i, w in enumerate(words)}
assert vocab["!"] == 0 and vocab["!</w>"] == 256
ids = {}
for pad in ("<|endoftext|>", "!"):
    t = CLIPTokenizer(vocab=vocab, merges=[], pad_token=pad)
    ids[pad] = t("wow!").input_ids[1:-1]
    print(f"pad_token {pad!r}: {ids[pad]}, padding is {t.pad_token_id}")
assert ids["<|endoftext|>"][-1] == 256, ids
assert ids["!"][-1] == 0, ids
print("as described")
PY
