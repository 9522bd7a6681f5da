package scene

// LabelNames names the entries of Labels.
var LabelNames = labelNames()

// ThingNames names the kinds of things that a scene can hold, sun and mountains included: the first
// entries of Labels.
func ThingNames() []string { return LabelNames[:numKinds:numKinds] }

func labelNames() []string {
	var names []string
	for k := range numKinds {
		names = append(names, k.String())
	}
	for t := range numTimes {
		names = append(names, t.String())
	}
	for g := range numGrounds {
		names = append(names, g.String())
	}
	for c := range numColours {
		names = append(names, "main "+c.String())
	}
	return append(names, "animal", "vehicle", "one", "two", "three", "big")
}

// Labels says what is in the scene, whatever its place: 0 or 1 for each of LabelNames. First the
// kinds of objects, then the time of day, the ground, the colour of the largest main object, and
// last the groups and numbers of main objects and whether the largest is bigger than usual.
func (s Scene) Labels() []float32 {
	v := make([]float32, len(LabelNames))
	times := int(numKinds)
	grounds := times + int(numTimes)
	colours := grounds + int(numGrounds)
	groups := colours + int(numColours)
	mains := 0
	for _, o := range s.Objects {
		v[o.Kind] = 1
		switch o.Kind {
		case Horse, Dog, Cat:
			v[groups] = 1
		case Boat, Car:
			v[groups+1] = 1
		}
		if o.Kind.Main() {
			mains++
		}
	}
	v[times+int(s.Time)] = 1
	v[grounds+int(s.Ground)] = 1
	main := s.MainObject()
	v[colours+int(main.Colour)] = 1
	if mains >= 1 && mains <= 3 {
		v[groups+1+mains] = 1
	}
	if main.relativeSize() > bigFrom {
		v[groups+5] = 1
	}
	return v
}
