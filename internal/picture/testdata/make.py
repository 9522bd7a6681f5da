"""Writes the reference values of this folder: what Pillow and torch make of small pictures.

Made with Pillow 13.0.0 (libjpeg-turbo 3.2.0, libtiff 4.7.2), numpy 2, torch 2.15.0 (CPU), imagecodecs 2026.3.6
(for JPEG samplings that Pillow does not write).
    python make.py            # in this folder

resize.json      SHA-256 of Image.resize's result for noise of given sizes
interpolate.json torch's F.interpolate on a CPU in float32 (base64), or SHA-256 of it for the nearest modes
files.json       SHA-256 of exif_transpose(open(file)).convert("RGB"), and the size, for every file in files/
"""
import base64, hashlib, json, os, struct, zlib

import imagecodecs
import numpy as np
import torch
from PIL import Image, ImageOps, PngImagePlugin, TiffImagePlugin
from torch.nn.functional import interpolate as torch_interpolate

HERE = os.path.dirname(os.path.abspath(__file__))
FILES = os.path.join(HERE, "files")


def noise(n, seed):
    """n bytes of the 64-bit linear congruential generator that the tests have too."""
    out, s = np.empty(n, np.uint8), seed
    for i in range(n):
        s = (s * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        out[i] = s >> 56
    return out


def sha(a):
    return hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()


def scene(w, h, channels=3, seed=1):
    """Smooth colours with edges and some noise: like a photograph, for JPEG's sake."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    planes = []
    for c in range(channels):
        v = 128 + 90 * np.sin(x / (3 + 2 * c) + c) * np.cos(y / (7 - c)) + 60 * ((x + 2 * y) % 17 > 8)
        planes.append(v + noise(w * h, seed + c).reshape(h, w) / 8.0 - 16)
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def resize():
    sizes = [((1, 1), (1, 1)), ((1, 1), (9, 5)), ((7, 5), (7, 5)), ((7, 5), (7, 11)), ((7, 5), (13, 5)), ((7, 5), (1, 1)),
             ((8, 6), (7, 5)), ((8, 6), (4, 3)), ((33, 21), (64, 48)), ((64, 48), (33, 21)), ((97, 61), (96, 32)),
             ((97, 61), (96, 59)), ((97, 61), (96, 58)), ((60, 60), (50, 40)), ((60, 60), (50, 39)), ((60, 60), (70, 50)),
             ((1, 1), (400, 3)), ((1, 40), (40, 1)), ((400, 1), (1, 7)), ((3, 400), (5, 2)), ((85, 85), (64, 64)),
             ((85, 85), (128, 128)), ((106, 106), (56, 56)), ((31, 29), (32, 30)), ((2, 2), (255, 254)), ((50, 50), (49, 51))]
    sizes += [((425, 425), (299, 299))]  # shows Hamming's constants, which are float32
    cases = []
    for i, ((w, h), (ow, oh)) in enumerate(sizes):
        i = 77 if w == 425 else i
        im = Image.fromarray(noise(w * h * 3, i).reshape(h, w, 3))
        for f in Image.Resampling:
            if f.name.startswith("MKS"):
                continue
            cases.append({"in": [w, h], "out": [ow, oh], "seed": i, "filter": f.name.lower(),
                          "sha256": sha(np.array(im.resize((ow, oh), f)))})
    return cases


def interpolate():
    cases = []

    def add(seed, shape, size, mode, scale=None, **how):
        x = noise(int(np.prod(shape)), seed).astype(np.float32).reshape(shape) / 64 - 2
        x = torch.from_numpy(x)
        size = {"size": size} if scale is None else {"scale_factor": scale}
        y = torch_interpolate(x, mode=mode, **size, **how).numpy()
        case = {"seed": seed, "in": shape, "out": list(y.shape[2:]), "mode": mode, "antialias": how.get("antialias", False),
                "align_corners": bool(how.get("align_corners")), "scale": scale or [0, 0]}
        if mode.startswith("nearest"):
            case["sha256"] = sha(y.astype("<f4"))
        else:
            case["base64"] = base64.b64encode(y.astype("<f4").tobytes()).decode()
        cases.append(case)

    for i, (h, w) in enumerate([(1, 1), (7, 64), (10, 90), (3, 425), (14, 49), (33, 100)]):
        for oh, ow in [(1, 1), (14, 128), (7, 63), (30, 97), (11, 512), (41, 299)]:
            for mode in ("nearest", "nearest-exact"):
                add(i, [1, 1, h, w], (oh, ow), mode)
    for mode in ("nearest", "nearest-exact"):
        for f in (0.3, 1.7, 2.0, 3.1):
            add(9, [1, 2, 13, 20], None, mode, scale=[f, f])
    for i, (shape, size) in enumerate([([1, 1, 1, 1], (2, 3)), ([1, 2, 5, 7], (9, 6)), ([2, 1, 11, 9], (4, 4)), ([1, 1, 6, 5], (6, 5)),
                                       ([1, 1, 3, 40], (1, 6)), ([1, 1, 4, 4], (1, 1)), ([1, 1, 7, 3], (13, 7))]):
        for mode in ("bilinear", "bicubic"):
            for aa in (False, True):
                for corners in (False, True):
                    add(20 + i, shape, size, mode, antialias=aa, align_corners=corners)
        add(20 + i, shape, size, "area")
    for mode in ("bilinear", "bicubic"):
        for aa in (False, True):
            add(40, [1, 1, 7, 6], None, mode, scale=[1.3, 0.7], antialias=aa)
    return cases


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def raw_png(w, h, depth, kind, rows, extra=b""):
    head = struct.pack(">IIBBBBB", w, h, depth, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", zlib.compress(b"".join(b"\0" + r for r in rows))) + chunk(b"IEND", b"")


def save(name, im, **how):
    im.save(os.path.join(FILES, name), **how)


def write(name, data):
    with open(os.path.join(FILES, name), "wb") as f:
        f.write(data)


def exif(orientation, order="<"):
    head = b"II*\0" if order == "<" else b"MM\0*"
    return b"Exif\0\0" + head + struct.pack(order + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)


def pngs():
    rgb, rgba = Image.fromarray(scene(19, 13)), Image.fromarray(scene(19, 13, 4))
    save("rgb.png", rgb)
    save("rgba.png", rgba)
    save("gray.png", rgb.convert("L"))
    save("la.png", Image.fromarray(scene(19, 13, 2), "LA"))
    save("bilevel.png", rgb.convert("1"))
    save("palette.png", rgb.quantize(23))
    save("palette4.png", rgb.quantize(11), bits=4)
    save("palette_clear.png", rgb.quantize(16), transparency=3)
    save("rgb_clear.png", rgb, transparency=tuple(int(v) for v in np.array(rgb)[2, 3]))
    for depth in (2, 4):
        write(f"gray{depth}.png", raw_png(13, 5, depth, 0, [noise((13 * depth + 7) // 8, i).tobytes() for i in range(5)]))
    for kind, name, n in ((0, "gray", 2), (2, "rgb", 6), (4, "la", 4), (6, "rgba", 8)):
        write(f"{name}16.png", raw_png(7, 5, 16, kind, [noise(7 * n, i).tobytes() for i in range(5)]))
    low = [bytes(v for k in range(7) for v in (0, 40 * k)) for _ in range(5)]  # below 256: not all white
    write("gray16_low.png", raw_png(7, 5, 16, 0, low))
    write("gray16_clear.png", raw_png(7, 5, 16, 0, low, chunk(b"tRNS", b"\0\x50")))
    # Adam7: seven passes, written by hand.
    a, passes = scene(11, 9), b""
    for y0, x0, dy, dx in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        part = a[y0::dy, x0::dx]
        if part.size:
            passes += b"".join(b"\0" + r.tobytes() for r in part)
    write("adam7.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 11, 9, 8, 2, 0, 0, 1)) + chunk(b"IDAT", zlib.compress(passes)) + chunk(b"IEND", b""))
    for o in (5, 6):
        save(f"exif{o}.png", rgb, exif=exif(o))
    xmp = PngImagePlugin.PngInfo()
    xmp.add_itxt("XML:com.adobe.xmp", '<x tiff:Orientation="8"/>')
    save("xmp8.png", rgb, pnginfo=xmp)
    raw = PngImagePlugin.PngInfo()
    raw.add_text("Raw profile type exif", "\nexif\n%8d\n%s\n" % (len(exif(7)), exif(7).hex()), zip=True)
    save("profile7.png", rgb, pnginfo=raw)
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "caf\u00e9")
    text.add_text("parameters", "a cat\nSteps: 50, Seed: 1", zip=True)
    text.add_itxt("Comment", "\u96ea\u306e\u732b", lang="ja", tkey="\u6ce8")
    text.add_itxt("Long", "\u96ea" * 300, zip=True)
    save("text.png", rgb, pnginfo=text)


def tiffs():
    rgb, rgba = Image.fromarray(scene(37, 23)), Image.fromarray(scene(19, 13, 4))
    for name, how in (("raw", {}), ("lzw", {"compression": "tiff_lzw"}), ("deflate", {"compression": "tiff_adobe_deflate"}), ("packbits", {"compression": "packbits"})):
        save(f"rgb_{name}.tif", rgb, **how)
    save("rgb_predictor.tif", rgb, compression="tiff_lzw", tiffinfo={317: 2})
    save("rgb_strips.tif", rgb, compression="tiff_lzw", strip_size=37 * 3 * 4)
    save("gray.tif", rgb.convert("L"))
    save("palette.tif", rgb.quantize(40))
    save("bilevel.tif", rgb.convert("1"))
    save("bilevel_g4.tif", rgb.convert("1"), compression="group4")
    save("rgba.tif", rgba)  # alpha unassociated
    gray16 = Image.fromarray((noise(19 * 13, 5).astype(np.uint16) * 3).reshape(13, 19))
    save("gray16.tif", gray16)
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[338] = 1  # alpha associated
    save("rgba_associated.tif", rgba, tiffinfo=info)
    for o in (2, 6, 7):
        save(f"orientation{o}.tif", rgb, tiffinfo={274: o})
    # 16-bit grey of which white is 0, by hand.
    v = noise(7 * 5 * 2, 3).astype("<u2").tobytes()[: 7 * 5 * 2]
    tags = [(256, 3, 1, 7), (257, 3, 1, 5), (258, 3, 1, 16), (259, 3, 1, 1), (262, 3, 1, 0), (273, 4, 1, 300), (277, 3, 1, 1), (278, 3, 1, 5), (279, 4, 1, len(v))]
    b = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags) + b"\0\0\0\0"
    write("gray16_inverted.tif", b.ljust(300, b"\0") + v)
    # Big-endian, 16 bits a sample, by hand.
    v = noise(7 * 5 * 6, 3).tobytes()
    tags = [(256, 3, 1, 7 << 16), (257, 3, 1, 5 << 16), (258, 3, 3, 200), (259, 3, 1, 1 << 16), (262, 3, 1, 2 << 16), (273, 4, 1, 300),
            (277, 3, 1, 3 << 16), (278, 3, 1, 5 << 16), (279, 4, 1, len(v))]
    b = b"MM\0*" + struct.pack(">IH", 8, len(tags)) + b"".join(struct.pack(">HHII", *t) for t in tags) + b"\0\0\0\0"
    write("rgb16_be.tif", b.ljust(200, b"\0") + struct.pack(">HHH", 16, 16, 16).ljust(100, b"\0") + v)


def jpegs():
    rgb = Image.fromarray(scene(45, 35))
    for sub in ("444", "422", "420", "440", "411"):
        write(f"{sub}.jpg", imagecodecs.jpeg8_encode(np.array(rgb), level=90, subsampling=sub))
    write("440_9x7.jpg", imagecodecs.jpeg8_encode(scene(9, 7), level=95, subsampling="440"))
    for w, h in ((1, 1), (2, 3), (3, 2), (5, 4), (16, 16), (17, 16), (16, 17), (33, 31)):
        im = Image.fromarray(scene(w, h))
        save(f"420_{w}x{h}.jpg", im, quality=85, subsampling=2)
        save(f"422_{w}x{h}.jpg", im, quality=85, subsampling=1)
    save("q100.jpg", rgb, quality=100, subsampling=0)
    save("q5.jpg", rgb, quality=5)
    save("gray.jpg", rgb.convert("L"))
    save("optimize.jpg", rgb, optimize=True)
    save("progressive.jpg", rgb, quality=92, progressive=True)
    save("progressive_444.jpg", rgb, quality=92, progressive=True, subsampling=0)
    save("progressive_gray.jpg", rgb.convert("L"), progressive=True)
    save("restart.jpg", rgb, restart_marker_blocks=2)
    save("restart_progressive.jpg", rgb, progressive=True, restart_marker_rows=1)
    save("rgb.jpg", rgb, keep_rgb=True, quality=90)
    save("cmyk.jpg", Image.fromarray(scene(21, 18, 4), "CMYK"), quality=90)
    save("cmyk_progressive.jpg", Image.fromarray(scene(21, 18, 4), "CMYK"), quality=90, progressive=True)
    small = Image.fromarray(scene(19, 13))
    for o in range(1, 9):
        save(f"exif{o}.jpg", small, exif=exif(o, "<>"[o % 2]))
    save("xmp6.jpg", small, xmp=b"<x><tiff:Orientation>6</tiff:Orientation></x>")


def others():
    rgb = Image.fromarray(scene(19, 13))
    save("rgb.bmp", rgb)
    save("gray.bmp", rgb.convert("L"))
    save("palette.bmp", rgb.quantize(20))
    save("rgba.bmp", Image.fromarray(scene(19, 13, 4)))
    save("palette.gif", rgb.quantize(20))
    save("clear.gif", rgb.quantize(20), transparency=4)
    save("gray.gif", rgb.convert("L"))
    for name in ("palette", "clear"):  # the same frame on a larger screen
        with open(os.path.join(FILES, f"{name}.gif"), "rb") as f:
            b = bytearray(f.read())
        b[6:10] = struct.pack("<HH", 25, 17)
        at = b.index(b"," + struct.pack("<HHHH", 0, 0, 19, 13))
        b[at + 1 : at + 5] = struct.pack("<HH", 4, 2)
        write(f"part_{name}.gif", b)


def main():
    os.makedirs(FILES, exist_ok=True)
    for f in os.listdir(FILES):
        os.remove(os.path.join(FILES, f))
    for part in (pngs, tiffs, jpegs, others):
        part()
    files = {}
    for f in sorted(os.listdir(FILES)):
        im = ImageOps.exif_transpose(Image.open(os.path.join(FILES, f)))
        files[f] = {"mode": im.mode, "size": list(im.size), "sha256": sha(np.array(im.convert("RGB")))}
    for name, value in (("resize.json", resize()), ("interpolate.json", interpolate()), ("files.json", files)):
        with open(os.path.join(HERE, name), "w") as f:
            json.dump(value, f, indent=0)
            f.write("\n")


if __name__ == "__main__":
    main()
