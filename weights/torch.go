package weights

import (
	"errors"
	"fmt"
	"slices"

	"percept/weights/internal/pickle"
	"percept/weights/internal/torchfile"
	"percept/weights/safetensors"
)

// torchDTypes are the element types of torch that have values here.
var torchDTypes = map[string]safetensors.DType{
	"float64": safetensors.F64, "float32": safetensors.F32, "float16": safetensors.F16, "bfloat16": safetensors.BF16,
	"int64": safetensors.I64, "int32": safetensors.I32, "int16": safetensors.I16, "int8": safetensors.I8,
	"uint64": safetensors.U64, "uint32": safetensors.U32, "uint16": safetensors.U16, "uint8": safetensors.U8, "bool": safetensors.Bool,
	"float8_e4m3fn": safetensors.F8E4M3, "float8_e5m2": safetensors.F8E5M2,
}

// parseTorch reads a file of torch.save: its tensors by name, as views of b, and the file.
func parseTorch(b []byte) (map[string]tensorInfo, *torchfile.File, error) {
	f, err := torchfile.Open(b)
	if err != nil {
		return nil, nil, err
	}
	w := &treeWalk{budget: f.Budget, steps: 4*len(f.Pickle) + 1000, onPath: map[any]bool{}, tensors: map[string]found{}}
	if err := w.file(f.Root); err != nil {
		return nil, nil, err
	}
	f.Root, f.Budget = nil, nil // all that is needed of them is in w
	tensors := make(map[string]tensorInfo, len(w.tensors))
	for name, x := range w.tensors {
		t, err := torchTensor(x.tensor, f.BigEndian, len(b))
		if err != nil {
			return nil, nil, fmt.Errorf("tensor %q: %w", name, err)
		}
		t.source, t.aside = name, x.aside
		tensors[name] = t
	}
	return tensors, f, nil
}

// torchTensor describes a tensor. One whose values cannot be handed out says why when it is asked for them.
func torchTensor(x *torchfile.Tensor, swap bool, fileSize int) (tensorInfo, error) {
	t := tensorInfo{Tensor: safetensors.Tensor{DType: torchDTypes[x.DType], Shape: x.Shape}, load: x.Data, problem: x.Problem}
	n, err := safetensors.Elements(x.Shape)
	switch {
	case err != nil:
		return t, err
	case t.problem != "":
	case t.DType == "":
		t.problem = "type " + x.DType
	case n/2 > fileSize+1<<16:
		// An expanded tensor repeats elements (stride 0): a few bytes may announce any size.
		t.problem = fmt.Sprintf("%d elements, more than a file of %d bytes gives reason for", n, fileSize)
	}
	if t.DType == "" {
		t.DType = safetensors.DType(x.DType)
	}
	if t.problem != "" {
		t.load = nil
		return t, nil
	}
	t.layout = newLayout(n, x.Shape, x.Strides, swap && t.DType.Size() > 1)
	return t, nil
}

// treeWalk collects the tensors of a tree of containers under their names.
type treeWalk struct {
	budget  *pickle.Budget
	steps   int // values that may still be looked at: containers that share others unfold without end
	onPath  map[any]bool
	tensors map[string]found
}

type found struct {
	tensor *torchfile.Tensor
	aside  bool
}

// maxNesting is how deep containers may lie in one another; those of a checkpoint are less than ten deep.
const maxNesting = 100

// file names the tensors of a whole file. Those of a state_dict have the names that they have there; what lies beside
// it, such as the state of an optimiser, is named by the way to it and set aside. Without a state_dict, the same names
// are those of the file.
func (w *treeWalk) file(root any) error {
	d, ok := root.(*pickle.Dict)
	if !ok {
		return w.walk("", root, false, 0)
	}
	state, _ := d.Get("state_dict")
	if _, ok := state.(*pickle.Dict); !ok {
		return w.walk("", root, false, 0)
	}
	if err := w.walk("", state, false, 0); err != nil {
		return err
	}
	return w.dict("", d, true, 0)
}

