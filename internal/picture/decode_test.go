package picture

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type reference struct {
	Mode   string
	Size   [2]int // width, height
	SHA256 string
}

func TestReadPillow(t *testing.T) {
	var want map[string]reference
	readJSON(t, "testdata/files.json", &want) // by testdata/make.py
	for name, w := range want {
		m, err := Read(filepath.Join("testdata/files", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if got := m.Rect.Max; got.X != w.Size[0] || got.Y != w.Size[1] {
			t.Errorf("%s: %v, Pillow has %v", name, got, w.Size)
		} else if sumRGB(m) != w.SHA256 {
			t.Errorf("%s (%s): pixels differ from Pillow's", name, w.Mode)
		}
		if !m.Opaque() {
			t.Errorf("%s: not opaque", name)
		}
	}
	files, err := os.ReadDir("testdata/files")
	if err != nil || len(files) != len(want) {
		t.Errorf("%d files (%v), files.json has %d", len(files), err, len(want))
	}
}

func TestDecodeRejects(t *testing.T) {
	file := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata/files", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	rgb := file("rgb.png")
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "an empty file, expected a PNG"},
		{"text", "hello, world, this is text", `a file that begins with "hello, world"`},
		{"head alone", rgb[:20], "PNG picture: "},
		{"cut short", rgb[:len(rgb)/2], "PNG picture: "},
		{"huge", rgb[:16] + "\x00\x01\x00\x00\x00\x01\x00\x00" + rgb[24:], "PNG picture: "},
		{"JPEG head alone", "\xff\xd8\xff\xe0", "JPEG picture: "},
		{"JPEG cut short", file("420.jpg")[:600], "JPEG picture: "},
		{"TIFF without directory", "II*\x00\xff\xff\xff\x7f", "TIFF picture: no directory"},
		{"TIFF cut short", file("rgb_lzw.tif")[:900], "TIFF picture: "},
		{"GIF head alone", "GIF89a", "GIF picture: "},
		{"BMP cut short", file("rgb.bmp")[:100], "BMP picture: "},
	} {
		_, err := Decode(c.name, []byte(c.data))
		if err == nil || !strings.HasPrefix(err.Error(), c.name+": ") || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", c.name, err, c.want)
		}
	}
	if _, err := Read("testdata/none.png"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Error(err)
	}
	if _, err := Read("testdata"); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Error(err)
	}
}

func TestIgnoreOrientation(t *testing.T) {
	upright, err := Read("testdata/files/exif1.jpg")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"exif6.jpg", "exif3.jpg", "xmp6.jpg"} {
		m, err := DecodeOptions{IgnoreOrientation: true}.Read("testdata/files/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if sumRGB(m) != sumRGB(upright) {
			t.Errorf("%s: not as its pixels are stored", name)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"rgb.png", "420.jpg", "progressive.jpg"} {
		file, err := os.ReadFile("testdata/files/" + name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Decode(name, file); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What is no picture is told by its first bytes, also where it never ends; a picture is read as it is.
func TestReadFile(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err == nil {
		_, err := ReadFile("/dev/zero")
		if err == nil || !strings.Contains(err.Error(), "/dev/zero: a file that begins with") || !strings.Contains(err.Error(), "expected") {
			t.Errorf("a device: %v", err)
		}
	}
	want := []byte(pngMagic + strings.Repeat("x", 3<<20))
	path := filepath.Join(t.TempDir(), "a.png")
	if err := os.WriteFile(path, want, 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadFile(path); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
	if err := os.Truncate(path, maxFile+1); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "larger than 512 MiB") {
		t.Errorf("a large file: %v", err)
	}
}
