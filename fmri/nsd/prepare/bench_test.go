package prepare

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri/nsd"
	"percept/fmri/sim"
)

// BenchmarkFullSession reads a region of 6000 voxels from one session of NSD's full size, which it writes first (1.1 GB of
// disk, about 20 s). rchar is what the system says was read.
//
//	go test ./fmri/nsd/prepare -run - -bench FullSession
func BenchmarkFullSession(b *testing.B) {
	root := filepath.Join(b.TempDir(), "tree")
	if err := sim.WriteFullSize(b.Context(), root, 1); err != nil {
		b.Fatal(err)
	}
	before := bytesRead(b)
	n := 0
	for b.Loop() {
		n++
		out := filepath.Join(b.TempDir(), "out")
		if _, err := Run(b.Context(), root, out, "bench", Options{Subject: "subj01", ROIs: []string{"streams/early"},
			Sessions: nsd.Sessions{List: []int{1}}, ZScore: true}); err != nil {
			b.Fatal(err)
		}
		if err := os.RemoveAll(out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((bytesRead(b)-before)/float64(n)/1e6, "read-MB/op")
	b.ReportMetric(6000*750*2/1e6, "betas-MB/op")
}

// bytesRead is what the process has read so far, 0 where the system does not say.
func bytesRead(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "rchar: "); ok {
			var x float64
			for _, c := range strings.TrimSpace(n) {
				x = 10*x + float64(c-'0')
			}
			return x
		}
	}
	return 0
}
