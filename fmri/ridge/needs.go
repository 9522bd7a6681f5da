package ridge

// Memory returns how many bytes FitCV takes beyond X [rows, features] and Y [rows, targets], the model
// included: full without a limit, and least with the smallest Options.MaxMemory that leaves the
// products at full speed. X is taken to be standardised, or to need float64.
func (o Options) Memory(rows, features, targets int) (least, full int64, err error) {
	if o, err = o.withDefaults(rows); err != nil {
		return 0, 0, err
	}
	parts, err := Folds(rows, o.Folds, o.Groups)
	if err != nil {
		return 0, 0, err
	}
	unknowns, primal := rows, o.primal(rows, features)
	if primal {
		unknowns = features
	}
	double := o.NoStandardise && o.Precision != Single || o.doubleFor(unknowns, float64(rows)*float64(features))
	s := size{n: rows, p: features, t: targets, held: longest(parts), primal: primal, double: double, cv: true}
	return s.bytes(min(fastBatch, targets), 1), s.bytes(min(wideBatch, targets), len(o.Alphas)), nil
}

// fastBatch is the number of targets in the narrowest batch that products run at full speed with.
const fastBatch = 512
