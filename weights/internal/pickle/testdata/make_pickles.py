"""Writes pickles.json: values as every protocol of Python pickles them, and as text. Made with Python 3.11."""
import argparse, base64, collections, json, pathlib, pickle, pickletools

shared = [1, "two"]
cases = {
    "constants": [None, True, False],
    "integers": [0, 1, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -128, -129, -2**31, 2**63 - 1, -2**63],
    "large integers": [2**63, -2**63 - 1, 2**80, -(10**400)],
    "floats": [0.0, -0.0, 1.5, -2.25e300, 5e-324, float("inf"), float("-inf"), 0.1],
    "text": ["", "a", "naïve ☃ \U0001F600", "line\nfeed \\ backslash \\u0041 \r\x00\x1a", "x" * 260],
    "bytes": [b"", b"\x00\xff\n", b"y" * 260],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), ((), ((),))],
    "lists": [[], [1], [7] * 1001],
    "dictionaries": [{}, {"a": 1}, {i: None for i in range(1001)}, {(1, 2): {"b": []}}],
    "sets": [set(), {7}, frozenset(), frozenset({7})],
    "shared": [shared, shared, (shared,), {"k": shared}],
    "ordered": collections.OrderedDict([("b", 1), ("a", 2)]),
    "classes": [dict, collections.OrderedDict, argparse.Namespace],
    "constructed": [argparse.Namespace(x=[1]), complex(1, 2)],
    "bytearray": bytearray(b"abc"),
}


def text(v):
    t = type(v)
    if t is int and not -2**63 <= v < 2**63:
        return "big"
    if v is None or t in (bool, int):
        return str(v)
    if t is float:
        return v.hex()
    if t is str:
        return json.dumps(v)
    if t in (bytes, bytearray):
        return "b" + v.hex()
    if t is tuple:
        return "(" + ",".join(map(text, v)) + ")"
    if t is list:
        return "[" + ",".join(map(text, v)) + "]"
    if t in (dict, collections.OrderedDict):
        return "{" + ",".join(text(k) + ":" + text(x) for k, x in v.items()) + "}"
    if t in (set, frozenset):
        return "<" + ",".join(map(text, v)) + ">"
    if t is type:
        return v.__module__ + "." + v.__qualname__
    return "*" + t.__module__ + "." + t.__qualname__


out = []
for name, value in cases.items():
    pickles = {}
    for protocol in range(6):
        p = pickle.dumps(value, protocol)
        pickles[f"protocol {protocol}"] = base64.b64encode(p).decode()
    pickles["protocol 4, optimized"] = base64.b64encode(pickletools.optimize(pickle.dumps(value, 4))).decode()
    out.append({"name": name, "text": text(value), "pickles": pickles})
path = pathlib.Path(__file__).parent / "pickles.json"
path.write_text(json.dumps(out, separators=(",", ":"), ensure_ascii=False) + "\n")
