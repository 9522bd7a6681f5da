package source

import (
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"percept/internal/golden"
)

// content is what the compressed files of these tests hold.
var content = func() []byte {
	b := make([]byte, 1500)
	for i := range b {
		b[i] = byte(i / 40 * i / 97)
	}
	return b
}()

func packed(t testing.TB, b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Name, w.Comment, w.Extra = "name", "comment", []byte("extra")
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

func zstandard(t testing.TB, b []byte) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.EncodeAll(b, nil)
}

// all reads a file through, as every reader of the formats does.
func all(b []byte) ([]byte, error) {
	f, err := Bytes("the/file", "Test", b)
	if err != nil {
		return nil, err
	}
	s, err := f.Stream()
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var out []byte
	for {
		head, err := s.Head(512)
		if err != nil {
			return nil, err
		}
		if out = append(out, head...); len(head) < 512 {
			return out, s.Drain("the data")
		}
	}
}

// variants are files of the same content, by the name of the compression.
func variants(t testing.TB) map[string][]byte {
	long := packed(t, content)
	long = append(long[:16:16], append([]byte(strings.Repeat("n", 3000)), long[16:]...)...) // into the extra field's neighbour, the name
	z := zstandard(t, content)
	bz, err := os.ReadFile("testdata/content.bz2")
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{"gzip": packed(t, content), "gzip, long name": long, "bzip2": bz, "zstd": z,
		"gzip, members": append(packed(t, content[:99]), packed(t, content[99:])...),
		"zstd, frames":  append(zstandard(t, content[:99]), zstandard(t, content[99:])...),
	}
}

func TestCompressions(t *testing.T) {
	for name, b := range variants(t) {
		f, err := Bytes(name, "Test", b)
		if kind, _, _ := strings.Cut(name, ","); err != nil || f.Compression != kind || !f.Compressed() {
			t.Errorf("%s: %v, compression %q", name, err, f.Compression)
		}
		for _, zeros := range []int{0, 1, 2, 3, 4, 5, 511, 70000} {
			if got, err := all(append(bytes.Clone(b), make([]byte, zeros)...)); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s and %d zero bytes: %d bytes, %v", name, zeros, len(got), err)
			}
		}
		if got, err := all(append(append(bytes.Clone(b), make([]byte, 700)...), b...)); strings.HasPrefix(name, "gzip") &&
			(err != nil || len(got) != 2*len(content)) {
			t.Errorf("%s, zeros and a member: %d bytes, %v", name, len(got), err)
		}
	}
	if got, err := all(content); err != nil || !bytes.Equal(got, content) {
		t.Errorf("not compressed: %v", err)
	}
}

// TestDamage cuts and changes compressed files at every byte (bzip2: every fifth): what comes out is the content or an error,
// never something else.
func TestDamage(t *testing.T) {
	for name, b := range variants(t) {
		joint := map[string]int{"gzip, members": len(packed(t, content[:99])), "zstd, frames": len(zstandard(t, content[:99]))}[name]
		step := 1
		if name == "bzip2" { // whose reader takes 4 MB each time
			step = 5
		}
		for n := 0; n < len(b); n += step {
			got, err := all(b[:n])
			var format *FormatError
			switch {
			case joint > 0 && n == joint && err == nil && bytes.Equal(got, content[:99]): // a whole file of one member
			case n < 10 && !errors.As(err, &format): // too short to be known for a compressed file
			case err == nil:
				t.Errorf("%s cut to %d of %d bytes: %d bytes and no error", name, n, len(b), len(got))
			case !strings.Contains(err.Error(), "cut") && !strings.Contains(err.Error(), "ends"):
				t.Errorf("%s cut to %d bytes: %v", name, n, err)
			}
			damaged := bytes.Clone(b)
			damaged[n] ^= 0x10
			if got, err := all(damaged); err == nil && !bytes.Equal(got, content) && n > 9 {
				t.Errorf("%s with byte %d changed: %d other bytes and no error", name, n, len(got))
			}
		}
		for _, garbage := range []string{"x", "xy", "xyz\x00", "\x00x", "\x00\x00\x00\x00\x00x", "BX", "\x1f", "\x28\xb5"} {
			if _, err := all(append(bytes.Clone(b), garbage...)); err == nil {
				t.Errorf("%s with %q behind: no error", name, garbage)
			}
		}
	}
}

// TestWindow refuses a small file that asks for a large window before memory is taken, and takes a window that fits it.
func TestWindow(t *testing.T) {
	lie := []byte("\x28\xb5\x2f\xfd\x00\x88\x01\x00\x00") // 128 MiB, then an empty last block
	golden.WithinMemory(t, len(lie), true, func() {
		if _, err := all(lie); err == nil || !strings.Contains(err.Error(), "zstd: window size exceeded") {
			t.Errorf("%v", err)
		}
	})
	long := make([]byte, 0, 4096) // raw blocks of a file that may ask for 8 MiB, as level 19 does
	for range 4 {
		long = append(append(long, 0x00, 0x08, 0), content[:256]...)
	}
	if got, err := all(append(append([]byte("\x28\xb5\x2f\xfd\x00\x68"), long...), 1, 0, 0)); err != nil || len(got) != 1024 {
		t.Errorf("8 MiB: %d bytes, %v", len(got), err)
	}
	for _, descriptor := range []byte{0x00, 0x58} { // 1 KiB and 2 MiB
		small := append([]byte("\x28\xb5\x2f\xfd\x00"), descriptor, 0x09, 0, 0, 'x') // one byte as it is, last block
		golden.WithinMemory(t, len(small), true, func() {
			if got, err := all(small); err != nil || string(got) != "x" {
				t.Errorf("window %#x: %q %v", descriptor, got, err)
			}
		})
	}
}

func TestUncompressed(t *testing.T) {
	for path, want := range map[string]string{"a/x.nii.gz": "a/x.nii", "x.img.bz2": "x.img", "x.hdr.zst": "x.hdr", "x.mgz": "x.mgz"} {
		if got := Uncompressed(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func FuzzStream(f *testing.F) {
	for _, b := range variants(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<12 { // of which bzip2 and zstd can make a hundred megabytes
			return
		}
		s, err := Bytes("f", "Test", b)
		if err != nil {
			return
		}
		stream, err := s.Stream()
		if err == nil {
			defer stream.Close()
			_, _ = stream.Head(100)
			err = stream.Skip(1000, "what follows")
		}
		if err == nil {
			err = stream.Drain("the data")
		}
		if err != nil && (!strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("error %q", err)
		}
	})
}
