package tensor

import "fmt"

// Form is a way to compute a convolution.
type Form uint8

// The forms. Winograd's are for 3×3 kernels of stride 1; they take fewer multiplications and more memory for the
// transformed filters: 16/9 and 4 times the filters' own.
const (
	Implicit  Form = iota // product with the windows of the image, which are never copied together
	Winograd2             // F(2×2, 3×3)
	Winograd4             // F(4×4, 3×3)
)

var formNames = [...]string{"implicit", "winograd2", "winograd4"}

func (f Form) String() string { return formNames[f] }

// ParseForm is the inverse of Form.String.
func ParseForm(name string) (Form, error) {
	for i, n := range formNames {
		if n == name {
			return Form(i), nil
		}
	}
	return 0, fmt.Errorf("form %q, expected one of implicit, winograd2, winograd4", name)
}

// widestVector is the number of float32 in the widest vector of any kernel set.
const widestVector = 16

// Fits says whether a convolution of that many channels and that kernel can be computed in form f.
func (f Form) Fits(cout, cin, kh, kw int) bool {
	return f == Implicit || kh == 3 && kw == 3 && cin%widestVector == 0 && cout%widestVector == 0
}

// piece returns the side of the output tiles of a Winograd form.
func (f Form) piece() int { return 2 * int(f) }
