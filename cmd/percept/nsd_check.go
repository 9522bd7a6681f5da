package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"percept/fmri"
	"percept/fmri/nsd"
	"percept/fmri/nsd/doctor"
)

func newNSDCheck() *cobra.Command {
	var subjects []string
	var o doctor.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check DIR",
		Short: "Say what of the dataset is in a folder, what is missing for what, and what is damaged",
		Long: `Look at the design, the behaviour and the ids in it, the table of images and the captions; at the
header of every file of betas, its trials, volume, type and chunks; at masks, regions and their
label tables, and ncsnr. Say which analyses are possible for whom, and each problem in a line:
the file, what is wrong with it, what to do.

--deep also reads 64 voxels of every HDF5 and .mgh file, with its index of chunks, and every
.nii.gz from front to back: truncated and damaged data show there at the latest.

A file that is not there is no problem but something that an analysis lacks. A session missing
between others is one.

Exit status: 0 if z or c of at least one subject can be decoded and nothing is damaged, else 1.`,
		Example: `  percept nsd check /data/nsd
  percept nsd check /data/nsd --subject subj01 --subject subj02 --deep
  percept nsd check /data/nsd --json | jq '.problems[]'`,
		Args: oneArg("the folder that holds nsddata, nsddata_betas and nsddata_stimuli"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, s := range subjects {
				if err := checkSubject(s); err != nil {
					return err
				}
				o.Subjects = append(o.Subjects, fmri.Subject(s))
			}
			b := logOf(cmd).Start("check " + args[0])
			o.Progress = func(done, total int, _ string) { b.Progress(done, total) }
			r, err := doctor.Check(cmd.Context(), args[0], o)
			b.Drop()
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				err = e.Encode(r)
			} else {
				err = printReport(cmd.OutOrStdout(), r)
			}
			if err == nil && !r.Healthy() {
				return fmt.Errorf("%s: %s", args[0], verdict(r))
			}
			return err
		},
	}
	cmd.Flags().StringArrayVar(&subjects, "subject", nil, "look at `subjNN` alone; may be given more than once")
	cmd.Flags().BoolVar(&o.Deep, "deep", false, "read a sample of the values of every file of betas")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print everything as JSON")
	return cmd
}

// verdict says in a few words why a tree is not healthy.
func verdict(r *doctor.Report) string {
	damaged := 0
	for _, p := range r.Problems {
		if p.Kind == doctor.Damaged {
			damaged++
		}
	}
	switch damaged {
	case 0:
		return "no subject can be decoded, see above for what is lacking"
	case 1:
		return "1 thing is damaged, see above"
	}
	return fmt.Sprintf("%d things are damaged, see above", damaged)
}

// printReport prints a report for people.
func printReport(out io.Writer, r *doctor.Report) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	printShared(t, r)
	t.Flush() // columns begin anew
	fmt.Fprintln(t, "\nsubject\tsessions\ttrials\timages\tseen 1, 2, 3 times\tshared seen\tvolume\tbrain voxels")
	for _, s := range r.Subjects {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d, %d, %d\t%d\t%s\t%d\n", s.Name, sessionsOf(s), s.Trials, s.Images,
			s.Repeats[1], s.Repeats[2], s.Repeats[3], s.SharedSeen, volume(s.Volume[:]), s.Brain)
	}
	t.Flush()
	fmt.Fprintln(t, "\nsubject\tspace\tbetas\tsessions\tfiles\tvolume\tstored\tchunks\tsize\tncsnr: median, range")
	for _, s := range r.Subjects {
		for _, b := range s.Betas {
			printBetas(t, s, b)
		}
	}
	t.Flush()
	fmt.Fprintln(t, "\nsubject\tatlas\tregions and their voxels")
	for _, s := range r.Subjects {
		for _, a := range s.Atlases {
			printAtlas(t, s, a)
		}
	}
	t.Flush()
	printAnalyses(t, r)
	if err := t.Flush(); err != nil {
		return err
	}
	if len(r.Problems) == 0 {
		_, err := fmt.Fprintln(out, "\nno problems")
		return err
	}
	fmt.Fprintln(out)
	for _, p := range r.Problems {
		if _, err := fmt.Fprintf(out, "%-8s %s: %s. %s.\n", p.Kind, p.File, p.What, capital(p.Do)); err != nil {
			return err
		}
	}
	return nil
}

// sessionsOf writes a subject's sessions and how many trials they have.
func sessionsOf(s *doctor.Subject) string {
	if len(s.Sessions) == 0 {
		return "-"
	}
	return nsd.Ranges(s.Sessions) + " of " + span(slices.Collect(maps.Values(s.PerSession)))
}

// span writes the least and the largest of some numbers, or the one that they all are.
func span(n []int) string {
	if low, high := slices.Min(n), slices.Max(n); low != high {
		return fmt.Sprintf("%d to %d", low, high)
	}
	return fmt.Sprint(n[0])
}

func capital(s string) string {
	return strings.ToUpper(s[:min(1, len(s))]) + s[min(1, len(s)):]
}

