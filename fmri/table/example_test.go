package table_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"percept/fmri"
	"percept/fmri/table"
	"percept/tensor/linalg"
)

// Responses of four voxels to three images, in memory, with what is known of them.
func ExampleNew() {
	values := linalg.Of([]float32{ // rows are images, columns voxels
		0.1, 1.2, -0.3, 0.4,
		0.5, -0.6, 0.7, 0.8,
		-0.9, 1.0, 1.1, 0,
	}, 3, 4)
	rows := table.Rows{Images: []fmri.ImageID{12, 5, 40}}
	voxels := &table.Voxels{Subject: "subj01", Regions: []string{"V1", "V4"}, Member: []uint8{1, 0, 1, 0, 0, 1, 0, 1}} // [voxels, regions]
	responses, err := table.New("responses", values, rows, table.Columns{Voxels: voxels})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(responses.Len(), "images of", responses.Width(), "voxels in", responses.Cols.Voxels.Named())
	slab, err := responses.Slab(context.Background(), 1, 3) // columns 1 and 2
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(slab.Row(0))
	// Output:
	// 3 images of 4 voxels in [V1 V4]
	// [1.2 -0.3]
}

// The voxels of a region, for some images in an order of one's own. Views hold no values of their own.
func ExampleTable_Region() {
	ctx := context.Background()
	values := linalg.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 3, 3)
	voxels := &table.Voxels{Regions: []string{"V1", "V4"}, Member: []uint8{1, 0, 0, 1, 1, 0}}
	all, err := table.New("responses", values, table.Rows{Images: []fmri.ImageID{12, 5, 40}}, table.Columns{Voxels: voxels})
	if err != nil {
		log.Fatal(err)
	}
	v1, err := all.Region("V1")
	if err != nil {
		log.Fatal(err)
	}
	two, err := v1.ByImage([]fmri.ImageID{40, 12})
	if err != nil {
		log.Fatal(err)
	}
	m, err := two.Matrix(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Data)
	_, err = all.Region("MT")
	fmt.Println(err)
	// Output:
	// [7 9 1 3]
	// responses: no region MT in it, expected one of V1, V4
}

// A table in a file, which may be larger than memory: a feature of one's own, read back row by row.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "table")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	rows := table.Rows{Images: []fmri.ImageID{12, 5, 40}}
	feature, err := table.New("valence", linalg.Of([]float32{0.5, -1, 2}, 3, 1), rows, table.Columns{})
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, table.FileName("valence", table.Shard{}))
	for range 2 {
		upToDate, err := table.Write(context.Background(), path, feature, map[string]string{"source": "ratings of 20 people"})
		fmt.Println("up to date:", upToDate, err)
	}
	read, err := table.OpenFeatures(dir, "valence")
	if err != nil {
		log.Fatal(err)
	}
	reader, err := read.Open()
	if err != nil {
		log.Fatal(err)
	}
	defer reader.Close()
	value := make([]float32, read.Width())
	for i, id := range read.Rows.Images {
		if err := reader.Row(value, i); err != nil {
			log.Fatal(err)
		}
		fmt.Println("image", id, value)
	}
	fmt.Println(read.Meta["source"])
	// Output:
	// up to date: false <nil>
	// up to date: true <nil>
	// image 12 [0.5]
	// image 5 [-1]
	// image 40 [2]
	// ratings of 20 people
}
