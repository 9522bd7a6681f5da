// Package picture reads, converts and scales pictures as the Python stack of the published pipelines does.
//
//	file ──► Decode ──► *image.RGBA, opaque ──► Resize ──► Load ──► float32 [3, h, w] in [-1, 1]
//	          └ EXIF orientation, convert("RGB")     └ Pillow's integers   └ LDM's load_img
//
// Three libraries are followed, each to the bit where it computes in integers:
//
//   - Pillow: Image.resize on 8-bit pictures, convert("RGB"), convert("L"), ImageOps.exif_transpose;
//   - libjpeg-turbo, as Pillow uses it: the accurate integer inverse DCT, smooth ("fancy") chroma
//     upsampling and the integer colour conversion;
//   - torch: nn.functional.interpolate of float32 on a CPU, with antialias as torchvision uses it.
//
// Broken files are refused where those libraries warn and go on with grey or guessed pixels.
//
// The versions compared with are named in testdata/make.py.
package picture
