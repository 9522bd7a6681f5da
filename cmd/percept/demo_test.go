package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"percept/fmri/study"
	"percept/fmri/study/report"
)

// What is printed of a run: a block for each subject with a line for each fit, where the fits are more than those of the pictures;
// scores where there are pictures; where the page is.
func TestPrintResult(t *testing.T) {
	fit := func(subject, name, from, r, id string) report.Diagnosis {
		return report.Diagnosis{Subject: subject, Feature: name, From: from,
			Values: []report.Value{{Text: r, Small: "not printed"}, {Text: id}}}
	}
	z := fit("subj01", "z", "early", "0.512", "98.0 %")
	many := []report.Diagnosis{z, fit("subj01", "encoding_of_early", "early from z", "-0.1", "–"), fit("subj01", "c", "ventral, lateral",
		"0.3", "60.0 %"),
		fit("subj02", "z", "early", "0.4", "90.0 %"), fit("subj02", "encoding_of_early", "early from z", "0.2", "–"), fit("subj02", "c",
			"ventral, lateral", "0.2", "55.0 %")}
	columns := []report.Column{{Title: "pattern r"}, {Title: "2-way"}}
	const table = `
subj01               from              pattern r  2-way
  z                  early             0.512      98.0 %
  encoding_of_early  early from z      -0.1       –
  c                  ventral, lateral  0.3        60.0 %

subj02               from              pattern r  2-way
  z                  early             0.4        90.0 %
  encoding_of_early  early from z      0.2        –
  c                  ventral, lateral  0.2        55.0 %
`
	scored := study.Result{Report: filepath.Join("run", "report.html"), Sheet: filepath.Join("run", "sheet.png"),
		Subjects: []string{"subj01"}, DiagnosisColumns: columns,
		Metrics: []report.Metric{{Name: "pixcorr", Short: "PixCorr"}, {Name: "id", Short: "pixels %", Percent: true}},
		Scores: []report.Score{{Subject: "subj01", Method: "z", Metric: "pixcorr", Value: 0.5, Low: 0.25, High: 0.75}, {Subject: "subj01",
			Method: "z", Metric: "id", Value: 0.9, Low: 0.8, High: 1},
			{Subject: "subj01", Method: study.Shuffled, Metric: "id", Value: 0.5, Low: 0.4, High: 0.6, ChanceLow: 0.3, ChanceHigh: 0.7}}}
	pair, more := scored, scored
	pair.Diagnoses = []report.Diagnosis{z, z}
	more.Diagnoses = many[:3]
	const scores = `
subj01          PixCorr             pixels %
  z             0.500 [0.25, 0.75]  90.0 [80, 100]
`
	for _, c := range []struct {
		name           string
		result         study.Result
		printed, never []string
	}{
		{"fits alone", study.Result{Report: "report.html", Subjects: []string{"subj01", "subj02"}, DiagnosisColumns: columns,
			Diagnoses: many},
			[]string{table, "\nreport         "}, []string{"contact sheet", "chance", "true z"}},
		{"published pair", pair, []string{scores, "\n  shuffled z+c                      50.0 [40, 60]\n",
			"\n  chance                            [30, 70]\n", "\ncontact sheet  " + scored.Sheet}, []string{"pattern r", "early"}},
		{"pictures and more fits", more, []string{table[:strings.Index(table, "\nsubj02")], scores}, []string{"subj02"}},
	} {
		var b bytes.Buffer
		if err := printResult(&b, &c.result); err != nil {
			t.Fatal(err)
		}
		absolute, err := filepath.Abs(c.result.Report)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range append(c.printed, absolute+"\n") {
			if !strings.Contains(b.String(), part) {
				t.Errorf("%s: printed\n%s\nexpected in it\n%s", c.name, b.String(), part)
			}
		}
		for _, part := range append(c.never, "not printed") {
			if strings.Contains(b.String(), part) {
				t.Errorf("%s: printed\n%s\nexpected no %q in it", c.name, b.String(), part)
			}
		}
	}
}
