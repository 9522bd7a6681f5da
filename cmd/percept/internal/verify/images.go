package verify

import "strings"

// imageCases are those of reading and resizing pictures.
func imageCases(s *set) []Case {
	for _, f := range s.under("images") {
		if strings.HasSuffix(f, ".png") { // inputs of the cases below
			s.has(f)
		}
	}
	for _, f := range []string{"images/pil.json", "images/pil.safetensors", "images/torch_interpolate.json", "images/torch_interpolate.safetensors"} {
		s.want(f)
	}
	return []Case{
		later("images: Pillow resize and load_img", "Pillow's resize is not there"),
		later("images: colour conversion and to_uint8", "not there"),
		later("images: torch interpolate", "not there"),
	}
}
