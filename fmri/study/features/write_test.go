package features

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"percept/fmri"
	"percept/fmri/table"
	"percept/weights/safetensors"
)

// grey is n images whose picture is one pixel of their number and whose captions are two, numbered from 3 in steps of 2 downwards.
func grey(n int) Source {
	s := Source{What: "pixels"}
	for i := range n {
		s.Images = append(s.Images, fmri.ImageID(3+2*(n-1-i)))
	}
	s.Picture = func(id fmri.ImageID) (image.Image, error) {
		m := image.NewGray(image.Rect(0, 0, 1, 1))
		m.SetGray(0, 0, color.Gray{Y: uint8(id)})
		return m, nil
	}
	s.PictureSum = func(context.Context) (string, error) { return "sum of pictures", nil }
	s.Captions = func(context.Context) (map[fmri.ImageID][]string, error) {
		captions := map[fmri.ImageID][]string{}
		for _, id := range s.Images {
			captions[id] = []string{fmt.Sprint(id), "of two"}
		}
		return captions, nil
	}
	return s
}

// pixel is an extractor of two values: the brightness of the pixel, and the number of captions.
func pixel(asked *[]fmri.ImageID) Extractor {
	return Extractor{Name: "pixel", Shape: []int{2, 1}, Meta: map[string]string{"scale": "1"}, Pictures: true, Captions: true,
		Of: func(_ context.Context, images []Image) ([]float32, error) {
			var all []float32
			for _, m := range images {
				if asked != nil {
					*asked = append(*asked, m.ID)
				}
				picture, err := m.Picture()
				if err != nil {
					return nil, err
				}
				all = append(all, float32(picture.(*image.Gray).Pix[0]), float32(len(m.Captions)))
			}
			return all, nil
		}}
}

