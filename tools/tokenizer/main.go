// Command tokenizer compares the ids of tokenizer folders with those that folders.py wrote down: exit status 1 where one
// differs.
//
//	python3 tools/tokenizer/folders.py random folders.jsonl 1000 1
//	go run ./tools/tokenizer folders.jsonl
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"percept/clip"
)

type folder struct {
	Files   map[string]string
	Texts   []string
	IDs     [][]int32
	Padded  [][]int32
	Refused bool
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "expected one argument: a file that folders.py wrote")
		os.Exit(2)
	}
	if err := compare(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func compare(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := json.NewDecoder(bufio.NewReader(file))
	folders, texts, different, both, more := 0, 0, 0, 0, 0
	reasons := map[string]int{}
	for {
		var f folder
		if err := lines.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		folders++
		files := map[string][]byte{}
		for name, text := range f.Files {
			files[name] = []byte(text)
		}
		t, err := clip.NewTokenizerFolder(files)
		switch {
		case err != nil && f.Refused:
			both++
			continue
		case err != nil:
			reason, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "clip: "), `"`)
			reasons[reason]++
			continue
		case f.Refused:
			more++
			continue
		}
		length := t.Length()
		if length == 0 {
			length = 77
		}
		for i, text := range f.Texts {
			texts++
			got := t.Encode(text)
			padded, _ := t.Pad(got, length)
			if !slices.Equal(got, f.IDs[i]) || !slices.Equal(padded, f.Padded[i]) {
				if different++; different <= 5 {
					fmt.Printf("%+q\n got %v\nwant %v\n", text, got, f.IDs[i])
					for name, text := range f.Files {
						if name != "vocab.json" && name != "merges.txt" {
							fmt.Printf("%s %.600s\n", name, text)
						}
					}
				}
			}
		}
	}
	fmt.Printf("%d folders, %d texts, %d different; %d folders refused by both, %d read although the library refuses them\n",
		folders, texts, different, both, more)
	for reason, n := range reasons {
		fmt.Printf("%d refused: %s\n", n, reason)
	}
	if different > 0 {
		return errors.New("ids differ")
	}
	return nil
}
