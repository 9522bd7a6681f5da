// Package ftfy repairs text that was decoded in the wrong encoding, and normalises what often comes with it:
// HTML entities, curly quotes, ligatures, full-width letters, control characters.
//
//	text ──► lines ──► entities ──► mojibake ──► C1 controls, ligatures, widths, quotes, line breaks,
//	            ▲                                terminal escapes, control characters, NFC ──┐
//	            └────────────────────── again, until nothing changes ◄──────────────────────┘
//
// Its results are those of fix_text of the Python library ftfy 6.3.1 (Robyn Speer, "ftfy", 2019,
// doi:10.5281/zenodo.2591652) with its default options, which OpenAI's CLIP and the CLIPTokenizer of 2022
// apply to every text. The code is our own; the tables in tables.go and the list of suspicious sequences in
// badness.go are facts of that library, Copyright 2023 Robyn Speer, licensed under the Apache License 2.0,
// https://github.com/rspeer/python-ftfy.
package ftfy
