package torchfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"percept/weights/internal/pickle"
)

// Pieces of pickles. f32 is a storage of 4 floats; tensor begins the call that makes a tensor of it.
const (
	proto   = "\x80\x02"
	f32     = "(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
	rebuild = "ctorch._utils\n_rebuild_tensor_v2\n"
	hooks   = "\x89ccollections\nOrderedDict\n)R"
	key     = "X\x01\x00\x00\x00x"
)

// tensor is a pickle of {"x": a tensor}; offset, shape and strides are opcodes.
func tensor(offset, shape, strides string) string {
	return proto + "}" + key + rebuild + "(" + f32 + offset + shape + strides + hooks + "tRs."
}

// archive is a zip file of torch with that pickle and members data/0, data/1, ….
func archive(t testing.TB, p string, storages ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	add := func(name, data string) {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "a/" + name, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	add("data.pkl", p)
	for i, s := range storages {
		add("data/"+string(rune('0'+i)), s)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// legacy is the same as a file without zip; the storages have elements of 4 bytes.
func legacy(p string, storages ...string) []byte {
	p = strings.ReplaceAll(p, "K\x04tQ", "K\x04NtQ")
	b := []byte(proto + "\x8a\x0a" + magic + "." + proto + "M\xe9\x03." + proto + "}.")
	b = append(b, p...)
	b = append(b, proto+"]("...)
	for i := range storages {
		b = append(b, "X\x01\x00\x00\x00"+string(rune('0'+i))...)
	}
	b = append(b, "e."...)
	for _, s := range storages {
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s)/4))
		b = append(b, s...)
	}
	return b
}

const sixteen = "0123456789abcdef"

