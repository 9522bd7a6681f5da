package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Where the address space is limited, a command works or says in words that it needs more. tools/limits tries more of both.
func TestLimitedAddressSpace(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "a.png")
	limited := func(kib int, command string) (string, error) {
		p := exec.CommandContext(t.Context(), "sh", "-c", fmt.Sprintf("ulimit -v %d && exec '%s' %s", kib, program, command))
		p.Env = append(os.Environ(), asProgram+"=1")
		said, err := p.CombinedOutput()
		return string(said), err
	}
	worked, refused := 0, 0
	for _, kib := range []int{850_000, 950_000, 1_050_000, 1_150_000, 1_600_000, 1_900_000, 4_000_000} {
		switch said, err := limited(kib, "version"); {
		case err != nil && strings.Contains(said, "ulimit -v"):
			refused++ // at its beginning, as most are of a build with cgo, whose threads take more
			continue
		case err != nil:
			continue // Go's runtime does not begin
		}
		said, err := limited(kib, "generate --prompt cat --steps 2 --out "+out)
		switch {
		case err == nil:
			worked++
		case strings.Contains(said, "goroutine ") || !strings.Contains(said, "ulimit -v"):
			t.Errorf("%d KiB: %v: %s", kib, err, said)
		default:
			refused++
		}
	}
	if worked == 0 || refused == 0 {
		t.Errorf("%d worked and %d were refused, expected some of both", worked, refused)
	}
	said, err := limited(4_000_000, "generate --prompt cat --size 4096x4096 --out "+out)
	if err == nil || !strings.Contains(said, "or less, or a higher limit") || strings.Contains(said, "\n\n") {
		t.Errorf("a picture that does not fit: %v: %s", err, said)
	}
}
