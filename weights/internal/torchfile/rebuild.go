package torchfile

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"percept/weights/internal/pickle"
)

// maxDims is the largest number of dimensions that torch knows.
const maxDims = 64

// rebuilders are the functions of torch that make tensors, torch._utils._rebuild_…, and how many arguments they need here.
var rebuilders = map[string]int{
	"tensor": 4, "tensor_v2": 4, "tensor_v3": 7, "qtensor": 5, "parameter": 1, "parameter_with_state": 1, "from_type_v2": 3,
	"device_tensor_from_cpu_tensor": 2, "meta_tensor_no_storage": 2, "sparse_tensor": 0, "sparse_csr_tensor": 0,
	"nested_tensor": 0, "wrapper_subclass": 0, "device_tensor_from_numpy": 0, "xla_tensor": 0,
}

// rebuild returns the tensor that torch._utils._rebuild_<how> would make.
func (h *host) rebuild(f pickle.Global, how string, args pickle.Tuple) (any, error) {
	t, err := h.rebuilt(f, how, args)
	if err != nil {
		if refused := (*pickle.CallError)(nil); !errors.As(err, &refused) {
			err = fmt.Errorf("%s: %w", f, err)
		}
		return nil, err
	}
	return t, nil
}

func (h *host) rebuilt(f pickle.Global, how string, args pickle.Tuple) (any, error) {
	n, known := rebuilders[how]
	if !known {
		return nil, &pickle.CallError{Verb: "calls", Callee: f.String()}
	}
	if len(args) < n {
		return nil, fmt.Errorf("%d arguments, expected %d", len(args), n)
	}
	switch how {
	case "tensor", "tensor_v2", "tensor_v3", "qtensor":
		return h.tensor(how, args)
	case "from_type_v2": // what rebuilds the tensor, its class, arguments of the first, attributes
		g, ok1 := args[0].(pickle.Global)
		inner, ok2 := args[2].(pickle.Tuple)
		name := canonical(g)
		if !ok1 || !ok2 || !strings.HasPrefix(name, "torch._utils._rebuild_") {
			return nil, &pickle.CallError{Verb: "calls", Callee: pickle.Kind(args[0])}
		}
		return h.rebuilt(g, strings.TrimPrefix(name, "torch._utils._rebuild_"), inner)
	case "parameter", "parameter_with_state", "device_tensor_from_cpu_tensor": // the tensor, its type on the device, …
		t, ok := args[0].(*Tensor)
		if !ok {
			return nil, fmt.Errorf("of a %s", pickle.Kind(args[0]))
		}
		if how == "device_tensor_from_cpu_tensor" && t.Problem == "" && dtypeOf(args[1]) != t.DType {
			return h.unreadable(dtypeOf(args[1]), t.Shape, "it was converted from "+t.DType)
		}
		return t, nil
	case "meta_tensor_no_storage": // type, shape, …
		shape, err := ints(args[1])
		if err != nil {
			return nil, fmt.Errorf("shape: %w", err)
		}
		return h.unreadable(dtypeOf(args[0]), shape, "it was saved without values (device meta)")
	case "sparse_tensor": // layout, (indices, values, shape, …)
		if len(args) >= 2 {
			if data := itemsOf(args[1]); len(data) >= 3 {
				if values, ok := data[1].(*Tensor); ok {
					if shape, err := ints(data[2]); err == nil {
						return h.unreadable(values.DType, shape, "a sparse tensor")
					}
				}
			}
		}
	}
	return h.unreadable("", nil, "a "+strings.ReplaceAll(how, "_", " "))
}

// tensor makes a tensor of (storage, offset, shape, strides, …); version 3 has its type as seventh argument, since its
// storage is untyped.
func (h *host) tensor(how string, args pickle.Tuple) (any, error) {
	s, ok := args[0].(*storage)
	if !ok {
		return nil, fmt.Errorf("the storage is a %s", pickle.Kind(args[0]))
	}
	offset, ok := args[1].(int64)
	if !ok || offset < 0 || offset > int64(maxInt) {
		return nil, fmt.Errorf("the offset %s is not in a storage", show(args[1]))
	}
	shape, err := ints(args[2])
	if err != nil {
		return nil, fmt.Errorf("shape: %w", err)
	}
	strides, err := ints(args[3])
	if err != nil {
		return nil, fmt.Errorf("strides: %w", err)
	}
	if len(shape) != len(strides) {
		return nil, fmt.Errorf("%d dimensions and %d strides", len(shape), len(strides))
	}
	if err := h.budget.Take(300 + 16*len(shape)); err != nil {
		return nil, err
	}
	t := &Tensor{DType: s.dtype, Shape: shape, Strides: strides, storage: s, offset: int(offset)}
	meta := 6
	switch how {
	case "tensor_v3":
		if t.DType, meta = dtypeOf(args[6]), 7; t.DType == "" {
			return nil, fmt.Errorf("the type is a %s", pickle.Kind(args[6]))
		}
	case "qtensor":
		t.Problem, meta = "quantised", math.MaxInt
	}
	if meta < len(args) {
		if d, ok := args[meta].(*pickle.Dict); ok {
			for i, v := range d.Values {
				if on, _ := v.(bool); on {
					t.Problem = fmt.Sprintf("its %s bit is set", show(d.Keys[i]))
				}
			}
		}
	}
	h.tensors = append(h.tensors, t)
	return t, nil
}

// unreadable makes a tensor that is there and cannot be read.
func (h *host) unreadable(dtype string, shape []int, problem string) (any, error) {
	return &Tensor{DType: dtype, Shape: shape, Strides: make([]int, len(shape)), Problem: problem}, h.budget.Take(300)
}

// dtypeOf returns the name of a torch.dtype, which a pickle mentions as torch.NAME.
func dtypeOf(v any) string {
	if g, ok := v.(pickle.Global); ok && g.Module == "torch" {
		return g.Name
	}
	return ""
}

// ints returns a tuple of numbers that are not negative.
func ints(v any) ([]int, error) {
	items := itemsOf(v)
	if items == nil {
		if _, ok := v.(pickle.Tuple); !ok {
			return nil, fmt.Errorf("a %s, expected a tuple", pickle.Kind(v))
		}
	}
	if len(items) > maxDims {
		return nil, fmt.Errorf("%d dimensions, torch has at most %d", len(items), maxDims)
	}
	n := make([]int, len(items))
	for i, item := range items {
		k, ok := item.(int64)
		if !ok || k < 0 || k > int64(maxInt) {
			return nil, fmt.Errorf("%s is no length", show(item))
		}
		n[i] = int(k)
	}
	return n, nil
}

// show returns a value as a message may hold it.
func show(v any) string {
	switch v := v.(type) {
	case int64:
		return fmt.Sprint(v)
	case string:
		return fmt.Sprintf("%.40q", v)
	}
	return "(" + pickle.Kind(v) + ")"
}
