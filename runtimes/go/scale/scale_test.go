package scale

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"math/big"
	"os"
	"strings"
	"testing"
)

func wide(value *big.Int) Uint128 {
	low := new(big.Int).And(value, new(big.Int).SetUint64(^uint64(0)))
	return Uint128{Low: low.Uint64(), High: new(big.Int).Rsh(value, 64).Uint64()}
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	decoded, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(text, err)
	}
	return decoded
}

// codecs reads a value of each type, and gives it as text and encoded again.
var codecs = map[string]func(d *Decoder) (text string, again []byte){
	"u8": func(d *Decoder) (string, []byte) {
		value := d.Byte()
		return number(Uint128{Low: uint64(value)}), []byte{value}
	},
	"u32": func(d *Decoder) (string, []byte) {
		value := d.Uint32()
		return number(Uint128{Low: uint64(value)}), AppendUint32(nil, value)
	},
	"u64": func(d *Decoder) (string, []byte) {
		value := d.Uint64()
		return number(Uint128{Low: value}), AppendUint64(nil, value)
	},
	"u128": func(d *Decoder) (string, []byte) {
		value := d.Uint128()
		return number(value), AppendUint128(nil, value)
	},
	"compact32": func(d *Decoder) (string, []byte) {
		value := d.Compact32()
		return number(Uint128{Low: uint64(value)}), AppendCompact(nil, uint64(value))
	},
	"compact64": func(d *Decoder) (string, []byte) {
		value := d.Compact64()
		return number(Uint128{Low: value}), AppendCompact(nil, value)
	},
	"compact128": func(d *Decoder) (string, []byte) {
		value := d.Compact128()
		return number(value), AppendCompact128(nil, value)
	},
	"bytes": func(d *Decoder) (string, []byte) {
		value := d.Bytes()
		return hex.EncodeToString(value), AppendBytes(nil, value)
	},
}

func number(value Uint128) string {
	high := new(big.Int).Lsh(new(big.Int).SetUint64(value.High), 64)
	return high.Or(high, new(big.Int).SetUint64(value.Low)).String()
}

// What the Rust codec reads and writes, this one does, and what that refuses, this one does.
func TestAgreesWithRust(t *testing.T) {
	file, err := os.Open("../../vectors/scale.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	decoded, refused := map[string]int{}, map[string]int{}
	scanner := bufio.NewScanner(file)
	for scanner.Scan() {
		line := scanner.Text()
		fields := strings.Split(line, "\t")
		codec, known := codecs[fields[0]]
		if !known {
			continue
		}
		encoded := unhex(t, fields[2])
		d := NewDecoder(encoded)
		text, again := codec(d)
		if fields[1] == "!" {
			refused[fields[0]]++
			if d.Done() {
				t.Errorf("%s: decoded to %s", line, text)
			}
			continue
		}
		decoded[fields[0]]++
		if !d.Done() || text != fields[1] {
			t.Errorf("%s: decoded to %s, done: %t", line, text, d.Done())
		}
		if !bytes.Equal(again, encoded) {
			t.Errorf("%s: encoded to %x", line, again)
		}
	}
	if err := scanner.Err(); err != nil {
		t.Fatal(err)
	}
	for name := range codecs {
		if decoded[name] < 3 || strings.HasPrefix(name, "compact") && refused[name] < 20 {
			t.Errorf("%s: %d decoded and %d refused say little", name, decoded[name], refused[name])
		}
	}
}

func TestArithmeticOf128Bits(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	var values []*big.Int
	for exponent := uint(0); exponent <= 128; exponent += 4 {
		power := new(big.Int).Lsh(big.NewInt(1), exponent)
		for _, delta := range []int64{-1, 0, 1} {
			value := new(big.Int).Add(power, big.NewInt(delta))
			if value.Cmp(limit) < 0 {
				values = append(values, value)
			}
		}
	}
	for _, a := range values {
		for _, b := range values {
			sum, overflow := wide(a).Add(wide(b))
			expected := new(big.Int).Add(a, b)
			if overflow != (expected.Cmp(limit) >= 0) || sum != wide(new(big.Int).Mod(expected, limit)) {
				t.Errorf("%v + %v = %v, %t", a, b, sum, overflow)
			}
			difference, underflow := wide(a).Sub(wide(b))
			expected = new(big.Int).Sub(a, b)
			if underflow != (expected.Sign() < 0) || difference != wide(new(big.Int).Mod(expected, limit)) {
				t.Errorf("%v - %v = %v, %t", a, b, difference, underflow)
			}
			if wide(a).Less(wide(b)) != (a.Cmp(b) < 0) {
				t.Errorf("%v < %v", a, b)
			}
		}
	}
}

func TestListsAndOptions(t *testing.T) {
	seven := uint64(7)
	encoded := AppendSlice(nil, []string{"a", "", "bcd"}, AppendString)
	encoded = AppendOption(encoded, &seven, AppendUint64)
	encoded = AppendOption(encoded, (*uint64)(nil), AppendUint64)
	encoded = AppendBool(AppendUint32(AppendUint128(encoded, Uint128{1, 2}), 3), true)
	if expected := "0c0461000c626364" + "010700000000000000" + "00" +
		"01000000000000000200000000000000" + "03000000" + "01"; hex.EncodeToString(encoded) != expected {
		t.Fatalf("%x", encoded)
	}
	d := NewDecoder(encoded)
	list := Slice(d, (*Decoder).Bytes)
	some, isSome := Option(d, (*Decoder).Uint64)
	_, isNone := Option(d, (*Decoder).Uint64)
	number, last, one := d.Uint128(), d.Uint32(), d.Byte()
	if !d.Done() || len(list) != 3 || string(list[2]) != "bcd" || some != 7 || !isSome || isNone ||
		(number != Uint128{1, 2}) || last != 3 || one != 1 {
		t.Fatal(list, some, isSome, isNone, number, last, one, d.Done())
	}
	for length := range encoded {
		d := NewDecoder(encoded[:length])
		Slice(d, (*Decoder).Bytes)
		Option(d, (*Decoder).Uint64)
		Option(d, (*Decoder).Uint64)
		d.Uint128()
		d.Uint32()
		d.Byte()
		if d.Done() {
			t.Errorf("%d of %d bytes were enough", length, len(encoded))
		}
	}
}

// A length is believed no further than the bytes go.
func TestLengthsThatPromiseTooMuch(t *testing.T) {
	for _, encoded := range []string{"03ffffffff", "feffffff", "feffffff00"} {
		input, err := hex.DecodeString(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if d := NewDecoder(input); d.Bytes() != nil || !d.Failed() {
			t.Errorf("bytes of %s", encoded)
		}
		d := NewDecoder(input)
		if list := Slice(d, (*Decoder).Byte); !d.Failed() || len(list) > 2 {
			t.Errorf("list of %s", encoded)
		}
	}
	if d := NewDecoder([]byte{2}); true {
		if _, present := Option(d, (*Decoder).Byte); present || !d.Failed() {
			t.Error("an option is 0 or 1")
		}
	}
}
