package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"percept/weights/safetensors"
)

// torchArchive is a zip file of torch with that pickle and one storage of 16 bytes.
func torchArchive(t testing.TB, p string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range [][2]string{{"a/data.pkl", p}, {"a/data/0", "0123456789abcdef"}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: m[0], Method: zip.Store})
		if err == nil {
			_, err = f.Write([]byte(m[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oneTensor is the pickle of a tensor of 4 floats, which is left in memo 9.
const oneTensor = "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000" +
	"X\x03\x00\x00\x00cpuK\x04tQK\x00K\x04\x85K\x01\x85\x89NtRq\x09"

func TestTorchNames(t *testing.T) {
	str := func(s string) string { return "\x8c" + string(rune(len(s))) + s }
	get := "h\x09"
	tests := []struct{ name, pickle, want string }{
		{"one", oneTensor + ".", "tensor"},
		{"dictionary", oneTensor + "0}(" + str("a") + get + str("b.c") + get + "u.", "a b.c"},
		{"key twice: the last counts", oneTensor + "0}(" + str("a") + get + str("a") + "Nu.", ""},
		{"numbers and classes as keys", oneTensor + "0}(K\x07" + get + "cos\nsystem\n" + get + "u.", "7 os.system"},
		{"keys without a name", oneTensor + "0}(N" + get + "K\x01\x85" + get + "\x88" + get + "G\x3f\xf0\x00\x00\x00\x00\x00\x00" + get +
			"]" + get + "u.", ""},
		{"list", oneTensor + "0](N" + get + get + "e.", "1 2"},
		{"list that holds itself", oneTensor + "0]q\x01(h\x01" + get + "e.", "1"},
		{"dictionary that holds itself", oneTensor + "0}q\x01(" + str("a") + "h\x01" + str("b") + get + "u.", "b"},
		{"state_dict first", oneTensor + "0}(" + str("state_dict") + "}(" + str("a") + get + "u" + str("a") + get + str("x") + get + "u.",
			"a x"},
		{"state_dict that is none", oneTensor + "0}(" + str("state_dict") + "K\x01" + str("x") + get + "u.", "x"},
		{"empty key", oneTensor + "0}" + str("") + "}" + str("a") + get + "ss.", "a"},
		{"nothing", "N.", ""},
		{"set", oneTensor + "0\x8f(" + get + "\x90.", ""},
	}
	for _, tt := range tests {
		s, err := OpenBytes(tt.name, torchArchive(t, tt.pickle))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.Join(s.Names(), " "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		for _, n := range s.Names() {
			if x, err := s.Bytes(n); err != nil || string(x) != "0123456789abcdef" {
				t.Errorf("%s: %s is %q, %v", tt.name, n, x, err)
			}
		}
	}
}

func TestTorchTreesRefused(t *testing.T) {
	str := func(s string) string { return "\x8c" + string(rune(len(s))) + s }
	doubling := "]q\x00" // each list holds the one before twice
	for range 60 {
		doubling += "0](h\x00h\x00eq\x00"
	}
	tests := []struct{ name, pickle, want string }{
		{"one name for two tensors", oneTensor + "0}(" + str("a") + "}" + str("b") + "h\x09s" + str("a.b") + oneTensor + "u.",
			`two tensors are named "a.b"`},
		{"lists that double", doubling + ".", "cannot be unfolded"},
		{"a long list many times", "](" + strings.Repeat("N", 10000) + "eq\x000](" + strings.Repeat("h\x00", 10000) + "e.",
			"cannot be unfolded"},
		{"lists in lists", strings.Repeat("]", 1000) + strings.Repeat("a", 999) + ".", "100 deep"},
		{"tuples in tuples", ")" + strings.Repeat("\x85", 1000) + ".", "100 deep"},
	}
	for _, tt := range tests {
		_, err := OpenBytes(tt.name, torchArchive(t, tt.pickle))
		if err == nil || !strings.Contains(err.Error(), tt.name+": ") || !strings.Contains(err.Error(), tt.want) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
}

// openAllocates returns how many bytes OpenBytes takes, the least of three times.
func openAllocates(b []byte) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = OpenBytes("x", b)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// limit is what OpenBytes may take: 16 times the file's size, and what it needs for any file.
func limit(b []byte) uint64 { return 16*uint64(len(b)) + 2<<20 }

// Naming the tensors takes no more memory than the file gives reason for.
func TestTorchNamesMemory(t *testing.T) {
	const n = 40000
	var keys strings.Builder
	for i := range n {
		fmt.Fprintf(&keys, "\x8c\x04%04xh\x09", i&0xFFFF)
	}
	long := "X\x00\x40\x00\x00" + strings.Repeat("n", 1<<14)
	for name, p := range map[string]string{
		"one tensor under many names": oneTensor + "0}(" + keys.String() + "u.",
		"one tensor many times":       oneTensor + "0](" + strings.Repeat("h\x09", n) + "e.",
		"long names":                  oneTensor + "0}" + long + "}(" + keys.String() + "us.",
		"numbers as names":            oneTensor + "0}(" + strings.Repeat("M\xff\xffh\x09", n) + "u.",
		"lists of a tensor":           oneTensor + "0](" + strings.Repeat("]h\x09a", n) + "e.",
		"one list of many tensors, many times": oneTensor + "0](" + strings.Repeat("h\x09", 2000) + "eq\x010](" +
			strings.Repeat("h\x01", 2000) + "e.",
	} {
		b := torchArchive(t, p)
		if got := openAllocates(b); got > limit(b) {
			t.Errorf("%s: %.1f times the file's size", name, float64(got)/float64(len(b)))
		}
	}
}

// FuzzOpenTorch opens damaged files of both formats and asks for everything in them. No error has two lines, no tensor
// another size than it says, and no file makes Open take more memory than it may.
func FuzzOpenTorch(f *testing.F) {
	files, err := filepath.Glob("testdata/torch/*.*t")
	if err != nil || len(files) < 10 {
		f.Fatalf("no seed corpus: %v", err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(openAll)
}

// FuzzTorchPickle is FuzzOpenTorch for the pickle in a sound archive.
func FuzzTorchPickle(f *testing.F) {
	f.Add([]byte(oneTensor + "."))
	f.Add([]byte(oneTensor + "0}(\x8c\x01ah\x09\x8c\x02bc](h\x09h\x09eu."))
	f.Add([]byte("ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_parameter\nctorch\nTensor\n(" + oneTensor + "\x88Nt}tR."))
	for _, name := range []string{"lightning.ckpt", "nested.pt", "zip_protocol4.pt"} {
		r, err := zip.OpenReader("testdata/torch/" + name)
		if err != nil {
			f.Fatal(err)
		}
		for _, z := range r.File {
			if strings.HasSuffix(z.Name, "data.pkl") {
				b := make([]byte, z.UncompressedSize64)
				m, err := z.Open()
				if err == nil {
					_, err = m.Read(b)
				}
				if err != nil && err.Error() != "EOF" {
					f.Fatal(err)
				}
				f.Add(b)
			}
		}
		r.Close()
	}
	f.Fuzz(func(t *testing.T, p []byte) { openAll(t, torchArchive(t, string(p))) })
}

func openAll(t *testing.T, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := OpenBytes("fuzz", b)
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > limit(b) && openAllocates(b) > limit(b) {
		t.Errorf("%d bytes taken for a file of %d", got, len(b))
	}
	if err != nil {
		if strings.ContainsAny(err.Error(), "\n\r") {
			t.Errorf("error of more than one line: %q", err)
		}
		return
	}
	for _, name := range s.Names() {
		dtype, shape, ok := s.Info(name)
		n, err := safetensors.Elements(shape)
		if !ok || err != nil {
			t.Fatalf("%q: %v %v", name, shape, err)
		}
		raw, err := s.Bytes(name)
		if err == nil && len(raw) != n*dtype.Size() {
			t.Errorf("%q: %d bytes for %s %v", name, len(raw), dtype, shape)
		}
		if x, err2 := s.Float32(name); (err == nil) != (err2 == nil) || err == nil && len(x) != n {
			t.Errorf("%q: %d values for %v, %v and %v", name, len(x), shape, err, err2)
		}
	}
	_, _ = s.UseEMA()
	_ = s.Check()
	_ = s.Verify(t.Context())
}