func TestTensorPlaces(t *testing.T) {
	tests := []struct {
		name, pickle string
		want         string // the bytes
		err          string
	}{
		{"all", tensor("K\x00", "K\x04\x85", "K\x01\x85"), sixteen, ""},
		{"a part", tensor("K\x01", "K\x02\x85", "K\x01\x85"), sixteen[4:12], ""},
		{"steps", tensor("K\x01", "K\x02\x85", "K\x02\x85"), sixteen[4:16], ""},
		{"scalar", tensor("K\x03", ")", ")"), sixteen[12:], ""},
		{"empty behind the end", tensor("K\x09", "K\x00\x85", "K\x01\x85"), "", ""},
		{"repeated", tensor("K\x00", "J\xff\xff\xff\x7f\x85", "K\x00\x85"), sixteen[:4], ""},
		{"one too far", tensor("K\x01", "K\x04\x85", "K\x01\x85"), "", "needs 5 elements, its storage \"0\" has 4"},
		{"offset behind the end", tensor("K\x04", ")", ")"), "", "needs 5 elements"},
		{"negative offset", tensor("J\xff\xff\xff\xff", ")", ")"), "", "the offset -1"},
		{"huge offset", tensor("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f", "K\x01\x85", "K\x01\x85"), "", "needs"},
		{"offset of 80 bits", tensor("\x8a\x0a"+magic, "K\x01\x85", "K\x01\x85"), "", "the offset (integer)"},
		{"negative length", tensor("K\x00", "J\xff\xff\xff\xff\x85", "K\x01\x85"), "", "shape: -1"},
		{"negative stride", tensor("K\x03", "K\x04\x85", "J\xff\xff\xff\xff\x85"), "", "strides: -1"},
		{"stride overflow", tensor("K\x01", "K\x03\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), "", "larger than memory"},
		{"product overflow", tensor("K\x00", "\x8a\x05\x00\x00\x00\x00\x01\x8a\x05\x00\x00\x00\x00\x01\x86", "K\x00K\x01\x86"), "",
			"needs 4294967296"},
		{"dimensions without strides", tensor("K\x00", "K\x02K\x02\x86", "K\x01\x85"), "", "2 dimensions and 1 strides"},
		{"shape of text", tensor("K\x00", key+"\x85", "K\x01\x85"), "", "shape: \"x\""},
		{"shape is a number", tensor("K\x00", "K\x04", "K\x01\x85"), "", "shape: a integer"},
		{"65 dimensions", tensor("K\x00", "("+strings.Repeat("K\x01", 65)+"t", "("+strings.Repeat("K\x01", 65)+"t"), "", "65 dimensions"},
		{"not a storage", proto + "}" + key + rebuild + "(NK\x00))" + hooks + "tRs.", "", "the storage is a None"},
		{"too few arguments", proto + "}" + key + rebuild + "(" + f32 + "tRs.", "", "1 arguments, expected 4"},
		{"length is a lie", strings.Replace(tensor("K\x00", "K\x04\x85", "K\x01\x85"), "cpuK\x04", "cpuK\x05", 1), "", "storage"},
		{"storage that is not there", strings.Replace(tensor("K\x00", "K\x04\x85", "K\x01\x85"), "\x01\x00\x00\x000X", "\x01\x00\x00\x009X",
			1), "", "storage"},
		{"storage of a class that is none", strings.Replace(tensor("K\x00", ")", ")"), "FloatStorage", "Tensor", 1), "",
			"persistent id: storage of class torch.Tensor"},
	}
	for _, tt := range tests {
		for how, b := range map[string][]byte{"zip": archive(t, tt.pickle, sixteen), "legacy": legacy(tt.pickle, sixteen)} {
			f, err := Open(b)
			if tt.err != "" || err != nil {
				if err == nil || tt.err == "" || !strings.Contains(err.Error(), tt.err) && !strings.Contains(err.Error(), "persistent id") {
					t.Errorf("%s, %s: error %v, want %s", tt.name, how, err, tt.err)
				}
				continue
			}
			v, _ := f.Root.(*pickle.Dict).Get("x")
			if got, err := v.(*Tensor).Data(); string(got) != tt.want || err != nil {
				t.Errorf("%s, %s: %q, %v, want %q", tt.name, how, got, err, tt.want)
			}
		}
	}
}

// A pickle that calls something is refused by its name, wherever the call stands.
func TestCallsAreRefused(t *testing.T) {
	command := "X\x04\x00\x00\x00true"
	short := func(s string) string { return "\x8c" + string(rune(len(s))) + s }
	tests := []struct{ name, pickle, want string }{
		{"REDUCE", "cposix\nsystem\n" + command + "\x85R.", "calls posix.system"},
		{"GLOBAL of os", "cos\nsystem\n" + command + "\x85R.", "calls os.system"},
		{"STACK_GLOBAL", "\x80\x04" + short("os") + short("system") + "\x93" + short("true") + "\x85R.", "calls os.system"},
		{"STACK_GLOBAL from the memo", "\x80\x04" + short("os") + "\x94" + short("system") + "\x940h\x00h\x01\x93" + short("true") +
			"\x85R.", "calls os.system"},
		{"INST", "(" + command + "ios\nsystem\n.", "calls os.system"},
		{"OBJ", "(cos\nsystem\n" + command + "o.", "calls os.system"},
		{"NEWOBJ", proto + "csubprocess\nPopen\n" + command + "\x85\x81.", "calls subprocess.Popen"},
		{"NEWOBJ_EX", "\x80\x04" + short("subprocess") + short("Popen") + "\x93)}\x92.", "calls subprocess.Popen"},
		{"eval", "cbuiltins\neval\n" + command + "\x85R.", "calls builtins.eval"},
		{"eval of Python 2", "c__builtin__\neval\n" + command + "\x85R.", "calls __builtin__.eval"},
		{"getattr", "cbuiltins\ngetattr\n" + command + "\x85R.", "calls builtins.getattr"},
		{"torch.load again", "ctorch.storage\n_load_from_bytes\n" + command + "\x85R.", "calls torch.storage._load_from_bytes"},
		{"another function of torch._utils", "ctorch._utils\n_import_dotted_name\n" + command + "\x85R.",
			"calls torch._utils._import_dotted_name"},
		{"a function that looks like one of torch._utils", "ctorch._utils\n_rebuild_everything\n" + command + "\x85R.",
			"calls torch._utils._rebuild_everything"},
		{"an unknown class", "cpytorch_lightning.callbacks\nModelCheckpoint\n)R.", "calls pytorch_lightning.callbacks.ModelCheckpoint"},
		{"BUILD of a class", "cos\nenviron\n}b.", "changes os.environ"},
		{"BUILD of a dotted name", proto + "cos\npath.join\n}b.", "changes os.path.join"},
		{"BUILD of a number", "K\x01}b.", "changes a integer"},
		{"BUILD of a storage", proto + f32 + "}b.", "changes a storage"},
		{"copy_reg", "ccopy_reg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.", "calls os.system"},
		{"copy_reg of itself", "ccopy_reg\n_reconstructor\n(ccopy_reg\n_reconstructor\ntR.", "calls copy_reg._reconstructor of a"},
		{"what was made is called", "ccollections\nOrderedDict\n)R)R.", "calls a dictionary"},
		{"a string is called", command + ")R.", "calls a string"},
		{"a callable given to a tensor", "ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n" + command + "\x85}tR.",
			"calls os.system"},
		{"in a persistent id", "(X\x07\x00\x00\x00storage" + "cos\nsystem\n" + command +
			"\x85RX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ.", "calls os.system"},
		{"in a dictionary's key", "}cos\nsystem\n" + command + "\x85RNs.", "calls os.system"},
		{"dropped afterwards", "cos\nsystem\n" + command + "\x85R0N.", "calls os.system"},
		{"in the state of a class that is passed over", "cargparse\nNamespace\n)R}" + key + "cos\nsystem\n" + command + "\x85Rsb.",
			"calls os.system"},
		{"an extension", proto + "\x82\x01.", "calls a copyreg extension"},
	}
	for _, tt := range tests {
		for how, b := range map[string][]byte{
			"zip": archive(t, tt.pickle, sixteen), "legacy": legacy(tt.pickle, sixteen),
			"magic number": []byte(proto + tt.pickle), "protocol": []byte(proto + "\x8a\x0a" + magic + "." + tt.pickle),
			"system": []byte(proto + "\x8a\x0a" + magic + "." + proto + "M\xe9\x03." + tt.pickle),
			"keys":   append(legacyHead("N."), tt.pickle...),
		} {
			_, err := Open(b)
			if err == nil || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, %s: %v", tt.name, how, err)
			}
			if how == "zip" || how == "legacy" {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "refused") {
					t.Errorf("%s, %s: %v, want %s", tt.name, how, err, tt.want)
				}
			}
		}
	}
}

