package torchfile

import (
	"errors"
	"fmt"
	"strings"

	"percept/weights/internal/pickle"
)

// host builds tensors for a pickle. It is the whole list of what a pickle may ask for.
type host struct {
	budget   *pickle.Budget
	legacy   bool
	find     func(key string) (size int, open func() ([]byte, error)) // a storage of a zip file
	storages map[string]*storage
	views    map[string]*storage
	tensors  []*Tensor
}

// containers become what they are in Python.
var containers = map[string]bool{
	"collections.OrderedDict": true, "collections.defaultdict": true, "collections.Counter": true, "builtins.dict": true,
	"torch.Size": true, "builtins.tuple": true, "builtins.list": true, "builtins.set": true, "builtins.frozenset": true,
	"_codecs.encode": true, "builtins.bytes": true, "builtins.bytearray": true,
}

// opaque are constructors without effect that are found in checkpoints, in the state of trainers: what they make is
// passed over. Sources: the lists of torch/_weights_only_unpickler.py, and of what sd-v1-4.ckpt holds in
// https://github.com/lopho/pickle_inspector.
var opaque = func() map[string]bool {
	m := map[string]bool{}
	for module, names := range map[string]string{
		"numpy":                               "dtype ndarray",
		"numpy.core.multiarray":               "scalar _reconstruct",
		"numpy._core.multiarray":              "scalar _reconstruct",
		"numpy.core.numeric":                  "_frombuffer",
		"numpy._core.numeric":                 "_frombuffer",
		"builtins":                            "int float bool str complex slice range object",
		"argparse":                            "Namespace",
		"types":                               "SimpleNamespace",
		"collections":                         "deque",
		"datetime":                            "datetime date time timedelta timezone",
		"pathlib":                             "Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath",
		"pathlib._local":                      "Path PurePath PosixPath WindowsPath PurePosixPath PureWindowsPath",
		"fractions":                           "Fraction",
		"decimal":                             "Decimal",
		"uuid":                                "UUID",
		"torch":                               "device dtype Generator",
		"torch.serialization":                 "_get_layout",
		"torch.torch_version":                 "TorchVersion",
		"omegaconf.dictconfig":                "DictConfig",
		"omegaconf.listconfig":                "ListConfig",
		"omegaconf.base":                      "ContainerMetadata Metadata",
		"omegaconf.nodes":                     "AnyNode IntegerNode FloatNode BooleanNode StringNode EnumNode BytesNode PathNode",
		"pytorch_lightning.utilities.parsing": "AttributeDict",
		"lightning.pytorch.utilities.parsing": "AttributeDict",
		"lightning_fabric.utilities.data":     "AttributeDict",
		"lightning.fabric.utilities.data":     "AttributeDict",
		"lightning_utilities.core.apply_func": "AttributeDict",
		"pytorch_lightning.utilities.data":    "AttributeDict",
	} {
		for _, name := range strings.Fields(names) {
			m[module+"."+name] = true
		}
	}
	return m
}()

// Call returns what stands for a call.
func (h *host) Call(f pickle.Global, args pickle.Tuple) (any, error) {
	name := canonical(f)
	if name == "copyreg._reconstructor" || name == "copyreg.__newobj__" {
		if len(args) == 0 {
			return nil, fmt.Errorf("%s without a class", f)
		}
		g, ok := args[0].(pickle.Global)
		if !ok || canonical(g) == "copyreg._reconstructor" {
			return nil, &pickle.CallError{Verb: "calls", Callee: f.String() + " of a " + pickle.Kind(args[0])}
		}
		return h.Call(g, nil)
	}
	if strings.HasPrefix(name, "torch._utils._rebuild_") || name == "torch._tensor._rebuild_from_type_v2" {
		return h.rebuild(f, strings.TrimPrefix(name[strings.LastIndexByte(name, '.')+1:], "_rebuild_"), args)
	}
	if containers[name] {
		return h.container(name, args)
	}
	if opaque[name] {
		return &pickle.Object{Class: f}, nil
	}
	return nil, &pickle.CallError{Verb: "calls", Callee: f.String()}
}

// canonical returns the dotted name in Python 3.
func canonical(f pickle.Global) string {
	switch f.Module {
	case "__builtin__":
		f.Module = "builtins"
	case "copy_reg":
		f.Module = "copyreg"
	}
	return f.String()
}

// container returns a container with the items of the first argument.
func (h *host) container(name string, args pickle.Tuple) (any, error) {
	var first any
	if len(args) > 0 {
		first = args[0]
	}
	items := itemsOf(first)
	if err := h.budget.Take(64 + 64*len(items)); err != nil {
		return nil, err
	}
	switch name {
	case "builtins.list":
		return &pickle.List{Items: append([]any(nil), items...)}, nil
	case "builtins.tuple", "torch.Size":
		return pickle.Tuple(append([]any(nil), items...)), nil
	case "builtins.set", "builtins.frozenset":
		return &pickle.Set{Items: append([]any(nil), items...)}, nil
	case "_codecs.encode", "builtins.bytes", "builtins.bytearray":
		switch v := first.(type) {
		case pickle.Bytes:
			return v, nil
		case string: // Latin-1 that was decoded
			if err := h.budget.Take(len(v)); err != nil {
				return nil, err
			}
			b := make(pickle.Bytes, 0, len(v))
			for _, r := range v {
				b = append(b, byte(r))
			}
			return b, nil
		}
		return pickle.Bytes(nil), nil
	}
	d := &pickle.Dict{}
	switch v := first.(type) {
	case *pickle.Dict: // of a dict or a Counter
		if err := h.budget.Take(32 * len(v.Keys)); err != nil {
			return nil, err
		}
		d.Keys, d.Values = append(d.Keys, v.Keys...), append(d.Values, v.Values...)
		return d, nil
	case *pickle.List: // of an OrderedDict that Python 2 wrote: pairs
		for _, item := range items {
			pair := itemsOf(item)
			if len(pair) != 2 {
				return nil, fmt.Errorf("%s of items that are no pairs", name)
			}
			d.Keys, d.Values = append(d.Keys, pair[0]), append(d.Values, pair[1])
		}
		return d, nil
	}
	return d, nil // the argument of a defaultdict is a class
}

