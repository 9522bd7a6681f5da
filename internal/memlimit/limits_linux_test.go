package memlimit

import (
	"os"
	"path/filepath"
	"testing"
)

// tree writes files of the kernel's below a folder.
func tree(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	proc, cgroup := procDir, cgroupDir
	procDir, cgroupDir = filepath.Join(dir, "proc"), filepath.Join(dir, "cgroup")
	t.Cleanup(func() { procDir, cgroupDir = proc, cgroup })
}

func TestCgroupLimit(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		want  int64 // 0: none
	}{
		{"version 2", map[string]string{"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "1000\n"}, 1000},
		{"of the group around", map[string]string{"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "max\n",
			"cgroup/a/memory.max": "500\n"}, 500},
		{"the smaller one", map[string]string{"proc/self/cgroup": "0::/a/b\n", "cgroup/a/b/memory.max": "700\n",
			"cgroup/a/memory.max": "900\n"}, 700},
		{"of a container", map[string]string{"proc/self/cgroup": "0::/kubepods/x\n", "cgroup/memory.max": "300\n"}, 300},
		{"above a container", map[string]string{"proc/self/cgroup": "0::/../x\n", "cgroup/memory.max": "300\n"}, 300},
		{"no limit", map[string]string{"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "max\n"}, 0},
		{"version 1", map[string]string{"proc/self/cgroup": "3:cpu,cpuacct:/x\n5:memory:/slurm/job\n",
			"cgroup/memory/slurm/job/memory.limit_in_bytes": "4096\n", "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 4096},
		{"version 1 without a limit", map[string]string{"proc/self/cgroup": "5:memory:/\n",
			"cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		{"nothing", nil, 0},
		{"something else", map[string]string{"proc/self/cgroup": "x\n::\n0::/\n", "cgroup/memory.max": "much\n"}, 0},
	} {
		tree(t, c.files)
		got, ok := cgroupLimit()
		if got != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %d, %v, expected %d", c.name, got, ok, c.want)
		}
	}
}

func TestPhysical(t *testing.T) {
	tree(t, map[string]string{"proc/meminfo": "MemTotal:       2048 kB\nMemFree: 1 kB\nSwapTotal:       1024 kB\n",
		"proc/self/statm": "1000 300 100 5 0 400 0\n"})
	if got := physical(); got != 3<<20 {
		t.Errorf("%d bytes, expected 3 MiB", got)
	}
	found := false
	for _, l := range limits() {
		if l.From == "physical memory" {
			found = true
			if want := int64(200 * os.Getpagesize()); l.Taken != want || l.Bytes != 3<<20 {
				t.Errorf("%+v, expected %d bytes to be taken", l, want)
			}
		}
	}
	if !found {
		t.Error("no limit by physical memory")
	}
}
