"""Writes random broken text and what ftfy makes of it, a JSON array of two strings a line.

    python make_cases.py 600 1 > cases.jsonl

More than the committed cases are compared by writing another file cases_*.jsonl beside it, say of 200000 lines.
Made with ftfy 6.3.1 on Python 3.11 (Unicode 14).
"""

import json
import random
import sys
import unicodedata
from html.entities import html5

import ftfy
from ftfy import badness, chardata

assert ftfy.__version__ == "6.3.1"
count, seed = int(sys.argv[1]), int(sys.argv[2])
rng = random.Random(seed)

WORDS = """a photo of the cat café naïve Ångström über straße señor à la carte voilà le travail rock’n’roll “quote” ‘single’
– dash — em… Привет мир Ёлка Ελληνικά γλώσσα ΣΊΣΥΦΟΣ 日本語 テキスト 한국어 텍스트 שלום עולם مرحبا بالعالم हिन्दी ไทย Łódź Škoda ďábel
Žižek İstanbul ışık ğüş ąčęėįšųūž Ő ű 😀 👍🏽 🇯🇵 👩‍🚀 ❤️ ½ ² ³ ① Ⅷ ™ © ® € £ ¥ ° × ÷ ≠ ≤ ∞ √ ﬁ ﬂ ﬃ ŉ ǆ ĳ ＡＢＣ１２３ ﾀｰﾝ ￥ à À às
àquele É Ã Â Ø Ù Í Ÿ ƒ""".split() + ["\u00a0", "\u00ad", "\u3000"]
ENCODINGS = [f"{sloppy}windows-{n}" for sloppy in ("", "sloppy-") for n in (1252, 1251, 1250, 1253, 1254, 1257)]
ENCODINGS += ["latin-1", "macroman", "cp437", "iso-8859-2"]
NAMES = list(html5)
HIGH = [bytes(range(0x80, 0x100)).decode(e) for e in chardata.CHARMAP_ENCODINGS]


def members(classes):
    import re

    r = re.compile("[" + "".join(classes) + "]")
    return [chr(c) for c in range(0x20, 0x10000) if not 0xD800 <= c < 0xE000 and r.match(chr(c))]


MOJIBAKE = members(badness.MOJIBAKE_CATEGORIES.values())
CLUES = members(chardata.UTF8_CLUES.values())
TRAPS = ["Ã ", "Â ", "Ã s ", "Ã quela", "à²²", "â€", "Ø§Ù„", "ГўВЂВx", "вЂ™", "β€™", "×²", "\xc0\x80", "í\xa0½í¸\x80", "í\xa0\x80í°\x1a",
         "í\xa0½í¸?", "À\n", "í\xa0\xbdí\xb8\n", "ð\x9f\x98 ", "ð  ", "Œ", "√±", "‚Äì", "€Ÿ", "&amp;amp;lt;", "&amp;#39;", "&", "&;", "&#;", "&#x;",
         "&nbsp", "&notit;", "&#99999999999999999999;", "&AMP;EACUTE;", "&sz&lig;", "&#38;amp;", "&nLt;", "&semi;", "&#59;"]
JUNK = ["\r\n", "\r", "\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\t", "\ufeff", "\u206a", "\ufff9", "\ufffc", "\u200b", "\u200d", "\u202a", "\ufffd",
        "\x1a", "\u0301", "\u0345", "\u1161\u11a8", "<", "<b>", ">", "\x1b[36;44m", "\x1b[0", "\x1b[\u0663K"]


def any_character():
    while True:
        c = rng.choice([rng.randint(0x80, 0x2FF), rng.randint(0x300, 0x2FFF), rng.randint(0x3000, 0xFFFF), rng.randint(0x10000, 0x1FFFF)])
        if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn":
            return chr(c)


def misread(s):
    """s as UTF-8 in a wrong encoding, once or more, with losses now and then."""
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3])):
        b = s.encode()
        if rng.random() < 0.1:  # surrogates, three bytes each
            units = s.encode("utf-16-le")
            b = "".join(chr(int.from_bytes(units[i : i + 2], "little")) for i in range(0, len(units), 2)).encode("utf-8", "surrogatepass")
        s = b.decode(rng.choice(ENCODINGS), rng.choice(["replace", "replace", "ignore"]))
        k = rng.random()
        if k < 0.15:
            s = s.replace("\xa0", " ")
        elif k < 0.2:
            s = s.replace("\ufffd", "?")
        elif k < 0.25:
            s = s.lower()
        elif k < 0.27:
            s = s.upper()
    return s


def entity():
    k = rng.random()
    if k < 0.6:
        name = rng.choice(NAMES)
        return "&" + rng.choice([name, name, name.upper(), name.lower(), name[: rng.randint(1, len(name))]])
    code = rng.choice([rng.randint(0, 300), rng.randint(0, 70000), rng.randint(0, 0x120000), 59, 38, 60, 0xD800, 0xFFFE])
    return rng.choice([f"&#{code}", f"&#x{code:x}", f"&#X{code:X}"]) + rng.choice([";", ";", "", "a;"])


def several(choices, most):
    return "".join(rng.choice(choices) for _ in range(rng.randint(1, most)))


def broken():
    parts = [
        rng.choices(
            [lambda: rng.choice(WORDS), lambda: misread(" ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 3)))), entity, lambda: rng.choice(JUNK),
             lambda: several(MOJIBAKE, 4), lambda: several(CLUES, 6), lambda: several(rng.choice(HIGH), 6), any_character, lambda: rng.choice(TRAPS),
             lambda: chr(rng.randint(0, 0xA0))],
            [25, 20, 10, 7, 10, 8, 6, 6, 8, 3],
        )[0]()
        for _ in range(rng.randint(1, rng.choice([2, 4, 8])))
    ]
    s = rng.choice(["", " "]).join(parts)
    return misread(s) if rng.random() < 0.06 else s


for _ in range(count):
    s = broken()
    print(json.dumps([s, ftfy.fix_text(s)], ensure_ascii=False).replace("\x7f", "\\u007f"))
