package clip

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// folderCase is one of testdata/tokenizer_folders.json, made by tools/tokenizer/folders.py with transformers 5.24: a
// folder's files without its vocabulary, which is that of the other tests, texts, and their ids.
type folderCase struct {
	Files  map[string]string
	Texts  []string
	IDs    [][]int32
	Padded [][]int32
}

func readFolders(t testing.TB) []folderCase {
	t.Helper()
	var cases []folderCase
	if err := json.Unmarshal(readTestdata(t, "tokenizer_folders.json"), &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// smallMerges are the merges of the tests' vocabulary.
func smallMerges(t testing.TB) [][2]string {
	t.Helper()
	merges, err := mergeLines(readTestdata(t, "tokenizer_merges.txt"), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return merges
}

// files puts the vocabulary back.
func (c *folderCase) files(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for name, text := range c.Files {
		switch name {
		case "vocab.json":
			text = string(readTestdata(t, "tokenizer_vocab.json"))
		case "merges.txt":
			lines := strings.SplitAfter(string(readTestdata(t, "tokenizer_merges.txt")), "\n")
			if text == "short" {
				lines = lines[:10] // a pair that is not the vocabulary of the tokenizer.json beside it
			}
			text = strings.Join(lines, "")
		case "tokenizer.json":
			text = fillTokenizerJSON(t, text)
		}
		files[name] = []byte(text)
	}
	return files
}

// fillTokenizerJSON puts the vocabulary into a tokenizer.json, its merges as pairs or as text.
func fillTokenizerJSON(t testing.TB, text string) string {
	t.Helper()
	var j map[string]any
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		t.Fatal(err)
	}
	model := j["model"].(map[string]any)
	var merges []any
	for _, m := range smallMerges(t) {
		if slices.Equal(model["merges"].([]any), []any{"text"}) {
			merges = append(merges, m[0]+" "+m[1])
		} else {
			merges = append(merges, m)
		}
	}
	model["vocab"], model["merges"] = json.RawMessage(readTestdata(t, "tokenizer_vocab.json")), merges
	b, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTokenizerFolder(t *testing.T) {
	kinds := map[string]int{}
	for i, c := range readFolders(t) {
		files := c.files(t)
		tok, err := NewTokenizerFolder(files)
		if err != nil {
			t.Errorf("folder %d: %v", i, err)
			continue
		}
		length := tok.Length()
		if length == 0 {
			length = 77
		}
		for k, text := range c.Texts {
			ids := tok.Encode(text)
			if !slices.Equal(ids, c.IDs[k]) {
				t.Errorf("folder %d: Encode(%+q)\n got %v\nwant %v", i, text, ids, c.IDs[k])
			}
			if padded, _ := tok.Pad(ids, length); !slices.Equal(padded, c.Padded[k]) {
				t.Errorf("folder %d: %+q padded\n got %v\nwant %v", i, text, padded, c.Padded[k])
			}
		}
		kinds[strings.Join(slices.Sorted(maps.Keys(files)), " ")]++
		if tok.Padding() != tok.End() {
			kinds["padding"]++
		}
		if len(tok.taught) > 0 {
			kinds["added"]++
		}
		if (tok.Settings() == "") != (len(tok.taught) == 0 && tok.padding == tok.end && tok.unknown == tok.end) {
			t.Errorf("folder %d: settings %q", i, tok.Settings())
		}
	}
	for _, kind := range []string{"tokenizer.json tokenizer_config.json", "padding", "added"} {
		if kinds[kind] == 0 {
			t.Errorf("no folder with %s", kind)
		}
	}
	t.Log(kinds)
}

// A word that a model was taught stays one token with every cleaning.
func TestTaughtToken(t *testing.T) {
	files := map[string][]byte{"vocab.json": readTestdata(t, "tokenizer_vocab.json"), "merges.txt": readTestdata(t, "tokenizer_merges.txt"),
		"added_tokens.json": []byte(`{"<cat-toy>": 734}`)}
	tok, err := NewTokenizerFolder(files)
	if err != nil {
		t.Fatal(err)
	}
	plain := testTokenizer(t)
	want := append(plain.Encode("a red"), 734)
	want = slices.DeleteFunc(want, func(id int32) bool { return id == plain.End() })
	for _, c := range []Cleaning{CleanTransformers, CleanOpenAI, CleanFtfy} {
		got := tok.WithCleaning(c).Encode("A red  <cat-toy>")
		if !slices.Equal(got, append(slices.Clone(want), plain.End())) {
			t.Errorf("%v: %v, want %v", c, got, want)
		}
	}
	if tok.Size() != 735 || tok.Token(734) != "<cat-toy>" || plain.Settings() != "" {
		t.Errorf("size %d, token %q, %q", tok.Size(), tok.Token(734), plain.Settings())
	}
}

func TestTokenizerFolderRejects(t *testing.T) {
	usual := readFolders(t)
	i := slices.IndexFunc(usual, func(c folderCase) bool {
		return c.Files["tokenizer.json"] != "" && c.Files["tokenizer_config.json"] != ""
	})
	base := usual[i].files(t)
	for _, c := range []struct{ name, file, old, new, says string }{
		{"another model", "tokenizer.json", `"type":"BPE"`, `"type":"Unigram"`, `model.type is "Unigram", expected BPE`},
		{"no end of word", "tokenizer.json", `"\u003c/w\u003e","fuse`, `"","fuse`, `end_of_word_suffix is "", expected "</w>"`},
		{"dropout", "tokenizer.json", `"dropout":null`, `"dropout":0.1`, "model.dropout is 0.1, expected none"},
		{"byte fallback", "tokenizer.json", `"byte_fallback":false`, `"byte_fallback":true`, "byte_fallback is true"},
		{"case kept", "tokenizer.json", `,{"type":"Lowercase"}`, ``, "normalizer is "},
		{"other words", "tokenizer.json", `'ve|`, ``, "pre_tokenizer is "},
		{"blank before", "tokenizer.json", `"add_prefix_space":false,"trim_offsets":true`, `"add_prefix_space":true,"trim_offsets":true`,
			"pre_tokenizer is "},
		{"no frame", "tokenizer.json", `"RobertaProcessing"`, `"ByteLevel"`, "post_processor is "},
		{"a merge of one", "tokenizer.json", `"merges":[`, `"merges":["x",`, "merge 1: "},
		{"left", "tokenizer_config.json", `{`, `{"padding_side":"left",`, `padding_side is "left", expected right`},
		{"cut at the left", "tokenizer_config.json", `{`, `{"truncation_side":"left",`, `truncation_side is "left", expected right`},
		{"another start", "tokenizer_config.json", `"bos_token": "<|startoftext|>"`, `"bos_token": "a"`, `bos_token is "a"`},
		{"split", "tokenizer_config.json", `{`, `{"split_special_tokens": true,`, "split_special_tokens is true, expected false"},
		{"short", "tokenizer_config.json", `"model_max_length": `, `"model_max_length": 1, "was": `, "model_max_length is 1"},
		{"two of one case", "tokenizer_config.json", `{`,
			`{"added_tokens_decoder":{"734":{"content":"<Aa>"},"735":{"content":"<aA>"}},`, `"<Aa>" and "<aA>" are the same`},
		{"a gap", "tokenizer_config.json", `{`, `{"added_tokens_decoder":{"736":{"content":"<aA>"}},`, `"<aA>" has id 736, expected 734`},
		{"no JSON", "tokenizer.json", `{`, `<`, "tokenizer.json: "},
	} {
		files := maps.Clone(base)
		text := string(files[c.file])
		changed := strings.Replace(text, c.old, c.new, 1)
		if changed == text {
			t.Errorf("%s: nothing to change", c.name)
		}
		files[c.file] = []byte(changed)
		_, err := NewTokenizerFolder(files)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") || len(err.Error()) > 300 {
			t.Errorf("%s: %v, want one line that says %q", c.name, err, c.says)
		}
	}
	_, err := NewTokenizerFolder(map[string][]byte{"vocab.json": nil})
	if err == nil || !strings.Contains(err.Error(), "no merges.txt, expected") {
		t.Errorf("half a pair: %v", err)
	}
}

// Opening a tokenizer.json takes no more than 40 times its size, whatever it holds: an added token of 28 bytes is in six tables.
func TestTokenizerFolderAllocates(t *testing.T) {
	var added, vocab strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&added, `{"id":%d,"content":"%x"},`, i+2, i)
		fmt.Fprintf(&vocab, `,"%x":%d`, i, i+2)
	}
	folders := readFolders(t)
	i := slices.IndexFunc(folders, func(c folderCase) bool { return c.Files["tokenizer.json"] != "" })
	base := fillTokenizerJSON(t, folders[i].Files["tokenizer.json"])
	for name, file := range map[string]string{
		"merges as text":  strings.Replace(base, `"merges":[`, `"merges":[`+strings.Repeat(`"x",`, 100_000), 1),
		"merges as pairs": strings.Replace(base, `"merges":[`, `"merges":[`+strings.Repeat(`["a","a"],`, 100_000), 1),
		"lists in lists":  strings.Replace(base, `"merges":[`, `"merges":[`+strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)+`,`, 1),
		"added tokens":    strings.Replace(base, `"added_tokens":[`, `"added_tokens":[`+added.String(), 1),
		"vocabulary":      strings.Replace(base, `"vocab":{`, `"vocab":{"x x":99`+vocab.String()+`,`, 1),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := NewTokenizerFolder(map[string][]byte{"tokenizer.json": []byte(file)})
		runtime.ReadMemStats(&after)
		allocated := int(after.TotalAlloc - before.TotalAlloc)
		t.Logf("%s: %d bytes, %d allocated (%v)", name, len(file), allocated, err)
		if len(file) <= len(base) || err == nil {
			t.Errorf("%s: %d bytes, %v", name, len(file), err)
		}
		if allocated > 40*len(file) {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, allocated, len(file))
		}
	}
}

// Files of any content make a tokenizer that encodes, or an error of one line.
func FuzzNewTokenizerFolder(f *testing.F) {
	for _, c := range readFolders(f) {
		files := c.files(f)
		f.Add(files["tokenizer.json"], files["tokenizer_config.json"], files["special_tokens_map.json"], files["added_tokens.json"])
	}
	f.Fuzz(func(t *testing.T, tokenizer, config, special, added []byte) {
		files := map[string][]byte{"vocab.json": readTestdata(t, "tokenizer_vocab.json"), "merges.txt": readTestdata(t, "tokenizer_merges.txt")}
		for name, b := range map[string][]byte{"tokenizer.json": tokenizer, "tokenizer_config.json": config,
			"special_tokens_map.json": special, "added_tokens.json": added} {
			if len(b) > 0 {
				files[name] = b
			}
		}
		useTokenizer(t, func() (*Tokenizer, error) { return NewTokenizerFolder(files) })
	})
}
