package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// Text is one remark in a PNG file: how a picture was made, for instance.
type Text struct {
	Key   string // 1 … 79 Latin-1 characters, such as "parameters"
	Value string
}

const (
	maxText    = 1 << 20  // bytes of one text, as Pillow's MAX_TEXT_CHUNK
	maxTextAll = 64 << 20 // bytes of all, as Pillow's MAX_TEXT_MEMORY
)

const pngMagic = "\x89PNG\r\n\x1a\n"

// EncodePNG writes a picture and remarks on it. The same picture and remarks give the same bytes. A remark is stored as
// tEXt where it is Latin-1, else as iTXt (UTF-8).
func EncodePNG(w io.Writer, m image.Image, text []Text) error {
	var chunks bytes.Buffer
	for _, t := range text {
		kind, data, err := t.encode()
		if err != nil {
			return err
		}
		writeChunk(&chunks, kind, data)
	}
	var file bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.DefaultCompression}
	if err := enc.Encode(&file, m); err != nil {
		return err
	}
	const head = len(pngMagic) + 12 + 13 // up to the end of IHDR
	for _, part := range [][]byte{file.Bytes()[:head], chunks.Bytes(), file.Bytes()[head:]} {
		if _, err := w.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// encode returns a chunk's type and data.
func (t Text) encode() (kind string, data []byte, err error) {
	key, ok := latin1(t.Key)
	if err := checkKey(key, ok); err != nil {
		return "", nil, fmt.Errorf("PNG text key %q: %w", t.Key, err)
	}
	switch {
	case len(t.Value) > maxText:
		return "", nil, fmt.Errorf("PNG text %q: %d bytes, expected at most %d", t.Key, len(t.Value), maxText)
	case !utf8.ValidString(t.Value) || strings.ContainsRune(t.Value, 0):
		return "", nil, fmt.Errorf("PNG text %q: not UTF-8 without NUL, expected text", t.Key)
	}
	key = append(key, 0)
	if value, ok := latin1(t.Value); ok {
		return "tEXt", append(key, value...), nil
	}
	// Not compressed, no language, no translated key.
	return "iTXt", append(append(key, 0, 0, 0, 0), t.Value...), nil
}

// checkKey judges a keyword by PNG's rules (section 11.3.4.2 of the 2003 standard).
func checkKey(key []byte, isLatin1 bool) error {
	switch {
	case !isLatin1 || len(key) == 0 || len(key) > 79:
		return errors.New("expected 1 to 79 Latin-1 characters")
	case key[0] == ' ' || key[len(key)-1] == ' ' || bytes.Contains(key, []byte("  ")):
		return errors.New("expected no space at the ends and none twice")
	}
	for _, c := range key {
		if c < 32 || c > 126 && c < 161 {
			return errors.New("expected printable characters")
		}
	}
	return nil
}

// latin1 encodes text in one byte a character, where it can be; of the control characters it has line feed alone.
func latin1(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 255 || r == 0 || r < 32 && r != '\n' && r != '\t' || r >= 127 && r < 160 {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

func writeChunk(w *bytes.Buffer, kind string, data []byte) {
	w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(data))))
	w.WriteString(kind)
	w.Write(data)
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, data)
	w.Write(binary.BigEndian.AppendUint32(nil, sum))
}

// ReadText returns the remarks of a PNG file (tEXt, zTXt, iTXt), in their order.
func ReadText(path string) ([]Text, error) {
	b, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	return DecodeText(path, b)
}

// DecodeText is ReadText of bytes; name stands in errors.
func DecodeText(name string, b []byte) ([]Text, error) {
	if !bytes.HasPrefix(b, []byte(pngMagic)) {
		return nil, fmt.Errorf("%s: %s, expected a PNG picture", name, beginning(b))
	}
	var list []Text
	left := maxTextAll
	for c, err := range pngChunks(b) {
		if err != nil {
			return nil, fmt.Errorf("%s: PNG picture: %w", name, err)
		}
		switch c.kind {
		case "tEXt", "zTXt", "iTXt":
		default:
			continue
		}
		t, err := parseText(c, min(maxText, left))
		if err != nil {
			return nil, fmt.Errorf("%s: PNG picture: %s chunk: %w", name, c.kind, err)
		}
		left -= len(t.Value)
		list = append(list, t)
	}
	return list, nil
}

type chunk struct {
	kind string
	data []byte
}

// pngChunks yields the chunks of a file up to IEND, or an error where one is cut short or does not match its checksum.
func pngChunks(b []byte) iter.Seq2[chunk, error] {
	return func(yield func(chunk, error) bool) {
		for b = b[len(pngMagic):]; ; {
			if len(b) < 12 || uint64(binary.BigEndian.Uint32(b)) > uint64(len(b)-12) {
				yield(chunk{}, errors.New("the file is cut short, expected an IEND chunk"))
				return
			}
			n := int(binary.BigEndian.Uint32(b))
			c := chunk{string(b[4:8]), b[8 : 8+n]}
			if crc32.ChecksumIEEE(b[4:8+n]) != binary.BigEndian.Uint32(b[8+n:]) {
				yield(c, fmt.Errorf("%q chunk does not match its checksum", c.kind))
				return
			}
			if !yield(c, nil) || c.kind == "IEND" {
				return
			}
			b = b[12+n:]
		}
	}
}

// parseText reads a chunk of text of at most limit bytes.
func parseText(c chunk, limit int) (Text, error) {
	key, rest, ok := bytes.Cut(c.data, []byte{0})
	if !ok || len(key) == 0 || len(key) > 79 {
		return Text{}, errors.New("no key, expected 1 to 79 characters and a NUL")
	}
	t := Text{Key: fromLatin1(key)}
	packed := c.kind == "zTXt"
	if c.kind == "iTXt" {
		if len(rest) < 2 {
			return Text{}, errors.New("cut short after the key")
		}
		packed = rest[0] != 0
		rest = rest[1:] // what is left begins with the method, as in zTXt
	}
	if packed {
		if len(rest) < 1 || rest[0] != 0 {
			return Text{}, fmt.Errorf("%q is compressed by an unknown method, expected 0", t.Key)
		}
	}
	if c.kind != "tEXt" {
		rest = rest[min(1, len(rest)):]
	}
	if c.kind == "iTXt" { // language and translated key
		for range 2 {
			if _, rest, ok = bytes.Cut(rest, []byte{0}); !ok {
				return Text{}, fmt.Errorf("%q is cut short, expected a language and a translated key", t.Key)
			}
		}
	}
	if packed {
		var err error
		if rest, err = inflate(rest, limit); err != nil {
			return Text{}, fmt.Errorf("%q: %w", t.Key, err)
		}
	}
	if len(rest) > limit {
		return Text{}, fmt.Errorf("%q has %d bytes, expected at most %d", t.Key, len(rest), limit)
	}
	if t.Value = string(rest); c.kind != "iTXt" {
		t.Value = fromLatin1(rest)
	} else if !utf8.ValidString(t.Value) {
		return Text{}, fmt.Errorf("%q is not UTF-8", t.Key)
	}
	return t, nil
}

func inflate(b []byte, limit int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, int64(limit)+1))
}

func fromLatin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}
