#!/bin/sh
# tokenizers 0.23.3: which of two added tokens that differ in case alone a text gets changes from object to object.
#
# Textual inversion adds tokens such as <Aa>. If two are added that a lower-casing normalizer (CLIP's) makes the same, one would
# guess that the first or the last of them is found, and the same one each time.
#
# Seen: among 200 tokenizers made in one process from the same arguments both ids occur for the same text.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/env"
"$dir/env/bin/pip" install -q tokenizers==0.23.3
"$dir/env/bin/python" - <<'PY'
import importlib.metadata as md
from tokenizers import AddedToken, Tokenizer, models, normalizers

assert md.version("tokenizers") == "0.23.3"
seen = {}
for _ in range(200):
    t = Tokenizer(models.BPE(vocab={"a": 0, "<": 1, ">": 2}, merges=[]))
    t.normalizer = normalizers.Lowercase()
    t.add_tokens([AddedToken("<Aa>", normalized=True), AddedToken("<aA>", normalized=True)])
    ids = tuple(t.encode("<aa>").ids)
    seen[ids] = seen.get(ids, 0) + 1
print(seen)
assert set(seen) == {(3,), (4,)}, seen
print("as described")
PY
