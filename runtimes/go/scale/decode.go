package scale

import (
	"encoding/binary"
	"math/bits"
)

// A Decoder reads values from bytes, one after the other.
//
// After the first value that does not decode, every further one is its type's zero value: so a caller reads all that
// it expects and asks once, with [Decoder.Done], whether it was there.
type Decoder struct {
	rest   []byte
	failed bool
}

// NewDecoder reads from input, which must not change as long as what was read is used: byte slices are views of it.
func NewDecoder(input []byte) *Decoder {
	return &Decoder{rest: input}
}

// Failed tells whether a value did not decode.
func (d *Decoder) Failed() bool { return d.failed }

// Fail makes the decoder one whose values do not decode: for values that the caller finds wrong.
func (d *Decoder) Fail() {
	d.failed = true
	d.rest = nil
}

// Done tells whether everything decoded and nothing is left.
func (d *Decoder) Done() bool { return !d.failed && len(d.rest) == 0 }

// Rest is what was not read yet.
func (d *Decoder) Rest() []byte { return d.rest }

// Since gives the bytes that were read after before was the [Decoder.Rest].
func (d *Decoder) Since(before []byte) []byte {
	return before[:len(before)-len(d.rest)]
}

// Fixed reads so many bytes as they are; nil where they are not there.
func (d *Decoder) Fixed(length int) []byte {
	if length > len(d.rest) {
		d.Fail()
		return nil
	}
	read := d.rest[:length:length]
	d.rest = d.rest[length:]
	return read
}

// Byte reads one byte.
func (d *Decoder) Byte() byte {
	if len(d.rest) == 0 {
		d.Fail()
		return 0
	}
	read := d.rest[0]
	d.rest = d.rest[1:]
	return read
}

// Bytes32 reads 32 bytes: a hash or an account.
func (d *Decoder) Bytes32() (value [32]byte) {
	copy(value[:], d.Fixed(32))
	return value
}

// Uint32 reads four bytes.
func (d *Decoder) Uint32() uint32 {
	if bytes := d.Fixed(4); bytes != nil {
		return binary.LittleEndian.Uint32(bytes)
	}
	return 0
}

// Uint64 reads eight bytes.
func (d *Decoder) Uint64() uint64 {
	if bytes := d.Fixed(8); bytes != nil {
		return binary.LittleEndian.Uint64(bytes)
	}
	return 0
}

// Uint128 reads sixteen bytes.
func (d *Decoder) Uint128() Uint128 {
	low := d.Uint64()
	return Uint128{Low: low, High: d.Uint64()}
}

// compact reads a compact integer of at most so many bits.
func (d *Decoder) compact(width int) (value Uint128) {
	first := d.Byte()
	switch first & 3 {
	case 0:
		return Uint128{Low: uint64(first >> 2)}
	case 1:
		value.Low = uint64(first)>>2 | uint64(d.Byte())<<6
		if value.Low < 1<<6 {
			d.Fail()
		}
	case 2:
		rest := d.Fixed(3)
		if rest == nil {
			return Uint128{}
		}
		value.Low = (uint64(first) | uint64(rest[0])<<8 | uint64(rest[1])<<16 | uint64(rest[2])<<24) >> 2
		if value.Low < 1<<14 {
			d.Fail()
		}
	default:
		length := int(first>>2) + 4
		bytes := d.Fixed(min(length, 17))
		if d.failed || length*8 > width {
			d.Fail()
			return Uint128{}
		}
		for at, digit := range bytes {
			if at < 8 {
				value.Low |= uint64(digit) << (8 * at)
			} else {
				value.High |= uint64(digit) << (8 * (at - 8))
			}
		}
		// The shortest form: four bytes are for what the form before cannot hold, a last byte of 0 is never needed.
		if length == 4 && value.Low < 1<<30 || length > 4 && bytes[length-1] == 0 {
			d.Fail()
		}
	}
	if d.failed {
		return Uint128{}
	}
	return value
}

// Compact32 reads a compact integer of at most 32 bits.
func (d *Decoder) Compact32() uint32 { return uint32(d.compact(32).Low) }

// Compact64 reads a compact integer of at most 64 bits.
func (d *Decoder) Compact64() uint64 { return d.compact(64).Low }

// Compact128 reads a compact integer of at most 128 bits.
func (d *Decoder) Compact128() Uint128 { return d.compact(128) }

// Bytes reads a list of bytes.
func (d *Decoder) Bytes() []byte {
	length := d.Compact32()
	if uint64(length) > uint64(len(d.rest)) {
		d.Fail()
		return nil
	}
	return d.Fixed(int(length))
}

// Slice reads a list, its elements with one.
//
// The list grows with what is there: what it says of its length is believed no further.
func Slice[T any](d *Decoder, one func(*Decoder) T) []T {
	count := d.Compact32()
	var list []T
	for at := uint32(0); at < count && !d.failed; at++ {
		list = append(list, one(d))
	}
	return list
}

// Option reads a value that may be absent, with one where it is there.
func Option[T any](d *Decoder, one func(*Decoder) T) (value T, present bool) {
	switch d.Byte() {
	case 0:
	case 1:
		return one(d), !d.failed
	default:
		d.Fail()
	}
	return value, false
}

// A Uint128 is an unsigned integer of 128 bits.
type Uint128 struct {
	Low, High uint64
}

// Less tells whether a is smaller than b.
func (a Uint128) Less(b Uint128) bool {
	return a.High < b.High || a.High == b.High && a.Low < b.Low
}

// IsZero tells whether a is 0.
func (a Uint128) IsZero() bool { return a.Low|a.High == 0 }

// Add gives a + b, and whether that has more than 128 bits.
func (a Uint128) Add(b Uint128) (sum Uint128, overflow bool) {
	low, carry := bits.Add64(a.Low, b.Low, 0)
	high, carry := bits.Add64(a.High, b.High, carry)
	return Uint128{Low: low, High: high}, carry != 0
}

// Sub gives a - b, and whether that is less than 0.
func (a Uint128) Sub(b Uint128) (difference Uint128, underflow bool) {
	low, borrow := bits.Sub64(a.Low, b.Low, 0)
	high, borrow := bits.Sub64(a.High, b.High, borrow)
	return Uint128{Low: low, High: high}, borrow != 0
}
