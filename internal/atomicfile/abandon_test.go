package atomicfile

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// What is being written is gone after Abandon, and nothing gets a name any more. It is for the end of a process, and so is
// tried in one of its own.
func TestAbandon(t *testing.T) {
	const mark = "PERCEPT_TEST_ABANDON"
	if dir := os.Getenv(mark); dir != "" {
		f, err := Create(filepath.Join(dir, "a"))
		if err != nil {
			t.Fatal(err)
		}
		Abandon()
		if left := names(t, dir); len(left) != 1 {
			t.Errorf("left %v, expected what was there before", left)
		}
		if err := f.Commit(); err == nil {
			t.Error("a file got its name after Abandon")
		}
		if err := Write(filepath.Join(dir, "b"), nil); err == nil {
			t.Error("a file was written after Abandon")
		}
		f.Abort()
		return
	}
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "before"), []byte("whole")); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestAbandon$")
	c.Env = append(os.Environ(), mark+"="+dir)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if left := names(t, dir); len(left) != 1 || left[0] != "before" {
		t.Errorf("left %v, expected what was there before", left)
	}
}
