package main

import (
	"path/filepath"

	"percept/fmri/study"
	"percept/fmri/study/stage"
)

// runDocument is what percept run and percept demo print with --json.
type runDocument struct {
	Folder    string        `json:"folder"`
	Subjects  []string      `json:"subjects"`
	Diagnoses []fitDocument `json:"diagnoses"`
	Scores    []study.Row   `json:"scores"` // as scores.json
	Sheet     string        `json:"contact_sheet,omitempty"`
	Report    string        `json:"report"`
}

// fitDocument is what a fit's predictions are worth: a line of the table.
type fitDocument struct {
	Subject string          `json:"subject"`
	Feature string          `json:"feature"`
	From    string          `json:"from"`
	Values  []valueDocument `json:"values"`
}

// valueDocument is a cell as the table shows it.
type valueDocument struct {
	Column string `json:"column"`
	Text   string `json:"text"`
	Small  string `json:"small,omitempty"`
}

func resultDocument(folder string, r *study.Result) runDocument {
	d := runDocument{folder, r.Subjects, []fitDocument{}, r.Scores, r.Sheet, r.Report}
	if d.Scores == nil {
		d.Scores = []study.Row{}
	}
	for _, of := range r.Diagnoses {
		f := fitDocument{of.Subject, of.Feature, of.From, []valueDocument{}}
		for i, v := range of.Values {
			f.Values = append(f.Values, valueDocument{r.DiagnosisColumns[i].Title, v.Text, v.Small})
		}
		d.Diagnoses = append(d.Diagnoses, f)
	}
	return d
}

// planDocument is what percept run --dry-run prints with --json.
func planDocument(folder string, plans []stage.Plan) any {
	type planned struct {
		Name     string  `json:"name"`
		Output   string  `json:"output"`
		UpToDate bool    `json:"up_to_date"`
		Why      string  `json:"why,omitempty"`
		Seconds  float64 `json:"seconds_last_time,omitempty"`
	}
	all, made := []planned{}, 0
	for _, p := range plans {
		all = append(all, planned{p.Name, filepath.Join(folder, p.Output), !p.Make, p.Why, p.Seconds})
		if p.Make {
			made++
		}
	}
	return map[string]any{"folder": folder, "stages": all, "stages_to_make": made}
}