// volume writes a shape, "-" for one that is not known.
func volume(n []int) string {
	parts := make([]string, len(n))
	for i, v := range n {
		if v == 0 {
			return "-"
		}
		parts[i] = fmt.Sprint(v)
	}
	return cmp.Or(strings.Join(parts, "×"), "-")
}

// printShared prints what all subjects share.
func printShared(w io.Writer, r *doctor.Report) {
	var total int64
	var parts []string
	for _, name := range []string{"nsddata", "nsddata_betas", "nsddata_stimuli"} {
		total += r.Bytes[name]
		parts = append(parts, name+" "+gibibytes(r.Bytes[name]))
	}
	fmt.Fprintf(w, "%s\t%s: %s\n", r.Root, gibibytes(total), strings.Join(parts, ", "))
	if d := r.Design; d != nil {
		sessions := ""
		if n := d.SessionTrials; len(n) > 0 {
			sessions = fmt.Sprintf(" in %d sessions of %s", len(n), span(n))
		}
		fmt.Fprintf(w, "design\t%d trials%s, %d subjects, %d shared images\n", d.Trials, sessions, d.Subjects, d.Shared)
	} else {
		fmt.Fprintln(w, "design\t-")
	}
	if s := r.Stimuli; s != nil {
		fmt.Fprintf(w, "images\t%d of %d×%d, chunks %s, %s\n", s.Images, s.Height, s.Width, volume(s.Chunks), gibibytes(s.Bytes))
	} else {
		fmt.Fprintln(w, "images\t-")
	}
	switch {
	case r.Table == nil:
		fmt.Fprintln(w, "captions\t-")
	case r.Captions == nil:
		fmt.Fprintf(w, "captions\ttable of %d images, ids from %d; no texts\n", r.Table.Images, r.Table.First)
	default:
		fmt.Fprintf(w, "captions\t%d of %d images, ids from %d\n", r.Captions.Texts, r.Captions.Images, r.Table.First)
	}
}

func printBetas(w io.Writer, s *doctor.Subject, b *doctor.Betas) {
	var files []string
	for _, f := range []string{"hdf5", "nii.gz", "mgh"} {
		if n := b.Formats[f]; n > 0 {
			files = append(files, fmt.Sprintf("%d %s", n, f))
		}
	}
	sessions := nsd.Ranges(b.Sessions)
	if len(b.Usable) < len(b.Sessions) {
		sessions += fmt.Sprintf(" (usable: %s)", cmp.Or(nsd.Ranges(b.Usable), "-"))
	}
	stored := b.Stored
	if b.Scale != 1 && stored != "" {
		stored += fmt.Sprintf(" ×%g", b.Scale)
	}
	ncsnr := "-"
	if n := b.NCSNR; n != nil {
		ncsnr = fmt.Sprintf("%.2f, %.2f to %.2f, NaN in %d of %d voxels", n.Median, n.Min, n.Max, n.NaN, n.Voxels)
	}
	fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, b.Space, b.Version, sessions, strings.Join(files, ", "),
		volume(b.Shape[:]), cmp.Or(stored, "-"), volume(b.Chunks), gibibytes(b.Bytes), ncsnr)
	if d := b.Sample; d != nil {
		fmt.Fprintf(w, "\t\tsampled\t%d values: %.3g to %.3g %%, standard deviation %.3g %%, %d NaN, %d saturated\n",
			d.Values, d.Min, d.Max, d.SD, d.NaN, d.Saturated)
	}
}

func printAtlas(w io.Writer, s *doctor.Subject, a doctor.Atlas) {
	var regions []string
	for _, r := range a.Regions {
		regions = append(regions, fmt.Sprintf("%s %d", r.Name, r.Voxels))
	}
	text := cmp.Or(strings.Join(regions, ", "), "-")
	if len(a.Unnamed) > 0 {
		text += "; values without a name: " + nsd.Ranges(a.Unnamed)
	}
	if len(a.Voxelless) > 0 {
		text += "; names without voxels: " + strings.Join(a.Voxelless, ", ")
	}
	fmt.Fprintf(w, "%s\t%s\t%s\n", s.Name, a.Name, text)
}

// printAnalyses prints who can be analysed how, and what each analysis lacks.
func printAnalyses(w io.Writer, r *doctor.Report) {
	fmt.Fprint(w, "\npossible")
	for _, s := range r.Subjects {
		fmt.Fprintf(w, "\t%s", s.Name)
	}
	fmt.Fprintln(w)
	for i, name := range doctor.Analyses {
		fmt.Fprint(w, name)
		var lacks []string
		for _, s := range r.Subjects {
			a := s.Analyses[i]
			if a.OK() {
				fmt.Fprint(w, "\tyes")
				continue
			}
			fmt.Fprint(w, "\tno")
			text := a.Lacks[0]
			if n := len(a.Lacks); n > 1 {
				text += fmt.Sprintf(" and %d more", n-1)
			}
			if !slices.Contains(lacks, text) {
				lacks = append(lacks, text)
			}
		}
		if len(lacks) > 0 {
			fmt.Fprintf(w, "\tlacks %s", lacks[0])
			if len(lacks) > 1 {
				fmt.Fprint(w, "; of other subjects other files")
			}
		}
		fmt.Fprintln(w)
	}
}
