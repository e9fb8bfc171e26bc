package scale

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"math/big"
	"os"
	"strconv"
	"strings"
	"testing"
)

func wide(value *big.Int) Uint128 {
	low := new(big.Int).And(value, new(big.Int).SetUint64(^uint64(0)))
	return Uint128{Low: low.Uint64(), High: new(big.Int).Rsh(value, 64).Uint64()}
}

// What the Rust codec reads and writes, this one does, and what that refuses, this one does.
func TestCompactAgreesWithRust(t *testing.T) {
	file, err := os.Open("../../ledger/compact.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, refused := 0, 0
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		line := scanner.Text()
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Split(line, " ")
		bits, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatal(line, err)
		}
		encoded, err := hex.DecodeString(fields[2])
		if err != nil {
			t.Fatal(line, err)
		}
		d := NewDecoder(encoded)
		value := d.compact(bits)
		lines++
		if fields[1] == "-" {
			refused++
			if d.Done() {
				t.Errorf("%s: decoded to %v", line, value)
			}
			continue
		}
		expected, ok := new(big.Int).SetString(fields[1], 10)
		if !ok {
			t.Fatal(line)
		}
		if !d.Done() || value != wide(expected) {
			t.Errorf("%s: decoded to %v, done: %t", line, value, d.Done())
		}
		if again := AppendCompact128(nil, value); !bytes.Equal(again, encoded) {
			t.Errorf("%s: encoded to %x", line, again)
		}
	}
	if lines-refused < 80 || refused < 80 {
		t.Fatalf("only %d lines, %d of them refused", lines, refused)
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