func (w *treeWalk) walk(name string, v any, aside bool, depth int) error {
	switch v := v.(type) {
	case *torchfile.Tensor:
		return w.add(name, v, aside)
	case *pickle.Dict:
		return w.inside(v, depth, func() error { return w.dict(name, v, aside, depth) })
	case *pickle.List:
		return w.inside(v, depth, func() error { return w.items(name, v.Items, aside, depth) })
	case pickle.Tuple:
		if depth > maxNesting {
			return errNesting
		}
		return w.items(name, v, aside, depth)
	}
	return nil // numbers, text, sets and objects hold no weights
}

// step counts n values that are looked at.
func (w *treeWalk) step(n int) error {
	if w.steps -= n; w.steps < 0 {
		return errors.New("its containers share one another so often that they cannot be unfolded")
	}
	return nil
}

var errNesting = fmt.Errorf("its containers lie more than %d deep in one another", maxNesting)

// inside visits a container that may hold itself.
func (w *treeWalk) inside(v any, depth int, visit func() error) error {
	if depth > maxNesting {
		return errNesting
	}
	if w.onPath[v] {
		return nil
	}
	w.onPath[v] = true
	defer delete(w.onPath, v)
	return visit()
}

func (w *treeWalk) items(name string, items []any, aside bool, depth int) error {
	if err := w.step(len(items) + 1); err != nil {
		return err
	}
	for i, v := range items {
		if !holds(v) {
			continue
		}
		sub, err := w.join(name, fmt.Sprint(i))
		if err != nil {
			return err
		}
		if err := w.walk(sub, v, aside, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// dict visits the values of a dictionary. With aside at the top, the state_dict has been visited.
func (w *treeWalk) dict(name string, d *pickle.Dict, aside bool, depth int) error {
	if err := w.step(len(d.Keys) + 1); err != nil {
		return err
	}
	if !slices.ContainsFunc(d.Values, holds) {
		return nil
	}
	if err := w.budget.Take(100 * len(d.Keys)); err != nil {
		return err
	}
	last := make(map[any]int, len(d.Keys)) // a key counts where it occurs last; 0 and "0" are two
	for i, k := range d.Keys {
		if _, ok := keyName(k); ok {
			last[k] = i
		}
	}
	for i, k := range d.Keys {
		key, ok := keyName(k)
		if !ok || last[k] != i || !holds(d.Values[i]) || aside && name == "" && key == "state_dict" {
			continue
		}
		sub, err := w.join(name, key)
		if err != nil {
			return err
		}
		if err := w.walk(sub, d.Values[i], aside, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// holds says whether a value may hold a tensor.
func holds(v any) bool {
	switch v.(type) {
	case *torchfile.Tensor, *pickle.Dict, *pickle.List, pickle.Tuple:
		return true
	}
	return false
}

// keyName returns the key of a dictionary as a part of a name: text, a number, the name of a class. Others have none.
func keyName(k any) (string, bool) {
	switch k := k.(type) {
	case string:
		return k, true
	case int64:
		return fmt.Sprint(k), true
	case pickle.Global:
		return k.String(), true
	}
	return "", false
}

// join appends a part to a name.
func (w *treeWalk) join(name, part string) (string, error) {
	if name == "" {
		return part, nil
	}
	return name + "." + part, w.budget.Take(len(name) + len(part) + 24)
}

func (w *treeWalk) add(name string, t *torchfile.Tensor, aside bool) error {
	if err := w.budget.Take(400); err != nil {
		return err
	}
	if name == "" {
		name = "tensor" // the file holds nothing else
	}
	if have, dup := w.tensors[name]; dup {
		switch {
		case have.tensor == t || aside:
			return nil
		case !have.aside:
			return fmt.Errorf("two tensors are named %q", name)
		}
	}
	w.tensors[name] = found{t, aside}
	return nil
}
