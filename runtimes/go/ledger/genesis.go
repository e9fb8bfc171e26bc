//go:build wasip1

package main

import (
	"bytes"
	_ "embed"

	"heapbase/scale"
)

// developmentName is the name of the configuration for trying things out.
const developmentName = "development"

// defaultPreset is the configuration of nobody who has anything.
var defaultPreset = `{"scale":"0x00"}`

//go:embed embedded/development.json
var developmentPreset string

// buildGenesis writes the first state, or says why it cannot be.
func buildGenesis(text []byte) string {
	// JSON that nobody has to parse.
	digits, before := bytes.CutPrefix(text, []byte(`{"scale":"0x`))
	digits, after := bytes.CutSuffix(digits, []byte(`"}`))
	encoded, err := hex(digits)
	if err || !before || !after {
		return `genesis: not {"scale":"0x..."}`
	}
	type endowment struct {
		id   []byte
		free scale.Uint128
	}
	d := scale.NewDecoder(encoded)
	endowments := scale.Slice(d, func(d *scale.Decoder) endowment {
		return endowment{id: d.Fixed(32), free: d.Uint128()}
	})
	if !d.Done() {
		return "genesis: the SCALE does not decode"
	}
	var total scale.Uint128
	var overflow bool
	for at, endowment := range endowments {
		if at > 0 && bytes.Compare(endowments[at-1].id, endowment.id) >= 0 {
			return "genesis: the accounts are not in ascending order"
		}
		if endowment.free.Less(existentialDeposit) {
			return "genesis: a balance is below the existential deposit"
		}
		if total, overflow = total.Add(endowment.free); overflow {
			return "genesis: the balances overflow"
		}
	}
	for _, endowment := range endowments {
		account := loadAccount(endowment.id)
		account.setFree(endowment.free)
		account.store()
	}
	setTotalIssuance(total)
	return ""
}

// hex gives the bytes that hexadecimal digits spell. (The standard library's package for it brings fmt, and that 400 KB.)
func hex(digits []byte) (decoded []byte, err bool) {
	decoded = make([]byte, len(digits)/2)
	for at, digit := range digits {
		switch {
		case '0' <= digit && digit <= '9':
			digit -= '0'
		case 'a' <= digit && digit <= 'f':
			digit -= 'a' - 10
		case 'A' <= digit && digit <= 'F':
			digit -= 'A' - 10
		default:
			return nil, true
		}
		if at/2 < len(decoded) {
			decoded[at/2] = decoded[at/2]<<4 | digit
		}
	}
	return decoded, len(digits)%2 != 0
}
