package verify

import (
	"context"
	"slices"

	"percept/fmri/array"
)

// nsdSurfaces compares the surfaces, maps and labels of both hemispheres with nibabel's values, exactly.
func nsdSurfaces(_ context.Context, c *check) {
	st, err := c.set.open(nsdSurfaceFile)
	c.must(err)
	for _, hemi := range []string{"lh", "rh"} {
		read := func(file, name string) *array.Array {
			a, err := array.Read(c.set.path(nsdRoot+"/nsddata/freesurfer/subj01/"+file), name)
			c.must(err)
			return a
		}
		same := func(key, file, name string) *array.Array {
			a := read(file, name)
			want, err := st.Float64(hemi + "." + key)
			c.must(err)
			_, shape, _ := st.Info(hemi + "." + key)
			if file == "label/"+hemi+".streams.mgz" { // a map of a surface is [vertices, 1, 1]
				c.that(slices.Equal(a.Shape[1:], []int{1, 1}), "%s: shape %v", file, a.Shape)
				a.Shape = a.Shape[:1]
			}
			c.that(slices.Equal(a.Shape, shape), "%s %s: shape %v, the reference has %v", file, name, a.Shape, shape)
			c.near64(hemi+"."+key, a.Data, want, 0)
			return a
		}
		surf := "surf/" + hemi
		var faces *array.Array
		for _, s := range []string{"white", "pial", "inflated"} {
			same(s+".vertices", surf+"."+s, "vertices")
			faces = same("faces", surf+"."+s, "faces")
		}
		same("curv", surf+".curv", "")
		same("thickness", surf+".thickness", "")
		same("streams", "label/"+hemi+".streams.mgz", "")
		same("parts.rgba_table", "label/"+hemi+".parts.annot", "table")
		regions := read("label/"+hemi+".parts.annot", "regions")
		streams, err := st.Float64(hemi + ".streams")
		c.must(err)
		c.near64(hemi+".parts: regions", regions.Data, streams, 0) // made of the same labels
		patch := surf + ".full.flat.patch.3d"
		kept := same("flat.vertex_index", patch, "index")
		same("flat.is_border", patch, "border")
		same("flat.xyz", patch, "vertices")
		in := make(map[float64]bool)
		for _, v := range kept.Data {
			in[v] = true
		}
		var inside []float64
		for f := range slices.Chunk(faces.Data, 3) {
			if in[f[0]] && in[f[1]] && in[f[2]] {
				inside = append(inside, f...)
			}
		}
		want, err := st.Float64(hemi + ".flat.faces_of_kept_vertices")
		c.must(err)
		c.near64(hemi+".flat: faces", inside, want, 0)
	}
}
