package gifti

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"strings"

	"percept/internal/atomicfile"
)

// Structures that a map may belong to.
const (
	CortexLeft  = "CortexLeft"
	CortexRight = "CortexRight"
)

// Map is one value for each vertex of a surface.
type Map struct {
	Name   string
	Values []float32
}

// WriteMaps writes maps of the same surface as a file that appears at path when it is complete; one that ends in .gz is
// compressed. structure is CortexLeft or CortexRight, or "" where that is not known.
func WriteMaps(path, structure string, maps ...Map) error {
	if len(maps) == 0 {
		return fmt.Errorf("%s: no maps to write", path)
	}
	for _, m := range maps {
		if len(m.Values) != len(maps[0].Values) {
			return fmt.Errorf("%s: map %s has %d values, map %s has %d", path, m.Name, len(m.Values), maps[0].Name, len(maps[0].Values))
		}
	}
	f, err := atomicfile.CreateStream(path, strings.HasSuffix(path, ".gz"))
	if err != nil {
		return err
	}
	defer f.Abort()
	w := bufio.NewWriter(f)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	fmt.Fprintf(w, "<!DOCTYPE GIFTI SYSTEM \"http://www.nitrc.org/frs/download.php/115/gifti.dtd\">\n")
	fmt.Fprintf(w, "<GIFTI Version=\"1.0\" NumberOfDataArrays=\"%d\">\n", len(maps))
	writeMeta(w, "AnatomicalStructurePrimary", structure)
	fmt.Fprintf(w, "<LabelTable/>\n")
	for _, m := range maps {
		fmt.Fprintf(w, "<DataArray Intent=\"%s\" DataType=\"NIFTI_TYPE_FLOAT32\" ArrayIndexingOrder=\"RowMajorOrder\" Dimensionality=\"1\" "+
			"Dim0=\"%d\" Encoding=\"GZipBase64Binary\" Endian=\"LittleEndian\" ExternalFileName=\"\" ExternalFileOffset=\"\">\n", None, len(m.Values))
		writeMeta(w, "Name", m.Name)
		w.WriteString("<Data>")
		text := base64.NewEncoder(base64.StdEncoding, w)
		z := zlib.NewWriter(text)
		if err := binary.Write(z, binary.LittleEndian, m.Values); err != nil {
			return err
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := text.Close(); err != nil {
			return err
		}
		w.WriteString("</Data>\n</DataArray>\n")
	}
	w.WriteString("</GIFTI>\n")
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// writeMeta writes one pair, or none where the value is empty.
func writeMeta(w *bufio.Writer, name, value string) {
	if value == "" {
		w.WriteString("<MetaData/>\n")
		return
	}
	var b bytes.Buffer
	xml.EscapeText(&b, []byte(value)) // also letters that XML cannot hold; a buffer takes all that is written
	fmt.Fprintf(w, "<MetaData><MD><Name>%s</Name><Value>%s</Value></MD></MetaData>\n", name, b.Bytes())
}
