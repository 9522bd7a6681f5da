// Package look says what a file or folder is: its kind, the arrays in it with their shapes, axes and types, what of Percept
// reads it and what will not. It reads headers, not values.
package look

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"percept/fmri/array"
	"percept/internal/cause"
)

// Report is what At finds. Its JSON is what percept inspect --json prints.
type Report struct {
	Path        string   `json:"path"`
	Kind        string   `json:"kind"`
	Compression string   `json:"compression,omitempty"`
	Bytes       int64    `json:"bytes,omitempty"` // of the file
	Details     []string `json:"details,omitempty"`
	Arrays      []Array  `json:"arrays,omitempty"`
	Rows        string   `json:"rows,omitempty"` // which axis is the samples where the file is a table
	Reads       []string `json:"read_by,omitempty"`
	WillNot     []string `json:"not_read_by,omitempty"`
}

// Array is one array, tensor or picture of a file.
type Array struct {
	Name  string   `json:"name"`
	Shape []int    `json:"shape"`
	Axes  []string `json:"axes,omitempty"`
	Type  string   `json:"type"`
	Bytes int64    `json:"bytes,omitempty"`
	Note  string   `json:"note,omitempty"` // why it cannot be read
}

// At looks at a file or folder. What is of no kind that Percept knows is an error that lists the kinds.
func At(path string) (*Report, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w, expected a file or folder", path, cause.Of(err))
	}
	r := &Report{Path: path}
	if info.IsDir() {
		return r, r.folder()
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: is no regular file, expected one", path)
	}
	r.Bytes = info.Size()
	head, err := firstBytes(path, 512)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, cause.Of(err))
	}
	begins := func(marks ...string) bool {
		return slices.ContainsFunc(marks, func(m string) bool { return bytes.HasPrefix(head, []byte(m)) })
	}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%s: is empty, expected a file of any kind that Percept reads", path)
	case isSafetensors(head):
		return r, r.safetensors()
	case begins("PK\x03\x04") && isTorchZip(path), begins("\x80\x02", "\x80\x03", "\x80\x04", "\x80\x05"):
		return r, r.torch()
	case begins("\x89PNG", "\xff\xd8\xff", "GIF8", "II*\x00", "MM\x00*") || begins("BM") && strings.EqualFold(filepath.Ext(path), ".bmp"):
		return r, r.picture(head)
	case strings.EqualFold(filepath.Ext(path), ".json"):
		return r, r.json()
	case strings.EqualFold(filepath.Ext(path), ".toml"):
		return r, r.experiment()
	}
	return r, r.array()
}

// firstBytes reads the beginning of a file.
func firstBytes(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}

// array describes a file of brain data.
func (r *Report) array() error {
	info, err := array.Inspect(r.Path)
	if err != nil {
		return err
	}
	r.Kind, r.Compression = info.Format, info.Compression
	readable := 0
	for _, a := range info.Arrays {
		r.Arrays = append(r.Arrays, Array{a.Name, a.Shape, a.Axes, a.Type, a.Bytes, a.Note})
		if a.Note == "" {
			readable++
		}
	}
	if readable == 0 {
		r.WillNot = append(r.WillNot, "percept fit, decode (--responses, --features): no array in it can be read")
		return nil
	}
	r.Rows = rows(info)
	at, volumes := "FILE", info.Format == "MGH" || strings.HasPrefix(info.Format, "NIfTI")
	if maps := info.Format == "GIFTI" && !slices.ContainsFunc(info.Arrays, manySided); len(info.Arrays) > 1 && !maps {
		at += ":ARRAY"
	}
	switch shape := info.Arrays[0].Shape; {
	case volumes && framesAxes(shape) > 1:
		r.Rows = ""
		r.WillNot = append(r.WillNot, "percept fit, percept decode: more than one axis after x, y, z, which may all be frames")
		return nil
	case len(info.Arrays) == 1 && !volumes && info.Rows >= 0 && len(shape) < 2:
		r.Rows = ""
		r.Reads = append(r.Reads, "percept fit, percept decode: --images FILE, --groups FILE, --mask FILE")
		return nil
	}
	r.Reads = append(r.Reads, fmt.Sprintf("percept fit, percept decode: --responses %s, --features %s, --images, --groups, --mask", at, at))
	if info.Format == "HDF5" && slices.ContainsFunc(info.Arrays, func(a array.ArrayInfo) bool { return a.Name == "betas" && len(a.Shape) == 4 }) {
		r.Reads = append(r.Reads, "percept nsd prepare, in the place of a session's betas in an NSD tree")
	}
	if strings.HasPrefix(info.Format, "CIFTI") {
		r.WillNot = append(r.WillNot, "--mask by volumes: the places of grayordinates are not read, columns are known by their number")
	}
	return nil
}

