package hdf5

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"

	"percept/fmri/internal/source"
)

// link is one name in a group.
type link struct {
	name string
	addr uint64 // object header; 0 for a soft link
	soft string // target of a soft link
	what string // why a link of another kind cannot be followed
}

const (
	maxLinks     = 1 << 20
	maxTreeDepth = 32
	maxSoftLinks = 16 // followed one after the other before it must be a cycle
)

// List returns the names in the group at path ("" or "/" for the root), sorted.
func (f *File) List(path string) ([]string, error) {
	addr, err := f.lookup(path, 0)
	if err != nil {
		return nil, err
	}
	links, err := f.links(addr)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(links))
	for i, l := range links {
		names[i] = l.name
	}
	sort.Strings(names)
	return names, nil
}

// lookup finds the object header at a path from the root.
func (f *File) lookup(path string, softs int) (uint64, error) {
	addr := f.root
	walked := ""
	for _, part := range strings.Split(path, "/") {
		if part == "" || part == "." {
			continue
		}
		links, err := f.links(addr)
		if err != nil {
			return 0, err
		}
		i := slices.IndexFunc(links, func(l link) bool { return l.name == part })
		if i < 0 {
			return 0, f.noSuch(walked, part, links)
		}
		l := links[i]
		switch {
		case l.what != "":
			return 0, fmt.Errorf("%s: %s/%s: %s", f.name, walked, part, l.what)
		case l.soft != "":
			if softs == maxSoftLinks {
				return 0, fmt.Errorf("%s: %s/%s: soft links lead in a circle", f.name, walked, part)
			}
			target := l.soft
			if !strings.HasPrefix(target, "/") {
				target = walked + "/" + target
			}
			if addr, err = f.lookup(target, softs+1); err != nil {
				return 0, err
			}
		default:
			addr = l.addr
		}
		walked += "/" + part
	}
	return addr, nil
}

func (f *File) noSuch(group, name string, links []link) error {
	var have []string
	for _, l := range links[:min(len(links), 8)] {
		have = append(have, source.Printable(l.name))
	}
	list := strings.Join(have, ", ")
	if len(links) > len(have) {
		list += ", ..."
	}
	if list == "" {
		list = "nothing"
	}
	return fmt.Errorf("%s: no %s/%s; there is %s", f.name, group, name, list)
}

// links reads the names of the group whose object header is at an address.
func (f *File) links(addr uint64) ([]link, error) {
	msgs, err := f.readObject(addr)
	if err != nil {
		return nil, err
	}
	if m, ok, err := f.find(msgs, msgSymbolTable); err != nil {
		return nil, err
	} else if ok {
		c := f.cursor(m)
		tree, heap := c.offset(), c.offset()
		if c.err != nil {
			return nil, c.err
		}
		return f.symbolTable(tree, heap)
	}
	info, ok, err := f.find(msgs, msgLinkInfo)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, f.errorf(addr, "this object is not a group")
	}
	var links []link
	for _, m := range msgs {
		if m.kind == msgLink {
			l, err := f.linkMessage(f.cursor(m))
			if err != nil {
				return nil, err
			}
			links = append(links, l)
		}
	}
	c := f.cursor(info)
	c.version("link info", 0)
	if c.u8()&1 != 0 {
		c.skip(8)
	}
	heap, tree := c.offset(), c.offset()
	if c.err != nil {
		return nil, c.err
	}
	if heap == undefined {
		return links, nil
	}
	dense, err := f.denseLinks(heap, tree)
	return append(links, dense...), err
}

// linkMessage reads a link of a new-style group.
func (f *File) linkMessage(c *cursor) (link, error) {
	c.version("link", 1)
	flags := c.u8()
	kind := uint8(0)
	if flags&0x08 != 0 {
		kind = c.u8()
	}
	if flags&0x04 != 0 {
		c.skip(8) // creation order
	}
	if flags&0x10 != 0 {
		c.skip(1) // character set
	}
	n := c.uint(1 << (flags & 3))
	if n > uint64(c.left()) {
		c.failf("link name of %d bytes", n)
	}
	l := link{name: string(c.bytes(int(n)))}
	switch kind {
	case 0:
		l.addr = c.offset()
	case 1:
		l.soft = string(c.bytes(int(c.u16())))
	case 64:
		l.what = "is a link to another file, which is not followed"
	default:
		l.what = fmt.Sprintf("is a link of type %d, which is not known", kind)
	}
	return l, c.err
}