func legacyHead(contents string) []byte {
	b := legacy(contents)
	return b[:len(b)-len(proto+"](e.")]
}

// A class that is mentioned and not called is passed over, and so is what harmless constructors make.
func TestHarmless(t *testing.T) {
	for name, p := range map[string]string{
		"class as a key":   "}cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\nNs.",
		"class as a value": "}" + key + "cos\nsystem\ns.",
		"numpy scalar": "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(X\x02\x00\x00\x00f8K\x00K\x01tR(K\x03" +
			"X\x01\x00\x00\x00<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbc_codecs\nencode\n(X\x01\x00\x00\x00aX\x06\x00\x00\x00" +
			"latin1tRtR.",
		"attribute dictionary":   proto + "cpytorch_lightning.utilities.parsing\nAttributeDict\n)\x81" + key + "K\x01s}b.",
		"list that holds itself": "]q\x00h\x00a.",
		"deque":                  "ccollections\ndeque\n)R(K\x01K\x02e.",
		"set":                    "\x80\x04\x8f(K\x01K\x02\x90.",
		"OrderedDict of pairs":   "ccollections\nOrderedDict\n]]" + key + "aK\x01aa\x85R.",
		"old style class":        "ccopy_reg\n_reconstructor\n(cargparse\nNamespace\nc__builtin__\nobject\nNtR}b.",
	} {
		for how, b := range map[string][]byte{"zip": archive(t, p), "legacy": legacy(p)} {
			if _, err := Open(b); err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
			}
		}
	}
}

