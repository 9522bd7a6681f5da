package memlimit

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Files of the kernel's, replaced in tests.
var (
	procDir   = "/proc"
	cgroupDir = "/sys/fs/cgroup"
)

func limits() (all []Limit) {
	var size, anonymous, data int64 // of this process
	if text, err := os.ReadFile(filepath.Join(procDir, "self", "statm")); err == nil {
		var resident, shared, code, lib int64
		if _, err := fmt.Sscan(string(text), &size, &resident, &shared, &code, &lib, &data); err == nil {
			page := int64(os.Getpagesize())
			size, anonymous, data = size*page, (resident-shared)*page, data*page
		}
	}
	for _, r := range []struct {
		resource int
		taken    int64
		from     string
	}{{syscall.RLIMIT_AS, size, "ulimit -v"}, {syscall.RLIMIT_DATA, data, "ulimit -d"}} {
		var l syscall.Rlimit
		if err := syscall.Getrlimit(r.resource, &l); err == nil && l.Cur < unlimited {
			all = append(all, Limit{int64(l.Cur), r.taken, r.from, true})
		}
	}
	if n, ok := cgroupLimit(); ok {
		all = append(all, Limit{n, anonymous, "the memory cgroup", false})
	}
	if n := physical(); n > 0 {
		all = append(all, Limit{n, anonymous, "physical memory", false})
	}
	return all
}

// unlimited is where the kernel's ways to say that there is no limit begin.
const unlimited = 1 << 62

// cgroupLimit is the smallest limit of the process's control group and those around it, of version 2 or 1.
func cgroupLimit() (least int64, ok bool) {
	text, err := os.ReadFile(filepath.Join(procDir, "self", "cgroup"))
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // number, controllers, path
		if len(fields) != 3 {
			continue
		}
		dir, file := cgroupDir, "memory.max"
		if fields[1] != "" {
			if !strings.Contains(","+fields[1]+",", ",memory,") {
				continue
			}
			dir, file = filepath.Join(cgroupDir, "memory"), "memory.limit_in_bytes"
		}
		// A container may see its own group as the root, under whatever path: groups that are not there do not count.
		for path := filepath.Clean("/" + fields[2]); ; path = filepath.Dir(path) {
			if b, err := os.ReadFile(filepath.Join(dir, path, file)); err == nil {
				n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64) // "max" is none
				if err == nil && n < unlimited && (!ok || n < least) {
					least, ok = n, true
				}
			}
			if path == "/" {
				break
			}
		}
	}
	return least, ok
}

// physical is the memory of the machine with its swap space; 0 where it is not known.
func physical() (bytes int64) {
	text, err := os.ReadFile(filepath.Join(procDir, "meminfo"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		var kib int64
		for _, name := range []string{"MemTotal:", "SwapTotal:"} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				if _, err := fmt.Sscan(rest, &kib); err == nil {
					bytes += kib << 10
				}
			}
		}
	}
	return bytes
}
