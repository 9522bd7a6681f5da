package verify

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"percept/clip"
)

const (
	vocabFile   = "tokenizer/bpe_simple_vocab_16e6.txt.gz"
	promptsFile = "tokenizer/prompts.json"
	idsFile     = "tokenizer/ids_77.safetensors"
)

// tokenizerCases are those of CLIP's byte-pair tokenizer.
func tokenizerCases(*set) []testCase {
	prompts := func(cleaning clip.Cleaning, unpadded func(promptCase) []int32, padded ...string) func(c *check) {
		return func(c *check) {
			c.unpadded(cleaning, unpadded)
			for _, array := range padded {
				c.padded(cleaning, array)
			}
		}
	}
	return []testCase{
		{"tokenizer: vocabulary", tokenizerVocabulary},
		{"tokenizer: prompts as transformers", tokenizerPrompts},
		{"tokenizer: padded to the context as transformers", func(c *check) { c.padded(clip.CleanTransformers, "hf_padded_eot") }},
		{"tokenizer: prompts as OpenAI's simple_tokenizer", prompts(clip.CleanOpenAI,
			func(k promptCase) []int32 { return k.OpenAI }, "openai_padded_eot", "openai_tokenize_padded_zero")},
		{"tokenizer: prompts with ftfy, without unescaping", prompts(clip.CleanFtfy,
			func(k promptCase) []int32 { return k.Ftfy }, "ftfy_no_unescape_padded_eot")},
	}
}

// prompts is prompts.json.
type prompts struct {
	Start   int32        `json:"start"`
	End     int32        `json:"end"`
	Pad     int32        `json:"pad"`
	Context int          `json:"context"`
	Cases   []promptCase `json:"cases"`
}

type promptCase struct {
	Prompt       string  `json:"prompt"`
	HF           []int32 `json:"hf_ids_unpadded"`
	OpenAI       []int32 `json:"openai_ids_unpadded"`
	Ftfy         []int32 `json:"ftfy_no_unescape_ids_unpadded"`
	EqualsOpenAI bool    `json:"hf_equals_openai"`
	EqualsFtfy   bool    `json:"hf_equals_ftfy_no_unescape"`
	Tokens       int     `json:"n_tokens"`
	Truncated    bool    `json:"truncated_at_77"`
}

func (c *check) prompts() prompts { return fromJSON[prompts](c, promptsFile) }

func (c *check) tokenizer() *clip.Tokenizer {
	return must(clip.NewTokenizerOpenAI(must(c.set.read(vocabFile))))
}

func tokenizerVocabulary(c *check) {
	spot := fromJSON[struct {
		Size   int               `json:"n_vocab"`
		First  map[string]int32  `json:"first"`
		Some   map[string]int32  `json:"some"`
		Merges int               `json:"n_merges"`
		Bytes  map[string]string `json:"byte_encoder"`
	}](c, "tokenizer/vocab_spot_checks.json")
	t := c.tokenizer()
	c.that(t.Size() == spot.Size, "%d tokens, the reference has %d", t.Size(), spot.Size)
	c.that(t.Merges() == spot.Merges, "%d merges, the reference has %d", t.Merges(), spot.Merges)
	for _, list := range []map[string]int32{spot.First, spot.Some} {
		for token, id := range list {
			c.that(t.Token(id) == token, "token %d is %q, the reference has %q", id, t.Token(id), token)
		}
	}
	for b, letter := range spot.Bytes {
		n := must(strconv.ParseUint(b, 10, 8))
		r, _ := utf8.DecodeRuneInString(letter)
		c.that(clip.ByteLetter(byte(n)) == r, "byte %d is written %q, the reference has %q", n, clip.ByteLetter(byte(n)), letter)
	}
}

func tokenizerPrompts(c *check) {
	p := c.prompts()
	t := c.tokenizer()
	c.that(t.Start() == p.Start && t.End() == p.End && t.End() == p.Pad,
		"start %d, end and padding %d, the reference has %d, %d and %d", t.Start(), t.End(), p.Start, p.End, p.Pad)
	c.unpadded(clip.CleanTransformers, func(k promptCase) []int32 { return k.HF })
	for _, k := range p.Cases {
		if !k.EqualsOpenAI { // the counts below are of OpenAI's ids
			continue
		}
		ids, lost := t.Cut(k.Prompt, p.Context)
		n := len(t.Encode(k.Prompt)) - 2
		c.that(len(ids) == p.Context && n == k.Tokens && (lost != "") == k.Truncated,
			"%q: %d tokens, lost %q; the reference has %d and truncated %v", k.Prompt, n, lost, k.Tokens, k.Truncated)
	}
}

// unpadded compares the ids between start and end of every prompt.
func (c *check) unpadded(cleaning clip.Cleaning, want func(promptCase) []int32) {
	t := c.tokenizer().WithCleaning(cleaning)
	for _, k := range c.prompts().Cases {
		ids := t.Encode(k.Prompt)
		inner := ids[1 : len(ids)-1]
		c.that(slices.Equal(inner, want(k)), "%q: %v, the reference has %v", k.Prompt, inner, want(k))
	}
}

// padded compares the ids of every prompt at the context's length with an array of the reference, whose name says what
// fills the end.
func (c *check) padded(cleaning clip.Cleaning, array string) {
	p := c.prompts()
	fill := p.Pad
	if strings.HasSuffix(array, "_zero") {
		fill = 0
	}
	t := c.tokenizer().WithCleaning(cleaning)
	rows := c.rows(idsFile, array)
	if len(rows) != len(p.Cases) {
		c.problem("%s: %d rows of padded ids for %d prompts", array, len(rows), len(p.Cases))
		return
	}
	for i, k := range p.Cases {
		ids, _ := t.PadWith(t.Encode(k.Prompt), p.Context, fill)
		c.that(slices.Equal(ids, rows[i]), "%s: %q: %v, the reference has %v", array, k.Prompt, ids, rows[i])
	}
}
