package torchfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"percept/weights/internal/pickle"
)

// newestZip is the newest version of the archive that is known: torch writes 3 and reads up to 10.
const newestZip = 10

// readZip reads an archive. The sums of the members that describe the tensors are checked, those of the storages are
// not: that would read the whole file.
func (f *File) readZip() error {
	list, entries, err := directory(f.file)
	if err != nil {
		return err
	}
	byName, err := f.members(list, entries)
	if err != nil {
		return err
	}
	prefix, err := f.prefix()
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(f.Members, func(m Member) bool { return m.method != 0 }); i >= 0 {
		const advice = "torch.save does not do that: unpack the archive and zip it with -0"
		return fmt.Errorf("member %.100q is compressed, %s", f.Members[i].Name, advice)
	}
	for _, name := range []string{"data.pkl", "byteorder", "version"} {
		if i, ok := byName[prefix+name]; ok {
			if err := f.describe(name, &f.Members[i]); err != nil {
				return err
			}
		}
	}
	f.sum(list)
	h := &host{budget: f.Budget, storages: map[string]*storage{}, find: func(key string) (int, func() ([]byte, error)) {
		i, ok := byName[prefix+"data/"+key]
		if !ok {
			return 0, nil
		}
		m := &f.Members[i]
		return m.Size, func() ([]byte, error) { return m.Data(f.file) }
	}}
	if f.Root, _, err = pickle.Load(f.Pickle, h, f.Budget); err != nil {
		return fmt.Errorf("data.pkl: %w", err)
	}
	return h.place()
}

// describe reads a member that says something about the others.
func (f *File) describe(name string, m *Member) error {
	if err := m.Check(f.file); err != nil {
		return err
	}
	b, err := m.Data(f.file)
	if err != nil {
		return err
	}
	text := string(bytes.TrimSpace(b[:min(len(b), 20)]))
	switch name {
	case "data.pkl":
		f.Pickle = b
	case "byteorder":
		if f.BigEndian = text == "big"; !f.BigEndian && text != "little" {
			return fmt.Errorf("byte order %q, expected little or big", text)
		}
	case "version":
		if v, err := strconv.Atoi(text); err != nil || v < 1 || v > newestZip {
			return fmt.Errorf("version %q of the archive, expected 1 to %d", text, newestZip)
		}
	}
	return nil
}

// Check compares member i with its sum and returns what it has read.
func (f *File) Check(i int) ([]byte, error) {
	m := &f.Members[i]
	if err := m.Check(f.file); err != nil {
		return nil, err
	}
	return m.Data(f.file)
}

// sum makes a sum of all that is known of the contents without reading them: the list has the members' sums.
func (f *File) sum(list []byte) {
	h := sha256.New()
	h.Write(list)
	h.Write(f.Pickle)
	h.Sum(f.Sum[:0])
	f.Summed = !slices.ContainsFunc(f.Members, func(m Member) bool { return m.CRC == 0 && m.Size > 0 })
}

// members reads the list of members. It returns the place of each in f.Members.
func (f *File) members(list []byte, entries uint64) (byName map[string]int, err error) {
	if err := f.Budget.Take(int(entries) * 150); err != nil {
		return nil, err
	}
	byName = make(map[string]int, entries)
	f.Members = make([]Member, 0, entries)
	for range entries {
		var m Member
		if m, list, err = nextMember(list, len(f.file)); err != nil {
			return nil, err
		}
		if err := f.Budget.Take(len(m.Name)); err != nil {
			return nil, err
		}
		if strings.HasSuffix(m.Name, "/constants.pkl") {
			return nil, errors.New("a program (torch.jit.save), expected a file of torch.save")
		}
		if _, dup := byName[m.Name]; dup {
			return nil, fmt.Errorf("member %.100q occurs twice", m.Name)
		}
		byName[m.Name] = len(f.Members)
		f.Members = append(f.Members, m)
	}
	if len(list) > 0 {
		return nil, errDirectory
	}
	return byName, nil
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
