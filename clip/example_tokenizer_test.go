package clip_test

import (
	"fmt"
	"log"
	"os"

	"percept/clip"
)

// A prompt that is too long is cut; what was lost is there to be shown. The vocabulary is a small one, the
// published one cuts words into fewer pieces.
func ExampleTokenizer_Cut() {
	vocab, err := os.ReadFile("testdata/tokenizer_vocab.json")
	if err != nil {
		log.Fatal(err)
	}
	merges, err := os.ReadFile("testdata/tokenizer_merges.txt")
	if err != nil {
		log.Fatal(err)
	}
	tok, err := clip.NewTokenizer(vocab, merges)
	if err != nil {
		log.Fatal(err)
	}
	ids, lost := tok.Cut("A photograph of an astronaut riding a horse", 11)
	fmt.Println(len(ids), "tokens, without:", lost)

	misread := "CafÃ© AU LAIT"
	for _, c := range []clip.Cleaning{clip.CleanTransformers, clip.CleanOpenAI} {
		ids := tok.WithCleaning(c).Encode(misread)
		fmt.Printf("%v: %s\n", c, tok.Decode(ids[1:len(ids)-1]))
	}
	// Output:
	// 11 tokens, without: horse
	// transformers: cafã © au lait
	// openai: café au lait
}
