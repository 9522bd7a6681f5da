// Package freesurfer reads the files that FreeSurfer keeps a cortex in, and writes MGH.
//
//	MGH, MGZ       OpenMGH, WriteMGH, CreateMGH   volumes, and maps of surfaces: one value a vertex and frame
//	lh.white, ...  ReadSurface                    vertices and triangles; quadrangles of old files become triangles
//	lh.curv, ...   ReadCurv                       one value a vertex, of the present format and the old one
//	lh.*.annot     ReadAnnot                      a region for each vertex, with names and colours
//	lh.*.label     ReadLabel                      a list of vertices
//	lh.*.patch.3d  ReadPatch                      a part of a surface, moved: flat maps
//
// Everything binary is big-endian. Vertices count from 0.
//
// A map of 163,842 vertices and 750 frames (NSD's betas on fsaverage, 491 MB) is read in part:
//
//	m, err := freesurfer.OpenMGH("lh.betas_session01.mgh") // header only
//	err = m.ReadVoxels(stored, vertices)                   // [frames, vertices] as stored, only those kept
//
// Formats: FreeSurfer's wiki pages MghFormat and LabelsClutsAnnotationFiles, and its MATLAB readers (read_surf.m,
// read_curv.m, read_annotation.m, read_patch.m).
package freesurfer
