"""Writes names.json, Python's table of HTML 5's named references, and cases.json, random text with references and
what Python's html.unescape makes of it. Made with Python 3.11.

    python make_cases.py
"""

import html
import json
import random
from html.entities import html5

rng = random.Random(1)
NAMES = sorted(html5)
TRAPS = ["&", "&;", "&#", "&#;", "&#x", "&#x;", "&#xZ;", "&#X41", "&nbsp", "&notit;", "&notin;", "&ampamp;", "&amp;amp;", "&amp;#39;", "&#38;amp;", "&&amp;",
         "&lt<b>", "&#99999999999999999999;", "&#x0000000000000000000041;", "&é;", "&eacuté;", "&CounterClockwiseContourIntegral;",
         "&CounterClockwiseContourIntegralx;", "&thisnameislongerthanthirtytwocharacters;", "&copy\t;", "&frac12x", "&frac1;", "&sup", "&sup1", "\r\n"]


def reference():
    k = rng.random()
    if k < 0.5:
        name = rng.choice(NAMES)
        return "&" + rng.choice([name, name, name.upper(), name[: rng.randint(1, len(name))] + rng.choice(["", ";", "x", "=", "é"])])
    code = rng.choice([rng.randint(0, 0xA0), rng.randint(0, 70000), rng.randint(0, 0x120000), 0xD800, 0xDFFF, 0xFDD0, 0xFDF0, 0xFFFE, 0x1FFFF, 0x10FFFF, 0x110000])
    return rng.choice([f"&#{code}", f"&#x{code:x}", f"&#X{code:X}"]) + rng.choice([";", ";", "", "a;", " "])


cases = [[t, html.unescape(t)] for t in TRAPS]
for c in list(range(0xA2)) + [0xFDCF, 0xFDD0, 0xFDEF, 0xFDF0, 0xFFFD, 0xFFFE, 0x1FFFF, 0x10FFFE]:
    cases.append([f"&#{c};", html.unescape(f"&#{c};")])
for _ in range(600):
    s = "".join(rng.choice([reference(), rng.choice(TRAPS), rng.choice(["a", "日本", "x;", " "])]) for _ in range(rng.randint(1, 5)))
    cases.append([s, html.unescape(s)])
with open("cases.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
with open("names.json", "w") as f:
    f.write("{\n" + ",\n".join(f"{json.dumps(n)}: {json.dumps(html5[n])}" for n in NAMES) + "\n}\n")
