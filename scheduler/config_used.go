package scheduler

import "encoding/json"

// Used is what a sampler takes from the configuration and its class has not by itself, as a JSON object: a Config of it
// makes the same sampler again.
func (c *Config) Used(sampler string) (json.RawMessage, error) {
	of, s, err := c.of(sampler)
	if err != nil {
		return nil, err
	}
	used := map[string]json.RawMessage{}
	for _, key := range of.keys {
		value, standard := text(fields[key](&s)), text(fields[key](&of.defaults))
		if value != standard {
			used[key] = json.RawMessage(value)
		}
	}
	return json.Marshal(used)
}

// text is the value of a field as in the file.
func text(field any) string {
	var value any
	switch v := field.(type) {
	case *float64:
		return number(*v)
	case *optional:
		if !v.given {
			return "null"
		}
		return number(v.value)
	case *optionalText:
		if *v == "" {
			return "null"
		}
		value = *v
	case *bool:
		value = *v
	case *int:
		value = *v
	case *string:
		value = *v
	case *[]float64:
		value = *v
	}
	b, err := json.Marshal(value)
	if err != nil {
		panic(err) // infinite betas do not pass the check of a schedule
	}
	return string(b)
}

// number writes infinities as a number beyond float64, which JSON has and every reader takes for them.
func number(x float64) string {
	switch {
	case x > maxFloat:
		return "1e999"
	case x < -maxFloat:
		return "-1e999"
	}
	b, _ := json.Marshal(x) // finite: NaN is refused before
	return string(b)
}