// symbolTable reads an old-style group: a version 1 B-tree of symbol table nodes, names in a local heap.
func (f *File) symbolTable(tree, heap uint64) ([]link, error) {
	c, err := f.cursorAt(heap, 8+2*f.lengthSize+f.offsetSize, "local heap")
	if err != nil {
		return nil, err
	}
	c.expect("HEAP")
	c.version("local heap", 0)
	c.skip(3)
	size := c.length()
	c.length() // free list
	segment := c.offset()
	if c.err != nil {
		return nil, c.err
	}
	if err := f.inside(segment, size, "local heap data"); err != nil {
		return nil, err
	}
	names, err := f.bytesAt(segment, int(size), "local heap data")
	if err != nil {
		return nil, err
	}
	s := &symbols{f: f, names: names, namesAt: segment, seen: make(map[uint64]bool)}
	err = s.node(tree, 0)
	return s.links, err
}

type symbols struct {
	f       *File
	names   []byte
	namesAt uint64
	seen    map[uint64]bool
	links   []link
}

func (s *symbols) node(addr uint64, depth int) error {
	f := s.f
	if depth > maxTreeDepth || s.seen[addr] {
		return f.errorf(addr, "group B-tree runs in a circle")
	}
	s.seen[addr] = true
	head := 8 + 2*f.offsetSize
	c, err := f.cursorAt(addr, head, "group B-tree node")
	if err != nil {
		return err
	}
	c.expect("TREE")
	kind, level, used := c.u8(), c.u8(), int(c.u16())
	if c.err == nil && kind != 0 {
		c.failf("B-tree node of type %d, expected 0 (group)", kind)
	}
	if c.err != nil {
		return c.err
	}
	c, err = f.cursorAt(addr+uint64(head), used*(f.lengthSize+f.offsetSize), "group B-tree node")
	if err != nil {
		return err
	}
	for range used {
		c.length() // key
		child := c.offset()
		if c.err != nil {
			return c.err
		}
		if level > 0 {
			err = s.node(child, depth+1)
		} else {
			err = s.leaf(child)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *symbols) leaf(addr uint64) error {
	f := s.f
	if s.seen[addr] {
		return f.errorf(addr, "symbol table node used twice")
	}
	s.seen[addr] = true
	c, err := f.cursorAt(addr, 8, "symbol table node")
	if err != nil {
		return err
	}
	c.expect("SNOD")
	c.version("symbol table node", 1)
	c.skip(1)
	n := int(c.u16())
	if c.err != nil {
		return c.err
	}
	c, err = f.cursorAt(addr+8, n*(2*f.offsetSize+24), "symbol table node")
	if err != nil {
		return err
	}
	for range n {
		name, header, cache := c.offset(), c.offset(), c.u32()
		c.skip(4)
		scratch := c.bytes(16)
		if c.err != nil {
			return c.err
		}
		if len(s.links) == maxLinks {
			return f.errorf(addr, "group with more than %d names", maxLinks)
		}
		l := link{addr: header}
		if l.name, err = s.text(name); err != nil {
			return err
		}
		if cache == 2 {
			at := uint64(scratch[0]) | uint64(scratch[1])<<8 | uint64(scratch[2])<<16 | uint64(scratch[3])<<24
			if l.soft, err = s.text(at); err != nil {
				return err
			}
		}
		s.links = append(s.links, l)
	}
	return nil
}

// text is the zero-terminated string at an offset of the local heap.
func (s *symbols) text(at uint64) (string, error) {
	if at < uint64(len(s.names)) {
		if n := bytes.IndexByte(s.names[at:], 0); n >= 0 {
			return string(s.names[at : at+uint64(n)]), nil
		}
	}
	return "", s.f.errorf(s.namesAt, "name at %d of a local heap of %d bytes", at, len(s.names))
}
