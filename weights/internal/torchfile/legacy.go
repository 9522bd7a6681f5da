package torchfile

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"percept/weights/internal/pickle"
)

// magic is the number 0x1950a86a20f9469cfc6c, which the format begins with, as a pickle holds it.
const (
	magic     = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
	magicText = "L119547037146038801333356L\n." // protocols 0 and 1
)

func isMagicText(b []byte) bool { return bytes.HasPrefix(b, []byte(magicText)) }

// protocolVersion is the only version of the format.
const protocolVersion = 1001

// readLegacy reads five pickles, then the storages in the order of the keys of the fifth: the number of elements in 8
// bytes, and the elements, little-endian whatever the machine.
func (f *File) readLegacy() error {
	b := f.file
	h := &host{budget: f.Budget, legacy: true, storages: map[string]*storage{}, views: map[string]*storage{}}
	at := 0
	load := func(what string, h pickle.Host) (any, error) {
		v, n, err := pickle.Load(b[at:], h, f.Budget)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		at += n
		return v, nil
	}
	if isMagicText(b) {
		at = len(magicText)
	} else if v, err := load("magic number", nothing{}); err != nil {
		return err
	} else if n, ok := v.(pickle.Big); !ok || string(n) != magic {
		return errors.New("a Python pickle without the number that torch.save begins with: not a file of torch.save")
	}
	if v, err := load("protocol", nothing{}); err != nil {
		return err
	} else if v != int64(protocolVersion) {
		return fmt.Errorf("version %s of the format, expected %d", show(v), protocolVersion)
	}
	if _, err := load("system", nothing{}); err != nil {
		return err
	}
	var err error
	if f.Root, err = load("contents", h); err != nil {
		return err
	}
	keys, err := load("storage keys", nothing{})
	if err != nil {
		return err
	}
	f.Pickle = b[:at]
	f.Sum = sha256.Sum256(f.Pickle)
	list, ok := keys.(*pickle.List)
	if !ok {
		return fmt.Errorf("storage keys: a %s, expected a list", pickle.Kind(keys))
	}
	for _, key := range list.Items {
		name, _ := key.(string)
		s := h.storages[name]
		if s == nil || s.open != nil {
			return fmt.Errorf("storage keys: %s is not that of a storage, or occurs twice", show(key))
		}
		if len(b)-at < 8 {
			return fmt.Errorf("cut short before storage %q", name)
		}
		size := sizes[s.dtype]
		n := le.Uint64(b[at:])
		at += 8
		if n != uint64(s.bytes/size) {
			return fmt.Errorf("storage %q has %d elements, expected %d as in the pickle", name, n, s.bytes/size)
		}
		if s.bytes > len(b)-at {
			return fmt.Errorf("storage %q has %d bytes, the file %d: cut short", name, s.bytes, len(b)-at)
		}
		data := b[at : at+s.bytes : at+s.bytes]
		s.open = func() ([]byte, error) { return data, nil }
		at += s.bytes
	}
	return h.place()
}

// nothing is the Host of pickles that hold numbers and text only.
type nothing struct{}

func (nothing) Call(f pickle.Global, _ pickle.Tuple) (any, error) {
	return nil, &pickle.CallError{Verb: "calls", Callee: f.String()}
}

func (nothing) Persistent(any) (any, error) {
	return nil, errors.New("a persistent id where there is none")
}

func (nothing) SetState(any, any) error {
	return &pickle.CallError{Verb: "changes", Callee: "a value"}
}
