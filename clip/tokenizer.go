package clip

import "strings"

// The two tokens that frame a text. A text may also contain them: they become these tokens there too.
const (
	StartOfText = "<|startoftext|>"
	EndOfText   = "<|endoftext|>"
)

// A Tokenizer turns text into CLIP's byte-pair tokens, as transformers' CLIPTokenizer does:
//
//	text ──► cleaning, lower case ──► words, single digits, punctuation
//	     ──► bytes as letters, "</w>" on the last ──► merges by rank ──► ids
//
// Added tokens of a folder, such as words that a fine-tuned model was taught, are found before all that.
// It works with any vocabulary and is safe for concurrent use. Letters are those of Unicode 15.0, so that ones that
// were added since may be cut otherwise than by a newer library.
// Source: https://github.com/openai/CLIP/blob/main/clip/simple_tokenizer.py.
type Tokenizer struct {
	*vocabulary
	cleaning Cleaning
}

// WithCleaning returns a tokenizer with the same vocabulary that cleans text in another way.
func (t *Tokenizer) WithCleaning(c Cleaning) *Tokenizer {
	return &Tokenizer{vocabulary: t.vocabulary, cleaning: c}
}

// Cleaning returns how the tokenizer cleans text.
func (t *Tokenizer) Cleaning() Cleaning { return t.cleaning }

// Start returns the id of StartOfText.
func (t *Tokenizer) Start() int32 { return t.start }

// End returns the id of EndOfText.
func (t *Tokenizer) End() int32 { return t.end }

// Padding returns the id that fills up short texts: End, as in Stable Diffusion v1, unless a folder names another.
func (t *Tokenizer) Padding() int32 { return t.padding }

// Length returns how many tokens a padded text has by its folder's model_max_length; 0 where that is not told.
func (t *Tokenizer) Length() int { return t.length }

// Settings says how ids of captions differ from those of the vocabulary alone, for the identity of a model: added tokens,
// another token for padding or for the unknown. It is empty where they do not.
func (t *Tokenizer) Settings() string { return t.unusual }

// Size returns the number of rows that an embedding table for these ids needs.
func (t *Tokenizer) Size() int { return t.size }

// Merges returns the number of merges.
func (t *Tokenizer) Merges() int { return len(t.merges) }

// Token returns the text of an id, with "</w>" where it ends a word; "" for an id without token.
func (t *Tokenizer) Token(id int32) string { return t.tokens[id] }

// Encode returns the ids of a text between Start and End, however many. Bytes that are no UTF-8 count as U+FFFD.
func (t *Tokenizer) Encode(text string) []int32 {
	ids := make([]int32, 1, 2+len(text)/3)
	ids[0] = t.start
	text = strings.ToValidUTF8(text, "\uFFFD")
	token := func(id int32) { ids = append(ids, id) }
	words := func(piece string) { ids = t.appendText(ids, piece) }
	clean := func(piece string) { words(t.cleaning.piece(piece)) }
	switch t.cleaning {
	case CleanOpenAI:
		if len(t.taught) == 0 {
			clean(text)
			break
		}
		t.taught.split(text, clean, token)
	case CleanFtfy:
		t.all.split(text, clean, token)
	default:
		t.given.split(text, func(piece string) { t.cleaned.split(t.cleaning.piece(piece), words, token) }, token)
	}
	return append(ids, t.end)
}

// Pad brings ids to length n: short ones are filled up with Padding, long ones are cut and still end with End; truncated
// says whether tokens were lost. n is at least 2.
func (t *Tokenizer) Pad(ids []int32, n int) (padded []int32, truncated bool) {
	return t.PadWith(ids, n, t.padding)
}

// PadWith is Pad with another id to fill up with; OpenAI's clip.tokenize takes 0.
func (t *Tokenizer) PadWith(ids []int32, n int, fill int32) (padded []int32, truncated bool) {
	padded = make([]int32, max(n, 0))
	for i := copy(padded, ids); i < n; i++ {
		padded[i] = fill
	}
	if len(ids) > n && n > 0 {
		padded[n-1] = t.end
		truncated = true
	}
	return padded, truncated
}

// Cut encodes a text and brings it to length n as Pad does; lost is the end of the text that found no place,
// as Decode writes it, "" if all did. n is at least 2.
func (t *Tokenizer) Cut(text string, n int) (ids []int32, lost string) {
	all := t.Encode(text)
	ids, truncated := t.Pad(all, n)
	if truncated {
		lost = t.Decode(all[n-1 : len(all)-1])
	}
	return ids, lost
}
