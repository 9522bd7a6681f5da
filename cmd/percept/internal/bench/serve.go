package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"percept/internal/atomicfile"
	"percept/nn"
)

// Serve answers commands from a program that times this one in turn with others: one a line, each answered by a line.
//
//	load CASE   builds the case and runs it once       ok SECONDS
//	run [N]     runs it, N times after once untimed    ms MILLISECONDS PROCESSOR-MILLISECONDS of one run
//	save FILE   writes the last result, float32        ok SHAPE
//	memory      the most memory so far                 mib MEBIBYTES
//	quit
//
// A command that fails is answered by "error" and what was wrong.
func Serve(ctx context.Context, cases []Case, in io.Reader, out io.Writer) error {
	s := server{cases: cases}
	return serve(ctx, in, out, func(words []string) (string, error) { return s.answer(ctx, words) })
}

// serve answers lines until one is "quit".
func serve(ctx context.Context, in io.Reader, out io.Writer, answer func(words []string) (string, error)) error {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 1 && words[0] == "quit" {
			return nil
		}
		text, err := answer(words)
		if err != nil {
			text = "error " + err.Error()
		}
		if _, err := fmt.Fprintln(out, text); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

type server struct {
	cases []Case
	job   *job
}

func (s *server) answer(ctx context.Context, words []string) (string, error) {
	command := ""
	if len(words) > 0 {
		command = words[0]
	}
	switch {
	case command == "load" && len(words) == 2:
		start := time.Now()
		s.job = nil
		for _, c := range s.cases {
			if c.Name != words[1] {
				continue
			}
			j, err := c.build(ctx, nn.Options{})
			if err != nil {
				return "", err
			}
			s.job = j
			return fmt.Sprintf("ok %.3f", time.Since(start).Seconds()), j.run(ctx)
		}
		return "", fmt.Errorf("no case %q", words[1])
	case command == "memory" && len(words) == 1:
		return fmt.Sprintf("mib %d", maxRSS()>>20), nil
	case s.job == nil:
		return "", fmt.Errorf("%q, expected load CASE first", strings.Join(words, " "))
	case command == "run" && len(words) == 1:
		return s.run(ctx, 1)
	case command == "run" && len(words) == 2:
		n, err := strconv.Atoi(words[1])
		if err != nil || n < 1 {
			return "", fmt.Errorf("run %q, expected a number from 1 on", words[1])
		}
		if err := s.job.run(ctx); err != nil {
			return "", err
		}
		return s.run(ctx, n)
	case command == "save" && len(words) == 2:
		data, shape, err := s.job.output()
		if err != nil {
			return "", err
		}
		return "ok " + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", "x"), "[]"), writeBinary(words[1], data)
	}
	return "", fmt.Errorf("%q, expected load CASE, run [N], save FILE, memory or quit", strings.Join(words, " "))
}

// run times n runs.
func (s *server) run(ctx context.Context, n int) (string, error) {
	start, processor := time.Now(), processorSeconds()
	for range n {
		if err := s.job.run(ctx); err != nil {
			return "", err
		}
	}
	wall, processor := time.Since(start).Seconds(), processorSeconds()-processor
	return fmt.Sprintf("ms %.4f %.4f", 1e3*wall/float64(n), 1e3*processor/float64(n)), nil
}

// writeBinary writes float32 or float64 values, little-endian.
func writeBinary(path string, values any) error {
	b, err := binary.Append(nil, binary.LittleEndian, values)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, b)
}