// itemsOf returns the items of a list or tuple, nil for other values.
func itemsOf(v any) []any {
	switch v := v.(type) {
	case *pickle.List:
		return v.Items
	case pickle.Tuple:
		return v
	}
	return nil
}

// SetState is told of attributes of a tensor, such as those of a Parameter. They are not needed.
func (h *host) SetState(value, _ any) error {
	if _, ok := value.(*Tensor); ok {
		return nil
	}
	return &pickle.CallError{Verb: "changes", Callee: "a storage"}
}

// Persistent returns the storage that an id names: ("storage", class, key, device, elements), in legacy files with a
// sixth item for a part of another. ("module", class, …) stands for the class.
func (h *host) Persistent(id any) (any, error) {
	t, ok := id.(pickle.Tuple)
	if !ok || len(t) == 0 {
		return nil, errors.New("persistent id: a " + pickle.Kind(id) + ", expected a tuple")
	}
	kind, _ := t[0].(string)
	if h.legacy && kind == "module" && len(t) >= 2 {
		return t[1], nil
	}
	if kind != "storage" || len(t) != 5 && !(h.legacy && len(t) == 6) {
		return nil, fmt.Errorf("persistent id: %d items of kind %.20q, expected a storage with 5", len(t), kind)
	}
	class, ok1 := t[1].(pickle.Global)
	key, ok2 := t[2].(string)
	n, ok3 := t[4].(int64)
	dtype := storageTypes[class.Name]
	if !ok1 || !ok2 || !ok3 || dtype == "" || !strings.HasPrefix(class.Module+".", "torch.") {
		class, key, length := pickle.Kind(t[1]), pickle.Kind(t[2]), pickle.Kind(t[4])
		return nil, fmt.Errorf("persistent id: storage of class %s, key %s, length %s", class, key, length)
	}
	size := sizes[dtype]
	if n < 0 || n > int64(maxInt/size) {
		return nil, fmt.Errorf("storage %q of %d elements", key, n)
	}
	s, err := h.storage(key, dtype, int(n)*size)
	if err != nil || len(t) == 5 || t[5] == nil {
		return s, err
	}
	return h.view(s, size, t[5])
}

// storage returns the storage of a key; every mention of it has to agree on its size.
func (h *host) storage(key, dtype string, n int) (*storage, error) {
	s := h.storages[key]
	if s == nil {
		if err := h.budget.Take(300 + len(key)); err != nil {
			return nil, err
		}
		s = &storage{key: key, dtype: dtype, bytes: n}
		if h.find != nil {
			var size int
			if size, s.open = h.find(key); s.open != nil {
				s.bytes = size
			}
		}
		h.storages[key] = s
	}
	if s.bytes != n {
		return nil, fmt.Errorf("storage %q has %d bytes, expected %d as in the pickle", key, s.bytes, n)
	}
	if s.dtype == dtype {
		return s, nil
	}
	if err := h.budget.Take(100); err != nil {
		return nil, err
	}
	return &storage{key: key, dtype: dtype, bytes: n, root: s}, nil // the same bytes under another type
}

// view returns a part of a storage: (key, offset, length), in elements.
func (h *host) view(s *storage, size int, v any) (*storage, error) {
	t, _ := v.(pickle.Tuple)
	if len(t) != 3 {
		return nil, errors.New("persistent id: a part of a storage that is not given by key, offset and length")
	}
	key, ok1 := t[0].(string)
	at, ok2 := t[1].(int64)
	n, ok3 := t[2].(int64)
	if !ok1 || !ok2 || !ok3 || at < 0 || n < 0 || at > int64(s.bytes/size) || n > int64(s.bytes/size)-at {
		return nil, fmt.Errorf("a part of storage %q lies outside of its %d bytes", s.key, s.bytes)
	}
	if have := h.views[key]; have != nil {
		return have, nil
	}
	if err := h.budget.Take(300 + len(key)); err != nil {
		return nil, err
	}
	p := &storage{key: key, dtype: s.dtype, bytes: int(n) * size, root: s, at: int(at) * size}
	h.views[key] = p
	return p, nil
}

// contents returns the bytes of a storage.
func (s *storage) contents() ([]byte, error) {
	switch {
	case s.root != nil:
		b, err := s.root.contents()
		if err != nil {
			return nil, err
		}
		return b[s.at : s.at+s.bytes], nil
	case s.open == nil: // of no bytes; see there
		return nil, nil
	}
	return s.open()
}

// there says whether the file holds the storage. One without bytes needs no place.
func (s *storage) there() bool {
	if s.root != nil {
		return s.root.there()
	}
	return s.open != nil || s.bytes == 0
}
