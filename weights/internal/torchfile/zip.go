package torchfile

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"percept/weights/internal/pickle"
)

// Member is a file of the archive.
type Member struct {
	Name string
	Data []byte // a view
	CRC  uint32 // of Data; 0 where torch was told to do without, torch.serialization.set_crc32_options(False)
}

// Check compares the bytes with their sum.
func (m *Member) Check() error {
	if got := crc32.ChecksumIEEE(m.Data); m.CRC != 0 && got != m.CRC {
		return fmt.Errorf("%.100q is damaged: its CRC-32 is %08x, the archive says %08x", m.Name, got, m.CRC)
	}
	return nil
}

// newestZip is the newest version of the archive that is known: torch writes 3 and reads up to 10.
const newestZip = 10

// readZip reads an archive. The sums of the members that describe the tensors are checked, those of the storages are
// not: that would read the whole file.
func (f *File) readZip(b []byte) error {
	byName, compressed, err := f.members(b)
	if err != nil {
		return err
	}
	prefix, err := f.prefix()
	if err != nil {
		return err
	}
	if compressed != "" {
		return fmt.Errorf("member %.100q is compressed, torch.save does not do that: unpack the archive and zip it with -0", compressed)
	}
	for _, name := range []string{"data.pkl", "byteorder", "version"} {
		i, ok := byName[prefix+name]
		if !ok {
			continue
		}
		if err := f.Members[i].Check(); err != nil {
			return err
		}
		text := string(bytes.TrimSpace(f.Members[i].Data[:min(len(f.Members[i].Data), 20)]))
		switch name {
		case "data.pkl":
			f.Pickle = f.Members[i].Data
		case "byteorder":
			if f.BigEndian = text == "big"; !f.BigEndian && text != "little" {
				return fmt.Errorf("byte order %q, want little or big", text)
			}
		case "version":
			if v, err := strconv.Atoi(text); err != nil || v < 1 || v > newestZip {
				return fmt.Errorf("version %q of the archive, want 1 to %d", text, newestZip)
			}
		}
	}
	h := &host{budget: f.Budget, storages: map[string]*storage{}, find: func(key string) ([]byte, bool) {
		i, ok := byName[prefix+"data/"+key]
		if !ok {
			return nil, false
		}
		return f.Members[i].Data, true
	}}
	if f.Root, _, err = pickle.Load(f.Pickle, h, f.Budget); err != nil {
		return fmt.Errorf("data.pkl: %w", err)
	}
	return h.place()
}

// members lists the files of the archive. It returns the place of each in the list, and the name of one that is compressed.
func (f *File) members(b []byte) (byName map[string]int, compressed string, err error) {
	r, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // no file is written, so no name is dangerous
		return nil, "", fmt.Errorf("a zip archive without a directory at its end (%s): cut short or damaged", strings.TrimPrefix(err.Error(), "zip: "))
	}
	if slices.ContainsFunc(r.File, func(z *zip.File) bool { return strings.HasSuffix(z.Name, "/constants.pkl") }) {
		return nil, "", errors.New("a program (torch.jit.save), want a file of torch.save")
	}
	byName = make(map[string]int, len(r.File))
	f.Members = make([]Member, 0, len(r.File))
	for _, z := range r.File {
		if err := f.Budget.Take(500 + len(z.Name) + len(z.Extra) + len(z.Comment)); err != nil {
			return nil, "", err
		}
		size := z.CompressedSize64
		if z.Method != zip.Store {
			compressed = z.Name
		} else if size != z.UncompressedSize64 {
			return nil, "", fmt.Errorf("member %.100q has both %d and %d bytes", z.Name, size, z.UncompressedSize64)
		}
		if z.Flags&1 != 0 {
			return nil, "", fmt.Errorf("member %.100q is encrypted", z.Name)
		}
		at, err := z.DataOffset()
		if err != nil || at < 0 || uint64(at) > uint64(len(b)) || size > uint64(len(b))-uint64(at) {
			return nil, "", fmt.Errorf("member %.100q of %d bytes does not lie in the file: cut short or damaged", z.Name, size)
		}
		if _, dup := byName[z.Name]; dup {
			return nil, "", fmt.Errorf("member %.100q occurs twice", z.Name)
		}
		byName[z.Name] = len(f.Members)
		end := at + int64(size)
		f.Members = append(f.Members, Member{z.Name, b[at:end:end], z.CRC32})
	}
	return byName, compressed, nil
}

// prefix returns the folder that all members are in, with its slash; it is named after the file.
func (f *File) prefix() (string, error) {
	found := ""
	for _, m := range f.Members {
		dir, ok := strings.CutSuffix(m.Name, "data.pkl")
		if !ok || strings.Count(dir, "/") > 1 || dir != "" && !strings.HasSuffix(dir, "/") {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("both %.100q and %.100q", found, m.Name)
		}
		found = m.Name
	}
	if found == "" {
		return "", errors.New("a zip archive without data.pkl: not made by torch.save")
	}
	return strings.TrimSuffix(found, "data.pkl"), nil
}

// place finds the bytes of all tensors.
func (h *host) place() error {
	for _, t := range h.tensors {
		if err := t.place(); err != nil {
			return err
		}
	}
	return nil
}
