package verify

import (
	"errors"
	"slices"
	"strings"

	"percept/fmri/array"
)

const nsdSurfaceFile = "nsd/expected_surfaces.safetensors"

// surfaceArrays are the arrays of a hemisphere, "?h", by the names of their tensors.
var surfaceArrays = []struct{ tensor, file, array string }{
	{"white.vertices", "surf/?h.white", "vertices"},
	{"faces", "surf/?h.white", "faces"},
	{"pial.vertices", "surf/?h.pial", "vertices"},
	{"faces", "surf/?h.pial", "faces"},
	{"inflated.vertices", "surf/?h.inflated", "vertices"},
	{"faces", "surf/?h.inflated", "faces"},
	{"curv", "surf/?h.curv", ""},
	{"thickness", "surf/?h.thickness", ""},
	{"streams", "label/?h.streams.mgz", ""},
	{"streams", "label/?h.parts.annot", "regions"}, // made of the same labels
	{"parts.rgba_table", "label/?h.parts.annot", "table"},
	{"flat.vertex_index", "surf/?h.full.flat.patch.3d", "index"},
	{"flat.is_border", "surf/?h.full.flat.patch.3d", "border"},
	{"flat.xyz", "surf/?h.full.flat.patch.3d", "vertices"},
}

// nsdSurfaces compares the surfaces, maps and labels of both hemispheres with nibabel's values, exactly. They are those of
// the set's subject with surfaces; where several have them, a tensor's name begins with the subject.
func nsdSurfaces(c *check) {
	var folders, prefixes []string
	for _, s := range c.nsdInfo().subjects() {
		if folder := nsdRoot + "/nsddata/freesurfer/" + string(s) + "/"; len(c.set.under(folder+"surf/")) > 0 {
			folders, prefixes = append(folders, folder), append(prefixes, string(s)+".")
		}
	}
	switch len(folders) {
	case 0:
		c.must(errors.New("no subject of " + nsdInfoFile + " has surfaces"))
	case 1:
		prefixes[0] = ""
	}
	for i, folder := range folders {
		for _, hemi := range []string{"lh", "rh"} {
			c.hemisphere(folder, prefixes[i], hemi)
		}
	}
}

// hemisphere compares what the set has of one. A tensor without its file is one that no case uses.
func (c *check) hemisphere(folder, prefix, hemi string) {
	read := map[string][]float64{}
	for _, a := range surfaceArrays {
		tensor, file := prefix+hemi+"."+a.tensor, folder+strings.Replace(a.file, "?h", hemi, 1)
		if !c.set.has(file) {
			continue
		}
		got := must(array.Read(c.set.path(file), a.array))
		want := c.float64s(nsdSurfaceFile, tensor)
		_, shape, _ := c.open(nsdSurfaceFile).Info(tensor)
		if a.array == "" && len(got.Shape) == 3 { // a map of a surface is [vertices, 1, 1]
			c.that(slices.Equal(got.Shape[1:], []int{1, 1}), "%s: shape %v", file, got.Shape)
			got.Shape = got.Shape[:1]
		}
		c.that(slices.Equal(got.Shape, shape), "%s %s: shape %v, the reference has %v", file, a.array, got.Shape, shape)
		near(c, tensor+" in "+a.file, got.Data, want, 0)
		read[a.tensor] = got.Data
	}
	faces, tensor := read["faces"], prefix+hemi+".flat.faces_of_kept_vertices"
	if faces == nil || !c.holds(nsdSurfaceFile, tensor) {
		return
	}
	kept := make(map[float64]bool)
	for _, v := range read["flat.vertex_index"] {
		kept[v] = true
	}
	var inside []float64
	for f := range slices.Chunk(faces, 3) {
		if kept[f[0]] && kept[f[1]] && kept[f[2]] {
			inside = append(inside, f...)
		}
	}
	near(c, tensor, inside, c.float64s(nsdSurfaceFile, tensor), 0)
}
