package gifti

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/internal/golden"
)

func read1(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestGolden reads what nibabel wrote in all encodings, and by hand what it does not write.
func TestGolden(t *testing.T) {
	want := golden.Open(t, "testdata/expected.safetensors")
	for _, name := range []string{"ASCII.gii", "B64BIN.gii", "B64GZ.gii", "B64GZ.gii.gz", "hand.gii"} {
		f, err := Open(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		key, _, _ := strings.Cut(name, ".")
		for i, a := range f.Arrays {
			ref := fmt.Sprintf("%s.%d", key, i)
			x, err := a.Float64s()
			if err != nil || !slices.Equal(x, golden.Values[float64](want, ref)) || !slices.Equal(a.Shape, want.Shape(ref)) {
				t.Errorf("%s, array %d: %v %v %v, want %v", name, i, a.Shape, x, err, golden.Values[float64](want, ref))
			}
		}
		if key == "hand" {
			if len(f.Arrays) != 40 {
				t.Errorf("%d arrays", len(f.Arrays))
			}
			continue
		}
		if len(f.Arrays) != 5 || f.Meta["made"] != "by <nibabel>" || f.Arrays[0].Meta["AnatomicalStructurePrimary"] != "CortexLeft" {
			t.Errorf("%s: %d arrays, %v, %v", name, len(f.Arrays), f.Meta, f.Arrays[0].Meta)
		}
		labels := []Label{{0, "???", 1, 1, 1, 0}, {1, "V1 & V2", 1, 0, 0.25, 1}, {2, "café", 0, 0.5, 0, 1}}
		if !slices.Equal(f.Labels, labels) {
			t.Errorf("%s: labels %v", name, f.Labels)
		}
		tr := f.Arrays[0].Transforms
		if len(tr) != 1 || tr[0].Space != "NIFTI_XFORM_TALAIRACH" ||
			tr[0].Matrix != [4][4]float64{{1, 0, 0, 0}, {0, 2, 0, 0}, {0, 0, 3, 0}, {0, 0, 0, 1}} {
			t.Errorf("%s: transforms %v", name, tr)
		}
		for i, intent := range []string{"POINTSET", "TRIANGLE", "SHAPE", "LABEL", "NONE"} {
			if a := f.Arrays[i]; a.Intent != "NIFTI_INTENT_"+intent {
				t.Errorf("%s: array %d has intent %s, want %s", name, i, a.Intent, intent)
			}
		}
	}
}

// TestRejects changes one thing of a good file each.
func TestRejects(t *testing.T) {
	plain := string(read1(t, "ASCII.gii"))
	packed := string(read1(t, "B64GZ.gii"))
	for _, c := range []struct{ file, old, new, want string }{
		{plain, "<GIFTI", "<GIFTY", "element \"GIFTY\", expected GIFTI"},
		{plain, "<GIFTI", "hello <GIFTI", "text before the first element"},
		{plain, plain, "", "no element GIFTI"},
		{plain, "</GIFTI>", "", "ends inside the XML"},
		{plain, "</GIFTI>", "</GIFTI><a/>", "more after the end"},
		{plain, "NumberOfDataArrays=\"5\"", "NumberOfDataArrays=\"6\"", "5 arrays, the file says 6"},
		{plain, "NIFTI_TYPE_INT32", "NIFTI_TYPE_RGB24", "data type \"NIFTI_TYPE_RGB24\" cannot be read"},
		{plain, "Dimensionality=\"2\"", "Dimensionality=\"9\"", "dimensionality \"9\""},
		{plain, "Dim0=\"12\"", "Dim0=\"13\"", "values, shape [13 3] needs 39"},
		{plain, "Dim0=\"12\"", "Dim0=\"11\"", "more than the 33 values"},
		{plain, "Dim0=\"12\"", "Dim0=\"1000000000\"", "cannot hold shape [1000000000 3]"},
		{plain, "Dim0=\"12\"", "Dim0=\"-1\"", "Dim0 is \"-1\""},
		{plain, "RowMajorOrder", "ColumnMajorOrder", "text in ColumnMajorOrder"},
		{plain, "RowMajorOrder", "AnyOrder", "array order \"AnyOrder\""},
		{plain, "Encoding=\"ASCII\"", "Encoding=\"ExternalFileBinary\"", "data in another file"},
		{plain, "Encoding=\"ASCII\"", "Encoding=\"Hex\"", "encoding \"Hex\""},
		{plain, "<Data>", "<Data>x ", "value 0 is \"x\""},
		{plain, "<Data>", "<Data>1</Data><Data>", "cannot hold shape"},
		{plain, "Alpha=\"1\"", "Alpha=\"2\"", "Alpha is \"2\", expected 0 to 1"},
		{plain, "UTF-8", "UTF-16", "character set"},
		{packed, "Endian=\"LittleEndian\"", "Endian=\"Middle\"", "endian \"Middle\""},
		{packed, "<Data>", "<Data>!", "base64: illegal"},
		{packed, "<Data>", "<Data>AAAA", "compressed data: "},
		{packed, "Dim0=\"12\"", "Dim0=\"13\"", "bytes of data, shape [13 3] of NIFTI_TYPE_FLOAT32 needs 156"},
		{packed, "Dim0=\"12\"", "Dim0=\"11\"", "bytes of data, shape [11 3] of NIFTI_TYPE_FLOAT32 needs 132"},
		{packed, "Dim0=\"12\"", "Dim0=\"900000000\"", "of compressed data cannot hold"},
		{packed, "</DataArray>", strings.Repeat("<a>", 20), "elements more than 16 deep"},
	} {
		bad := strings.Replace(c.file, c.old, c.new, 1)
		if bad == c.file {
			t.Fatalf("%q is not in the file", c.old)
		}
		_, err := Parse("the/file", []byte(bad))
		if err == nil || !strings.HasPrefix(err.Error(), "the/file: GIFTI, offset ") || !strings.Contains(err.Error(), c.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", c.new, err, c.want)
		}
	}
	z := read1(t, "B64GZ.gii.gz")
	for n := 0; n < len(z); n += 3 {
		if _, err := Parse("the/file", z[:n]); err == nil {
			t.Fatalf("cut to %d of %d bytes", n, len(z))
		}
	}
	for n := 0; n < len(packed)-len("</GIFTI>"); n += 5 {
		if _, err := Parse("the/file", []byte(packed[:n])); err == nil {
			t.Fatalf("cut to %d of %d bytes", n, len(packed))
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"ASCII.gii", "B64BIN.gii", "B64GZ.gii", "B64GZ.gii.gz"} {
		f.Add(read1(f, name))
	}
	for _, name := range []string{"spellings.gii", "column_text.gii", "scalar.gii", "external.gii"} {
		f.Add(read1(f, "../../../array/testdata/"+name))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		compressed := bytes.HasPrefix(b, []byte{0x1f, 0x8b}) || bytes.Contains(b, []byte("GZip"))
		golden.WithinMemory(t, len(b), compressed, func() {
			g, err := Parse("f", b)
			if err != nil {
				if !strings.HasPrefix(err.Error(), "f: ") || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q", err)
				}
				return
			}
			for _, a := range g.Arrays {
				a.Float64s()
			}
		})
	})
}

// TestExternal refuses what of data in other files cannot be right; package array compares the values of a good one.
func TestExternal(t *testing.T) {
	good := string(read1(t, "../../../array/testdata/external.gii"))
	for _, c := range []struct{ old, new, want string }{
		{`"external.dat"`, `"../external.dat"`, `"../external.dat", expected the name of one beside this one`},
		{`"external.dat"`, `"/external.dat"`, "expected the name of one beside this one"},
		{`"external.dat"`, `"absent.dat"`, `data in another file, "absent.dat": `},
		{`"external.dat"`, `""`, "data in another file, of which no name is given"},
		{`Offset="4"`, `Offset="5"`, `"external.dat", of 28 bytes, expected 24 from 5 on`},
		{`Offset="4"`, `Offset="-4"`, `offset "-4" in another file`},
		{`Dim0="2"`, `Dim0="1000000000"`, "expected 12000000000 from 4 on"},
		{"", "", ""},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.gii")
		if err := os.WriteFile(path, []byte(strings.Replace(good, c.old, c.new, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "external.dat"), make([]byte, 28), 0o666); err != nil {
			t.Fatal(err)
		}
		_, err := Open(path)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), path+": ") ||
			!strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.new, err, c.want)
		}
	}
}