func bytesOf(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// made writes and checks whether the file had been there.
func made(t *testing.T, path string, e Extractor, s Source, o WriteOptions, there bool) []byte {
	t.Helper()
	upToDate, err := Write(t.Context(), path, e, s, o)
	if err != nil || upToDate != there {
		t.Fatalf("%s: up to date %v, %v, want %v", path, upToDate, err, there)
	}
	return bytesOf(t, path)
}

func TestWrite(t *testing.T) {
	for _, n := range []int{1, 32, 33, 100} {
		for _, dtype := range []safetensors.DType{"", safetensors.F32, safetensors.F16} {
			path, s := filepath.Join(t.TempDir(), "p.safetensors"), grey(n)
			var asked []fmri.ImageID
			last := 0
			o := WriteOptions{DType: dtype, Program: "test 1", Progress: func(done, total int) {
				if done <= last || total != n {
					t.Errorf("progress %d of %d after %d, want up to %d", done, total, last, n)
				}
				last = done
			}}
			made(t, path, pixel(&asked), s, o, false)
			if last != n || !slices.Equal(asked, s.Images) {
				t.Errorf("%d images: progress ended at %d, asked for %v", n, last, asked)
			}
			f, err := table.OpenFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if dtype == "" {
				dtype = safetensors.F32
			}
			if f.Name != "pixel" || !slices.Equal(f.Shape, []int{2, 1}) || f.DType != dtype || !slices.Equal(f.Images, s.Images) {
				t.Errorf("%s %v %s %v", f.Name, f.Shape, f.DType, f.Images)
			}
			for key, want := range map[string]string{"scale": "1", "source": "pixels", "program": "test 1",
				"pictures_sha256": "sum of pictures"} {
				if got := f.Meta[key]; got != want {
					t.Errorf("%s is %q, want %q", key, got, want)
				}
			}
			for _, key := range []string{"kernels", "forms", "captions_sha256"} {
				if f.Meta[key] == "" {
					t.Errorf("nothing is said of %s", key)
				}
			}
			x, err := f.Table().Matrix(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range s.Images {
				if x := x.Row(i); x[0] != float32(uint8(id)) || x[1] != 2 {
					t.Errorf("image %d has %v", id, x)
				}
			}
			f.Close()
			last, asked = 0, nil
			if made(t, path, pixel(&asked), s, o, true); asked != nil {
				t.Errorf("a file that is there asked for %v", asked)
			}
		}
	}
}

// An extractor is asked again only for the chunks that are not there, whether it, a picture or the caller ended the call before.
func TestWriteGoesOn(t *testing.T) {
	const n = 100
	s := grey(n)
	want := made(t, filepath.Join(t.TempDir(), "p.safetensors"), pixel(nil), s, WriteOptions{}, false)
	boom := errors.New("boom")
	for chunk := range 4 {
		path := filepath.Join(t.TempDir(), "p.safetensors")
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		failing := pixel(nil)
		of := failing.Of
		failing.Of = func(ctx context.Context, images []Image) ([]float32, error) {
			if calls++; calls == chunk+1 {
				return nil, boom
			}
			return of(ctx, images)
		}
		if _, err := Write(ctx, path, failing, s, WriteOptions{}); !errors.Is(err, boom) {
			t.Fatalf("error %v, want %v", err, boom)
		}
		if _, err := os.Stat(path); err == nil {
			t.Fatal("an incomplete file has its name")
		}
		// The picture of the last image of the chunk cannot be read.
		unreadable := s
		unreadable.Picture = func(id fmri.ImageID) (image.Image, error) {
			if id == s.Images[min(n, 32*chunk+32)-1] {
				return nil, fmt.Errorf("picture %d: %w", id, boom)
			}
			return s.Picture(id)
		}
		if _, err := Write(ctx, path, pixel(nil), unreadable, WriteOptions{}); !errors.Is(err, boom) {
			t.Fatalf("error %v, want %v", err, boom)
		}
		cancel()
		var asked []fmri.ImageID
		if _, err := Write(ctx, path, pixel(&asked), s, WriteOptions{}); !errors.Is(err, context.Canceled) || asked != nil {
			t.Fatalf("cancelled: asked for %v, %v", asked, err)
		}
		if got := made(t, path, pixel(&asked), s, WriteOptions{}, false); !bytes.Equal(got, want) ||
			!slices.Equal(asked, s.Images[32*chunk:]) {
			t.Errorf("after chunk %d: other bytes than at once, or asked for %d images, want %d", chunk, len(asked), n-32*chunk)
		}
	}
}

func TestWriteShards(t *testing.T) {
	s, dir := grey(150), t.TempDir()
	for _, id := range s.Images {
		s.Names = append(s.Names, fmt.Sprintf("%d.png", id))
	}
	want := made(t, filepath.Join(t.TempDir(), "p.safetensors"), pixel(nil), s, WriteOptions{DType: safetensors.F16}, false)
	var asked []fmri.ImageID
	for k := 3; k >= 1; k-- {
		shard := table.Shard{K: k, N: 3}
		made(t, filepath.Join(dir, table.FileName("pixel", shard)), pixel(&asked), s,
			WriteOptions{DType: safetensors.F16, Shard: shard}, false)
	}
	if len(asked) != 150 {
		t.Errorf("shards asked for %d images, want each once", len(asked))
	}
	files, err := table.ShardFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "whole.safetensors")
	if err := table.Merge(out, files["pixel"], nil); err != nil || !bytes.Equal(bytesOf(t, out), want) {
		t.Errorf("shards merge to other bytes than at once, %v", err)
	}
}

func TestWriteRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.safetensors")
	made(t, path, pixel(nil), grey(40), WriteOptions{}, false)
	for _, c := range []struct {
		name   string
		change func(e *Extractor, s *Source, o *WriteOptions)
		want   string
	}{
		{"other pictures", func(_ *Extractor, s *Source, _ *WriteOptions) {
			s.PictureSum = func(context.Context) (string, error) { return "other", nil }
		}, "another pictures_sha256"},
		{"other captions", func(_ *Extractor, s *Source, _ *WriteOptions) {
			s.Captions = func(context.Context) (map[fmri.ImageID][]string, error) { return nil, nil }
		}, "another captions_sha256"},
		{"another option", func(e *Extractor, _ *Source, _ *WriteOptions) { e.Meta = map[string]string{"scale": "2"} }, "another scale"},
		{"other images", func(_ *Extractor, s *Source, _ *WriteOptions) {
			s.Images = slices.Clone(s.Images)
			slices.Reverse(s.Images)
		}, "another"},
		{"another type", func(_ *Extractor, _ *Source, o *WriteOptions) { o.DType = safetensors.F16 }, "another"},
		{"no type", func(_ *Extractor, _ *Source, o *WriteOptions) { o.DType = safetensors.I32 }, "F16"},
		{"no pictures", func(_ *Extractor, s *Source, _ *WriteOptions) { s.Picture = nil }, "pixel needs pictures"},
		{"no sum of pictures", func(_ *Extractor, s *Source, _ *WriteOptions) { s.PictureSum = nil }, "pixel needs pictures"},
		{"no captions", func(_ *Extractor, s *Source, _ *WriteOptions) { s.Captions = nil }, "pixel needs captions, and none were given"},
		{"no images", func(_ *Extractor, s *Source, _ *WriteOptions) { s.Images = nil }, "0 images"},
		{"sum fails", func(_ *Extractor, s *Source, _ *WriteOptions) {
			s.PictureSum = func(context.Context) (string, error) { return "", errors.New("no sum") }
		}, "no sum"},
		{"captions fail", func(_ *Extractor, s *Source, _ *WriteOptions) {
			s.Captions = func(context.Context) (map[fmri.ImageID][]string, error) { return nil, errors.New("no text") }
		}, "no text"},
	} {
		e, s, o := pixel(nil), grey(40), WriteOptions{}
		c.change(&e, &s, &o)
		if upToDate, err := Write(t.Context(), path, e, s, o); err == nil || upToDate || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: up to date %v, error %v, want one with %q", c.name, upToDate, err, c.want)
		}
	}
	few := pixel(nil)
	few.Of = func(context.Context, []Image) ([]float32, error) { return []float32{1}, nil }
	if _, err := Write(t.Context(), path+"2", few, grey(40), WriteOptions{}); err == nil || !strings.Contains(err.Error(), "1 values") {
		t.Errorf("too few values: %v", err)
	}
}

// What an extractor does not ask for is not read.
func TestWriteReadsWhatIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	s := grey(5)
	e := pixel(nil)
	e.Pictures = false
	e.Of = func(_ context.Context, images []Image) ([]float32, error) {
		if images[0].Picture != nil || len(images[0].Captions) != 2 {
			t.Errorf("image of captions: %+v", images[0])
		}
		return make([]float32, 2*len(images)), nil
	}
	if made(t, filepath.Join(dir, "captions"), e, Source{Images: s.Images, Captions: s.Captions}, WriteOptions{}, false) == nil {
		t.Error("nothing was written")
	}
	e.Pictures, e.Captions = true, false
	e.Of = func(_ context.Context, images []Image) ([]float32, error) {
		if images[0].Picture == nil || images[0].Captions != nil {
			t.Errorf("image of pictures: %+v", images[0])
		}
		return make([]float32, 2*len(images)), nil
	}
	made(t, filepath.Join(dir, "pictures"), e, Source{Images: s.Images, Picture: s.Picture, PictureSum: s.PictureSum}, WriteOptions{},
		false)
}
