module percept

go 1.26.0

require (
	// hm is gorgonia's type system; an Op has to name its type with it.
	github.com/chewxy/hm v1.0.0
	// Files compressed with zstd.
	github.com/klauspost/compress v1.20.4
	// Experiment files; refuses unknown keys.
	github.com/pelletier/go-toml/v2 v2.4.3
	// LZ4 in chunks of HDF5.
	github.com/pierrec/lz4/v4 v4.1.33
	// Progress of long work.
	github.com/schollz/progressbar/v3 v3.19.1
	// Commands, flags and their help.
	github.com/spf13/cobra v1.10.2
	// Flags under cobra: what was wrong with one.
	github.com/spf13/pflag v1.0.9
	// Fonts and scaling for contact sheets, the rasteriser of the scenes.
	golang.org/x/image v0.47.0
	// What instructions the processor has.
	golang.org/x/sys v0.49.0
	// NFC normalisation, as CLIP's tokenizer does.
	golang.org/x/text v0.43.0
	// Linear algebra and distributions in float64 for the statistics.
	gonum.org/v1/gonum v0.17.0
	// Pictures of diagnoses.
	gonum.org/v1/plot v0.17.0
	// The expression graph: naming, shape and type inference. Frozen upstream, so it is
	// imported by nn alone. Its built-in heavy ops are not used.
	gorgonia.org/gorgonia v0.9.18
	gorgonia.org/tensor v0.9.24
)

// gorgonia's tensor refuses to start on a Go release it does not know; this version knows go1.26.
require go4.org/unsafe/assume-no-moving-gc v0.0.0-20231121144256-b99613f794b6 // indirect

require (
	codeberg.org/go-fonts/liberation v0.5.0 // indirect
	codeberg.org/go-latex/latex v0.2.0 // indirect
	codeberg.org/go-pdf/fpdf v0.11.1 // indirect
	git.sr.ht/~sbinet/gg v0.7.0 // indirect
	github.com/ajstarks/svgo v0.0.0-20211024235047-1546f124cd8b // indirect
	github.com/apache/arrow/go/arrow v0.0.0-20211112161151-bc219186db40 // indirect
	github.com/awalterschulze/gographviz v2.0.3+incompatible // indirect
	github.com/chewxy/math32 v1.10.1 // indirect
	github.com/gogo/protobuf v1.3.2 // indirect
	github.com/golang/freetype v0.0.0-20170609003504-e2365dfdc4a0 // indirect
	github.com/golang/protobuf v1.5.2 // indirect
	github.com/google/flatbuffers v2.0.6+incompatible // indirect
	github.com/google/uuid v1.3.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/leesper/go_rng v0.0.0-20190531154944-a612b043e353 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/pkg/errors v0.9.1 // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/xtgo/set v1.0.0 // indirect
	golang.org/x/term v0.44.0 // indirect
	golang.org/x/xerrors v0.0.0-20200804184101-5ec99f83aff1 // indirect
	google.golang.org/protobuf v1.28.0 // indirect
	gorgonia.org/cu v0.9.4 // indirect
	gorgonia.org/dawson v1.2.0 // indirect
	gorgonia.org/vecf32 v0.9.0 // indirect
	gorgonia.org/vecf64 v0.9.0 // indirect
)
