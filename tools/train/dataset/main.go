// Command dataset draws scenes for training and testing the embedded model.
//
//	go run ./tools/train/dataset -n 20000 -size 96 -seed 1 -out DIR
//
// It writes images.u8 (n, size, size, 3 bytes), captions.jsonl (an array of captions per line),
// labels.f32 (n rows of little-endian float32) and meta.json. Scene i depends on the seed and
// on i alone. Different seeds share no scene.
package main

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"percept/fmri/sim/scene"
)

func main() {
	n := flag.Int("n", 20000, "number of scenes")
	size := flag.Int("size", 96, "side of a picture, in pixels")
	seed := flag.Uint64("seed", 1, "seed of the scenes")
	captions := flag.Int("captions", 5, "captions per scene")
	out := flag.String("out", "", "folder to write to")
	flag.Parse()
	if *out == "" || *n < 1 || *size < 8 || *captions < 1 || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(*out, *n, *size, *captions, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "dataset:", err)
		os.Exit(1)
	}
}

func write(dir string, n, size, captions int, seed uint64) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	images, labels, text := newFile(dir, "images.u8"), newFile(dir, "labels.f32"), newFile(dir, "captions.jsonl")
	encoder := json.NewEncoder(text)
	for i := range n {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		s := scene.Random(r)
		img := s.Draw(size)
		row := make([]byte, 0, 3*size*size)
		for p := 0; p < len(img.Pix); p += 4 {
			row = append(row, img.Pix[p:p+3]...)
		}
		if _, err := images.Write(row); err != nil {
			return err
		}
		if err := binary.Write(labels, binary.LittleEndian, s.Labels()); err != nil {
			return err
		}
		if err := encoder.Encode(s.Captions(r, captions)); err != nil {
			return err
		}
	}
	for _, f := range []*file{images, labels, text} {
		if err := f.close(); err != nil {
			return err
		}
	}
	meta, err := json.MarshalIndent(map[string]any{
		"n": n, "size": size, "seed": seed, "captions": captions, "labels": scene.LabelNames}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "meta.json"), append(meta, '\n'), 0o644)
}

// file is a buffered file that keeps its first error.
type file struct {
	io.Writer
	buf *bufio.Writer
	f   *os.File
	err error
}

func newFile(dir, name string) *file {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return &file{Writer: failing{err}, err: err}
	}
	buf := bufio.NewWriterSize(f, 1<<20)
	return &file{Writer: buf, buf: buf, f: f}
}

func (f *file) close() error {
	if f.err != nil {
		return f.err
	}
	if err := f.buf.Flush(); err != nil {
		return err
	}
	return f.f.Close()
}

// failing is the writer of a file that could not be made.
type failing struct{ err error }

func (w failing) Write([]byte) (int, error) { return 0, w.err }