func TestContainersRefused(t *testing.T) {
	good, err := os.ReadFile("../../testdata/torch/zip_protocol2.pt")
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile("../../testdata/torch/legacy_protocol2.pt")
	if err != nil {
		t.Fatal(err)
	}
	npz := func(names ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, n := range names {
			if _, err := w.Create(n); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	tar := make([]byte, 1024)
	copy(tar, "storages")
	copy(tar[257:], "ustar")
	tests := []struct {
		name string
		b    []byte
		want string
	}{
		{"zip cut in the directory", good[:len(good)-30], "cut short or damaged"},
		{"zip cut in the data", good[:len(good)/2], "cut short or damaged"},
		{"zip of arrays", npz("x.npy"), "without data.pkl"},
		{"zip of two files", npz("a/data.pkl", "b/data.pkl"), "both"},
		{"damaged pickle", bytes.Replace(slices.Clone(good), []byte("X\x01\x00\x00\x00w"), []byte("X\x01\x00\x00\x00v"), 1),
			"data.pkl\" is damaged"},
		{"unknown byte order", archiveWith(t, "byteorder", "middle"), "byte order \"middle\""},
		{"unknown version", archiveWith(t, "version", "11\n"), "version \"11\""},
		{"version without number", archiveWith(t, "version", "three"), "version \"three\""},
		{"member twice", archiveWith(t, "data.pkl", "N."), "occurs twice"},
		{"storage twice", archiveWith(t, "data/0", sixteen), "occurs twice"},
		{"legacy cut in a storage", old[:len(old)-1], "cut short"},
		{"legacy cut before a storage", old[:len(old)-20], "cut short"},
		{"legacy cut in the contents", old[:200], "contents: pickle"},
		{"another pickle", []byte(proto + "}q\x00X\x01\x00\x00\x00aK\x01s."), "not a file of torch.save"},
		{"protocol of the future", []byte(proto + "\x8a\x0a" + magic + "." + proto + "M\xea\x03."), "version 1002"},
		{"keys that are no list", append(legacyHead("N."), "N."...), "storage keys: a None"},
		{"key twice", append(legacyHead(tensor("K\x00", ")", ")")),
			proto+"](X\x01\x00\x00\x000X\x01\x00\x00\x000e.\x04\x00\x00\x00\x00\x00\x00\x00"+sixteen...), "occurs twice"},
		{"tar", tar, "tar archive"},
	}
	for _, tt := range tests {
		if !Is(tt.b) {
			t.Errorf("%s is not recognised", tt.name)
		}
		if _, err := Open(tt.b); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := Open([]byte("something else")); err == nil {
		t.Error("text was opened")
	}
}

// archiveWith is an archive with one more member.
func archiveWith(t *testing.T, name, data string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, m := range [][2]string{{"data.pkl", "N."}, {"data/0", sixteen}, {name, data}} {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "a/" + m[0], Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(m[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// allocated returns how many bytes Open takes, the least of three times.
func allocated(b []byte) uint64 {
	least := ^uint64(0)
	for range 3 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = Open(b)
		runtime.ReadMemStats(&after)
		least = min(least, after.TotalAlloc-before.TotalAlloc)
	}
	return least
}

// No pickle makes Open take much more than 16 times its length, however much it asks for.
func TestMemoryIsBounded(t *testing.T) {
	const n = 1 << 19
	repeat := func(s string) string { return strings.Repeat(s, n/len(s)) }
	for name, p := range map[string]string{
		"None":             repeat("N"),
		"marks":            repeat("("),
		"lists":            repeat("]"),
		"dictionaries":     repeat("}"),
		"numbers":          repeat("M\xff\xff"),
		"texts":            repeat("\x8c\x01a"),
		"copies":           "K\x01" + repeat("2"),
		"memo":             "N" + repeat("\x94"),
		"sparse memo":      "N" + repeat("r\x00\x00\x00\x10r\x00\x00\x00\x11r\x00\x00\x00\x12") + "r\xff\xff\xff\xff",
		"tuples":           repeat(")\x85"),
		"tuples of tuples": ")" + repeat("\x85"),
		"items":            "]" + repeat("Na"),
		"keys":             "}" + repeat("NNs"),
		"a long text":      "X\xff\xff\xff\x7f" + repeat("a"),
		"a long frame":     "\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f" + repeat("a"),
		"a longer text":    "\x8d\xff\xff\xff\xff\xff\xff\xff\xff" + repeat("a"),
		"escapes":          "V" + repeat("\xff") + "\n",
		"calls":            "ccollections\nOrderedDict\nq\x00" + repeat("h\x00)R"),
		"tensors":          rebuild + "q\x00" + f32 + "q\x01" + repeat("h\x00(h\x01K\x00))tR"),
		"names":            repeat("ca\nb\n"),
		"storages":         repeat(f32),
		"copied lists":     "]q\x00(" + strings.Repeat("N", 1000) + "ecbuiltins\nlist\nq\x01" + repeat("h\x01h\x00\x85R"),
		"a digit string":   "L" + repeat("9") + "L\n",
	} {
		for how, b := range map[string][]byte{"zip": archive(t, p+".", sixteen), "legacy": legacy(p+".", sixteen)} {
			if got, limit := allocated(b), uint64(16*len(b)+2<<20); got > limit {
				t.Errorf("%s, %s: %.1f times the file's size", name, how, float64(got)/float64(len(b)))
			}
		}
	}
}
