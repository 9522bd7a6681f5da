package look

import (
	"fmt"

	"percept/cmd/percept/internal/recipe"
	"percept/internal/picture"
)

// picture describes a picture, and how it was made where it says so.
func (r *Report) picture(head []byte) error {
	m, err := picture.Read(r.Path)
	if err != nil {
		return err
	}
	r.Kind = "picture"
	size := m.Bounds().Size()
	r.Arrays = []Array{{Shape: []int{size.Y, size.X, 3}, Axes: []string{"y", "x", "channel"}, Type: "uint8, as RGB"}}
	if deepGray(head) {
		r.Details = append(r.Details, `16-bit gray: values above 255 become white, as Pillow's convert("RGB") makes them`)
	}
	if recipes, err := recipe.Read(r.Path); err == nil {
		for _, how := range recipes {
			r.Details = append(r.Details, fmt.Sprintf("made by %s: %q, seed %d, %s, %d steps", how.Program, how.Prompt, how.Seed, how.Sampler,
				how.Steps))
		}
		r.Reads = append(r.Reads, "percept generate --like "+r.Path+" makes it again")
	}
	r.Reads = append(r.Reads, "percept generate --image, percept features --images")
	return nil
}

// deepGray says whether a PNG has 16 bits of gray.
func deepGray(head []byte) bool {
	return len(head) > 25 && string(head[12:16]) == "IHDR" && head[24] == 16 && head[25] == 0
}
