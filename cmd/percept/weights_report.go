package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"percept/weights/safetensors"
)

// verdict is the error for exit status 1: nil where nothing is wrong with a component.
func (in *inspection) verdict() error {
	wrong := slices.Clone(in.Problems)
	for _, r := range in.Parts {
		if s := r.summary(); s != "" && (r.view != nil || r.Problem != "") {
			wrong = append(wrong, r.Part+": "+s)
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%s: damaged, or not the model it claims to be: %s", in.Path, strings.Join(wrong, "; "))
}

// summary counts what is wrong with a part; empty if nothing is.
func (r *partReport) summary() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{len(r.Missing), "missing"}, {len(r.Misshapen), "misshapen"}, {len(r.Unreadable), "unreadable"}, {len(r.Unexpected), "unexpected"},
		{len(r.NotFinite), "not finite"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if r.Problem != "" {
		parts = append(parts, r.Problem)
	}
	return strings.Join(parts, ", ")
}

// write writes the report for people.
func (in *inspection) write(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n%s\n", in.Path, in.Format, gibibytes(in.Bytes), cmp.Or(in.Model, "no known model"))
	if in.Unsupported != "" {
		fmt.Fprintf(&b, "cannot be run: %s\n", in.Unsupported)
	}
	t := tabwriter.NewWriter(&b, 0, 4, 2, ' ', 0)
	for _, r := range in.Parts {
		types := slices.Sorted(maps.Keys(r.DTypes))
		state := r.summary()
		switch {
		case state != "":
		case r.view != nil && r.want == nil:
			state = "not compared"
		case r.view != nil && r.read:
			state = "complete, all values finite"
		case r.view != nil:
			state = "complete"
		case r.read:
			state = "all values finite"
		}
		fmt.Fprintf(t, "  %s\t%d tensors\t%s parameters\t%s\t%s\t%s\n",
			r.Part, r.Tensors, thousands(r.Parameters), strings.Join(types, ", "), gibibytes(r.Bytes), state)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range in.Parts {
		for _, m := range r.Missing {
			fmt.Fprintf(&b, "missing     %s %s %v\n", r.Part, m.Name, m.Want)
		}
		for _, m := range r.Misshapen {
			fmt.Fprintf(&b, "misshapen   %s %s %v, the model wants %v\n", r.Part, m.Name, m.Shape, m.Want)
		}
		for _, u := range r.Unreadable {
			fmt.Fprintf(&b, "unreadable  %s %s: %s\n", r.Part, u.Name, u.Why)
		}
		for _, n := range r.Unexpected {
			fmt.Fprintf(&b, "unexpected  %s %s\n", r.Part, printable(n))
		}
		for _, n := range r.NotFinite {
			fmt.Fprintf(&b, "not finite  %s %s: %d NaN, %d Inf\n", r.Part, printable(n.Name), n.NaN, n.Inf)
		}
		if r.Part == "other" {
			const shown = 12
			names := slices.Sorted(maps.Keys(r.sources))
			more := ""
			if len(names) > shown {
				names, more = names[:shown], fmt.Sprintf(" and %d more", len(names)-shown)
			}
			for i, name := range names {
				names[i] = printable(name)
			}
			fmt.Fprintf(&b, "other tensors: %s%s\n", strings.Join(names, ", "), more)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// listTensors fills Tensors.
func (in *inspection) listTensors() {
	for _, r := range in.Parts {
		s := cmp.Or(r.view, r.store)
		bad := map[string]finiteReport{}
		for _, n := range r.NotFinite {
			bad[n.Name] = n
		}
		for _, n := range s.Names() {
			source := s.Source(n)
			if !r.sources[source] {
				continue
			}
			dtype, shape, _ := s.Info(n)
			if r.view == nil {
				n = ""
			}
			b := bad[source]
			in.Tensors = append(in.Tensors, tensorReport{r.File, r.Part, source, n, dtypeName(dtype), shape, b.NaN, b.Inf})
		}
	}
}

func (in *inspection) writeTSV(out io.Writer) error {
	var b strings.Builder
	b.WriteString("file\tpart\tsource\tname\tdtype\tshape\tnan\tinf\n")
	for _, t := range in.Tensors {
		dims := strings.Trim(strings.ReplaceAll(fmt.Sprint(t.Shape), " ", "x"), "[]")
		fmt.Fprintf(&b, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\n",
			t.File, t.Part, printable(t.Source), printable(t.Name), t.DType, dims, t.NaN, t.Inf)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// thousands writes a number with its digits in groups.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// printable quotes a name that would break a line, a column or a terminal: files name their tensors as they like.
func printable(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// dtypeName is the type as torch spells it.
func dtypeName(d safetensors.DType) string {
	if name, ok := map[safetensors.DType]string{
		safetensors.F64: "float64", safetensors.F32: "float32", safetensors.F16: "float16", safetensors.BF16: "bfloat16",
		safetensors.I64: "int64", safetensors.I32: "int32", safetensors.I16: "int16", safetensors.I8: "int8",
		safetensors.U64: "uint64", safetensors.U32: "uint32", safetensors.U16: "uint16", safetensors.U8: "uint8", safetensors.Bool: "bool",
		safetensors.F8E4M3: "float8_e4m3fn", safetensors.F8E5M2: "float8_e5m2",
	}[d]; ok {
		return name
	}
	return string(d)
}