func manySided(a array.ArrayInfo) bool { return len(a.Shape) != 1 }

// framesAxes counts the axes after x, y, z that are longer than 1.
func framesAxes(shape []int) int {
	n := 0
	for _, d := range shape[min(3, len(shape)):] {
		if d > 1 {
			n++
		}
	}
	return n
}

// rows says which axis is the samples.
func rows(info array.Info) string {
	first := info.Arrays[0]
	if info.Rows == 3 { // of volumes; a vector's frames are a later axis
		for i, d := range first.Shape[3:] {
			if d > 1 {
				return fmt.Sprintf("axis %d (%s): %d rows", 4+i, first.Axes[3+i], d)
			}
		}
		return "one: the whole volume"
	}
	switch {
	case info.Rows >= 0 && len(first.Shape) > info.Rows && len(first.Axes) > info.Rows:
		n := first.Shape[info.Rows]
		return fmt.Sprintf("axis %d (%s): %d rows", info.Rows+1, first.Axes[info.Rows], n)
	case info.Rows >= 0 && len(first.Shape) >= 2 && len(info.Arrays) == 1:
		return fmt.Sprintf("axis %d: %d rows", info.Rows+1, first.Shape[info.Rows])
	case info.Rows >= 0:
		return fmt.Sprintf("axis %d of the array that is named", info.Rows+1)
	case len(info.Arrays) == 1:
		return "one: the whole array"
	}
	return "each array is one"
}

// json describes the JSON files of models and prepared folders by their names.
func (r *Report) json() error {
	kinds := []struct{ name, kind, reads string }{
		{"tokenizer.json", "tokenizer of transformers", "percept generate, percept features, percept weights convert --tokenizer"},
		{"vocab.json", "CLIP vocabulary", "percept generate, percept features, with merges.txt beside it"},
		{"scheduler_config.json", "noise schedule and sampler of diffusers", "percept generate --sampler auto"},
		{"model_index.json", "index of a diffusers folder", "percept generate --model FOLDER"},
		{"config.json", "configuration of a part of a model", "percept generate --model FOLDER"},
		{"manifest.json", "manifest of percept nsd prepare", "percept fit --responses FOLDER"},
		{"scores.json", "scores of a run", "any program that reads JSON"},
	}
	base := filepath.Base(r.Path)
	for _, k := range kinds {
		if base == k.name {
			r.Kind, r.Reads = "JSON: "+k.kind, []string{k.reads}
			return nil
		}
	}
	if strings.HasSuffix(base, ".diagnosis.json") {
		r.Kind, r.Reads = "JSON: diagnosis of decoded features", []string{"any program that reads JSON"}
		return nil
	}
	return fmt.Errorf("%s: a JSON file of a name that is not known, expected one of a model, a prepared folder or a run", r.Path)
}

func (r *Report) experiment() error {
	head, err := firstBytes(r.Path, 1<<20)
	if err != nil {
		return fmt.Errorf("%s: %w", r.Path, cause.Of(err))
	}
	known := slices.ContainsFunc([]string{"subjects", "[decode]", "[[fit]]", "[simulate]"}, func(key string) bool {
		return bytes.Contains(head, []byte(key))
	})
	if !known {
		return errors.New(r.Path + ": a TOML file without subjects and fits, expected an experiment as percept run --example prints one")
	}
	r.Kind, r.Reads = "experiment", []string{"percept run " + r.Path}
	return nil
}
