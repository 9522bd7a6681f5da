package hdf5

import "slices"

// Fill times: when the library writes the fill value into room that it takes.
const (
	fillNever = 1 // 0 is on allocation
	fillIfSet = 2
)

// fillRule is what is read from places that were never written.
type fillRule struct {
	value     []byte // an element as stored; nil for zeros
	time      uint8
	undefined bool // the file says that there is no fill value
}

// bytes is the fill value of one value, nil for zeros. Where the fill value is not to be written, the library leaves a reader's
// memory as it is, and zero is what h5py's readers find there.
func (d *Dataset) fillBytes() ([]byte, error) {
	v := d.unfilled.value
	if v == nil || d.unfilled.time == fillNever {
		return nil, nil
	}
	size := d.elem.Size
	for i := size; i < len(v); i += size { // of an array type
		if !slices.Equal(v[:size], v[i:i+size]) {
			return nil, d.errorf("the fill value is an array of different numbers, expected equal ones")
		}
	}
	return v[:size], nil
}

// checkUnwritten refuses a dataset without any data whose fill value is marked as undefined, as the library does.
func (d *Dataset) checkUnwritten() error {
	lazy := d.class == layoutContiguous || d.class == layoutChunked
	if lazy && d.addr == undefined && d.Len() > 0 && d.unfilled.undefined && d.unfilled.time != fillNever {
		return d.errorf("nothing was ever written, and there is no fill value")
	}
	return nil
}

func (d *Dataset) parseFill(msgs []headerMessage) error {
	d.unfilled.time = fillIfSet
	m, ok, err := d.f.find(msgs, msgFillValue)
	if err != nil {
		return err
	}
	if !ok {
		m, ok, err = d.f.find(msgs, msgFillOld)
		if err != nil || !ok {
			return err
		}
		c := d.f.cursor(m)
		return d.setFill(c, c.u32())
	}
	c := d.f.cursor(m)
	version := c.u8()
	switch version {
	case 1, 2:
		c.skip(1) // when room is taken
		d.unfilled.time = c.u8()
		defined := c.u8() != 0
		if version == 2 && !defined {
			d.unfilled.undefined = true
			return c.err
		}
		n := c.u32()
		if !defined {
			return c.err
		}
		return d.setFill(c, n)
	case 3:
		flags := c.u8()
		d.unfilled.time = flags >> 2 & 3
		d.unfilled.undefined = flags&0x10 != 0
		if flags&0x20 != 0 {
			return d.setFill(c, c.u32())
		}
	default:
		c.failf("fill value version %d, known are 1 to 3", version)
	}
	return c.err
}

func (d *Dataset) setFill(c *cursor, n uint32) error {
	if n == 0 || c.err != nil {
		return c.err
	}
	if int64(n) != int64(d.stored) {
		c.failf("fill value of %d bytes for elements of %d", n, d.stored)
	}
	d.unfilled.value = slices.Clone(c.bytes(int(n)))
	return c.err
}
