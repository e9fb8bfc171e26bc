// Package scale is Polkadot's encoding, without reflection: a function or method for each type, and generic ones for
// lists and options.
//
// Encoding appends to a slice, as the standard library's does:
//
//	encoded := scale.AppendUint32(nil, 7)
//	encoded = scale.AppendBytes(encoded, []byte("name"))
//
// Decoding is by a [Decoder]:
//
//	d := scale.NewDecoder(encoded)
//	number, name := d.Uint32(), d.Bytes()
//	if !d.Done() {
//		// Something was missing, not in its shortest form, or left over.
//	}
package scale

import (
	"encoding/binary"
	"math/bits"
)

// AppendBool appends one byte, 1 or 0.
func AppendBool(to []byte, value bool) []byte {
	if value {
		return append(to, 1)
	}
	return append(to, 0)
}

// AppendUint32 appends four bytes.
func AppendUint32(to []byte, value uint32) []byte {
	return binary.LittleEndian.AppendUint32(to, value)
}

// AppendUint64 appends eight bytes.
func AppendUint64(to []byte, value uint64) []byte {
	return binary.LittleEndian.AppendUint64(to, value)
}

// AppendUint128 appends sixteen bytes.
func AppendUint128(to []byte, value Uint128) []byte {
	return AppendUint64(AppendUint64(to, value.Low), value.High)
}

// AppendCompact appends an integer in its shortest form.
func AppendCompact(to []byte, value uint64) []byte {
	switch {
	case value < 1<<6:
		return append(to, byte(value<<2))
	case value < 1<<14:
		return binary.LittleEndian.AppendUint16(to, uint16(value<<2|1))
	case value < 1<<30:
		return binary.LittleEndian.AppendUint32(to, uint32(value<<2|2))
	}
	return appendLong(to, Uint128{Low: value})
}

// AppendCompact128 appends an integer in its shortest form.
func AppendCompact128(to []byte, value Uint128) []byte {
	if value.High == 0 {
		return AppendCompact(to, value.Low)
	}
	return appendLong(to, value)
}

// appendLong appends an integer of 2^30 and more: the number of its bytes, and them.
func appendLong(to []byte, value Uint128) []byte {
	length := max(4, (bits.Len64(value.Low)+7)/8)
	if value.High != 0 {
		length = 8 + (bits.Len64(value.High)+7)/8
	}
	to = append(to, byte(length-4)<<2|3)
	var all [16]byte
	binary.LittleEndian.PutUint64(all[:8], value.Low)
	binary.LittleEndian.PutUint64(all[8:], value.High)
	return append(to, all[:length]...)
}

// AppendBytes appends a list of bytes: its length, and them.
func AppendBytes(to, bytes []byte) []byte {
	return append(AppendCompact(to, uint64(len(bytes))), bytes...)
}

// AppendString appends a text as the list of its bytes.
func AppendString(to []byte, text string) []byte {
	return append(AppendCompact(to, uint64(len(text))), text...)
}

// AppendSlice appends a list, each of its elements with one.
func AppendSlice[T any](to []byte, list []T, one func([]byte, T) []byte) []byte {
	to = AppendCompact(to, uint64(len(list)))
	for _, element := range list {
		to = one(to, element)
	}
	return to
}

// AppendOption appends a value that is there, with one, or that it is not.
func AppendOption[T any](to []byte, value *T, one func([]byte, T) []byte) []byte {
	if value == nil {
		return append(to, 0)
	}
	return one(append(to, 1), *value)
}