// TestSpellings: what a value means must not be guessed.
func TestSpellings(t *testing.T) {
	packed := string(read1(t, "B64GZ.gii"))
	for _, c := range []struct{ old, new, want string }{
		{`"LittleEndian"`, `"Undef"`, `endian "Undef", expected LittleEndian or BigEndian`},
		{`"LittleEndian"`, `"GIFTI_ENDIAN_UNDEF"`, "expected LittleEndian or BigEndian"},
		{`"GZipBase64Binary"`, `"undef"`, `encoding "undef"`},
		{`"GZipBase64Binary"`, `""`, `encoding ""`},
		{`"NIFTI_TYPE_FLOAT32"`, `"float16"`, `data type "float16" cannot be read`},
		{`"NIFTI_TYPE_FLOAT32"`, `""`, `data type "" cannot be read`},
		{`Dimensionality="2"`, `Dimensionality="0"`, "bytes of data, shape [] of NIFTI_TYPE_FLOAT32 needs 4"},
	} {
		if _, err := Parse("f", []byte(strings.Replace(packed, c.old, c.new, 1))); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.new, err, c.want)
		}
	}
	plain := string(read1(t, "ASCII.gii"))
	at := strings.Index(plain, "NIFTI_INTENT_TRIANGLE")
	at += strings.Index(plain[at:], "<Data>") + len("<Data>")
	rest := strings.TrimLeft(plain[at:], " \n")
	end := strings.IndexAny(rest, " \n")
	for text, whole := range map[string]bool{rest[:end] + ".0": true, rest[:end] + ".": true, rest[:end] + ".5": false, ".0": false} {
		if _, err := Parse("f", []byte(plain[:at]+text+rest[end:])); (err == nil) != whole {
			t.Errorf("%s for a whole number: %v", text, err)
		}
	}
}
