package nsd

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// StimulusInfo is one line of nsd_stim_info_merged.csv.
type StimulusInfo struct {
	Image  ImageID
	COCO   int    // COCO's image id
	Split  string // "train2017" or "val2017"
	Shared bool
}

// StimulusInfos reads where each image comes from, in file order.
func (d *Dataset) StimulusInfos() ([]StimulusInfo, error) {
	path := d.Paths.StimInfo()
	f, err := os.Open(path)
	if err != nil {
		return nil, missing(path, "the table that leads from images to COCO", err)
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	header, err := r.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	cols, err := columns(header, "cocoId", "cocoSplit", "nsdId")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var infos []StimulusInfo
	seen := make(map[ImageID]bool)
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return infos, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		id, err := whole(rec[cols["nsdId"]])
		if err == nil && id < 0 {
			err = fmt.Errorf("%d is negative", id)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: nsdId: %w", path, line, err)
		}
		coco, err := whole(rec[cols["cocoId"]])
		if err != nil {
			return nil, fmt.Errorf("%s: line %d: cocoId: %w", path, line, err)
		}
		info := StimulusInfo{Image: ImageID(id), COCO: coco, Split: rec[cols["cocoSplit"]]} // nsdId counts from 0
		if c, ok := cols["shared1000"]; ok {
			info.Shared = strings.EqualFold(rec[c], "true") || rec[c] == "1"
		}
		if seen[info.Image] {
			return nil, fmt.Errorf("%s: line %d: nsdId %d is there twice", path, line, id)
		}
		seen[info.Image] = true
		infos = append(infos, info)
	}
}

// Captions reads the captions of the given images (none given: of all), in the order of COCO's files, which are read
// through once. An image without a caption is an error.
func (d *Dataset) Captions(ctx context.Context, images ...ImageID) (map[ImageID][]string, error) {
	infos, err := d.StimulusInfos()
	if err != nil {
		return nil, err
	}
	wanted := make(map[ImageID]bool)
	for _, id := range images {
		wanted[id] = true
	}
	bySplit := make(map[string]map[int][]ImageID) // COCO id to the images cut from it
	found := 0
	for _, in := range infos {
		if images != nil && !wanted[in.Image] {
			continue
		}
		found++
		if bySplit[in.Split] == nil {
			bySplit[in.Split] = make(map[int][]ImageID)
		}
		bySplit[in.Split][in.COCO] = append(bySplit[in.Split][in.COCO], in.Image)
	}
	if images != nil && found < len(wanted) {
		return nil, fmt.Errorf("%s: %d of %d images asked for are not in it", d.Paths.StimInfo(), len(wanted)-found, len(wanted))
	}
	captions := make(map[ImageID][]string)
	var splits []string
	for s := range bySplit {
		splits = append(splits, s)
	}
	slices.Sort(splits)
	for _, split := range splits {
		path := d.Paths.Captions(split)
		err := scanCaptions(ctx, path, func(coco int, text string) {
			for _, id := range bySplit[split][coco] {
				captions[id] = append(captions[id], text)
			}
		})
		if err != nil {
			return nil, err
		}
		for coco, ids := range bySplit[split] {
			if captions[ids[0]] == nil {
				return nil, fmt.Errorf("%s: no caption of COCO image %d, which is image %d (0-based)", path, coco, ids[0])
			}
		}
	}
	return captions, nil
}

// scanCaptions streams through a COCO caption file.
func scanCaptions(ctx context.Context, path string, take func(coco int, text string)) error {
	f, err := os.Open(path)
	if err != nil {
		return missing(path, "COCO's captions of the images", err)
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<20))
	fail := func(err error) error {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("%s: offset %d: the file ends too early", path, dec.InputOffset())
		}
		return fmt.Errorf("%s: offset %d: %w", path, dec.InputOffset(), err)
	}
	open := func(want json.Delim) error {
		tok, err := dec.Token()
		if err == nil && tok != want {
			err = fmt.Errorf("found %v, expected %v", tok, want)
		}
		return err
	}
	if err := open('{'); err != nil {
		return fail(err)
	}
	annotated := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return fail(err)
		}
		if key != "annotations" {
			var skip json.RawMessage
			if err := dec.Decode(&skip); err != nil {
				return fail(err)
			}
			continue
		}
		annotated = true
		if err := open('['); err != nil {
			return fail(err)
		}
		for n := 0; dec.More(); n++ {
			if n%1024 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			var a struct {
				Image   *int    `json:"image_id"`
				Caption *string `json:"caption"`
			}
			if err := dec.Decode(&a); err != nil {
				return fail(err)
			}
			if a.Image == nil || a.Caption == nil {
				return fail(errors.New("annotation without image_id or caption"))
			}
			take(*a.Image, *a.Caption)
		}
		if err := open(']'); err != nil {
			return fail(err)
		}
	}
	if err := open('}'); err != nil {
		return fail(err)
	}
	if !annotated {
		return fmt.Errorf("%s: no \"annotations\" in it", path)
	}
	return nil
}
