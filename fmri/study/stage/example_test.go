package stage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"percept/fmri/study/stage"
)

// Two stages, of which the second reads what the first has left. Another parameter makes the first again, and with it the
// second; the same parameters make nothing.
func Example() {
	dir, err := os.MkdirTemp("", "run")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	run := func(words string) error {
		r, err := stage.New(dir, "v1")
		if err != nil {
			return err
		}
		defer r.Close()
		stages := []stage.Stage{{
			Name: "words", Output: "words.txt", Params: words,
			Run: func(_ context.Context, tmp string, _ stage.Progress) error {
				return os.WriteFile(tmp, []byte(words), 0o666)
			},
		}, {
			Name: "count", Output: "count.txt", Inputs: []string{"words.txt"},
			Run: func(_ context.Context, tmp string, _ stage.Progress) error {
				b, err := os.ReadFile(r.Path("words.txt"))
				if err != nil {
					return err
				}
				return os.WriteFile(tmp, []byte(fmt.Sprint(len(strings.Fields(string(b))))), 0o666)
			},
		}}
		plans, err := stage.Look(dir, "v1").Plan(stages)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Make {
				fmt.Printf("%s: %s\n", p.Name, p.Why)
			}
		}
		for _, s := range stages {
			if err := r.Do(context.Background(), s); err != nil {
				return err
			}
		}
		fmt.Println("made", r.Ran)
		return nil
	}
	for _, words := range []string{"to see", "to see", "to be seen"} {
		if err := run(words); err != nil {
			fmt.Println(err)
		}
	}
	b, err := os.ReadFile(filepath.Join(dir, "count.txt"))
	fmt.Println(string(b), err)
	// Output:
	// words: not there
	// count: not there
	// made [words count]
	// made []
	// words: what was asked is "to be seen", was "to see"
	// count: words.txt is made anew
	// made [words count]
	// 3 <nil>
}
