// Package hdf5 reads the part of HDF5 that brain data are stored in, and writes the part that NSD's files use.
//
// The rule of the reader: a value is right or there is an error that names file, offset and expectation.
// Nothing that it does not understand is skipped where it could change a value.
//
// # Writing
//
// A file is written front to back and appears under its name when Close succeeds:
//
//	w, err := hdf5.Create("betas_session01.hdf5")
//	defer w.Abort() // does nothing after Close
//	ds, err := hdf5.NewDataset[int16](w, "betas", []int{750, z, y, x}, []int{750, 1, 1, 1})
//	for each voxel, x fastest:
//		err = ds.Append(column) // 750 values: one chunk
//	err = w.Close()
//
// A nil chunk shape makes a contiguous dataset, to which any number of elements in C order is appended at a time.
// Datasets are written one after the other, each complete before the next begins. The result has superblock
// version 0, version 1 object headers, and version 1 B-trees, as MATLAB writes NSD's betas; h5py reads it.
//
// # Reading
//
//	f, err := hdf5.Open("betas_session01.hdf5")
//	ds, err := f.Dataset("betas")
//	ds.Shape()                                               // [750 83 104 81]
//	err = hdf5.ReadSlab(ds, dst, start, count)               // any block
//	err = hdf5.ReadColumns(ds, stored, columns)              // the time courses of some voxels, as they are stored
//
// Every number type that h5py reads is read, at any place in its bytes, and fills and places that were never written are as h5py
// reads them; array types become axes. Chunks come from every index, through the filters of package filter. Virtual datasets are
// put together from their sources. What cannot be read (other filters, external storage, files that their writer has not
// closed) is named, and leaves the other datasets of the file readable: [Dataset.Readable].
//
// Format: "HDF5 File Format Specification", version 3.0, The HDF Group.
package hdf5
