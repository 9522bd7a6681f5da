package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseHeader reads the Python dictionary {'descr': '<f4', 'fortran_order': False, 'shape': (4, 3, 2), }.
func (h *Header) parse(s string) (err error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "{")
	rest, ok2 := strings.CutSuffix(rest, "}")
	if !ok || !ok2 {
		return fmt.Errorf("%.40q, expected a dictionary", s)
	}
	seen := make(map[string]bool)
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		key, after, err := quoted(rest)
		if err != nil {
			return err
		}
		after, ok := strings.CutPrefix(strings.TrimSpace(after), ":")
		if !ok || seen[key] {
			return fmt.Errorf("key %q", key)
		}
		seen[key] = true
		after = strings.TrimSpace(after)
		switch key {
		case "descr":
			if strings.HasPrefix(after, "[") {
				return errors.New("structured array, which is not supported")
			}
			if h.DType, rest, err = quoted(after); err != nil {
				return err
			}
			h.DType = canonical(h.DType)
		case "fortran_order":
			if rest, ok = strings.CutPrefix(after, "True"); ok {
				h.Fortran = true
			} else if rest, ok = strings.CutPrefix(after, "False"); !ok {
				return errors.New("fortran_order is neither True nor False")
			}
		case "shape":
			if rest, err = h.parseShape(after); err != nil {
				return err
			}
		default:
			return fmt.Errorf("key %q is not known", key)
		}
		rest = strings.TrimSpace(rest)
		if next, ok := strings.CutPrefix(rest, ","); ok {
			rest = next
		} else if rest != "" {
			return fmt.Errorf("%.20q, expected a comma", rest)
		}
	}
	if len(seen) != 3 {
		return errors.New("expected descr, fortran_order and shape")
	}
	return nil
}

func quoted(s string) (text, rest string, err error) {
	if s == "" || s[0] != '\'' && s[0] != '"' {
		return "", "", fmt.Errorf("%.20q, expected a string", s)
	}
	text, rest, ok := strings.Cut(s[1:], s[:1])
	if !ok {
		return "", "", fmt.Errorf("%.20q, a string without end", s)
	}
	return text, rest, nil
}

func (h *Header) parseShape(s string) (rest string, err error) {
	inner, ok := strings.CutPrefix(s, "(")
	inner, rest, ok2 := strings.Cut(inner, ")")
	if !ok || !ok2 {
		return "", fmt.Errorf("shape %.20q", s)
	}
	h.Shape = []int{}
	for _, d := range strings.Split(inner, ",") {
		if d = strings.TrimSuffix(strings.TrimSpace(d), "L"); d == "" { // (3,) and Python 2's 3L
			continue
		}
		n, err := strconv.Atoi(d)
		if err != nil || n < 0 || len(h.Shape) == 32 {
			return "", fmt.Errorf("shape %.40q", "("+inner+")")
		}
		h.Shape = append(h.Shape, n)
	}
	return rest, nil
}
