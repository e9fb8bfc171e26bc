//go:build wasip1

package main

import "heapbase/scale"

// A header of a block. The digest stays in its encoding: the ledger only passes it on.
type header struct {
	parentHash     [32]byte
	number         uint32
	stateRoot      [32]byte
	extrinsicsRoot [32]byte
	digest         []byte
}

type block struct {
	header     header
	extrinsics []extrinsic
}

// An extrinsic. Its parts are views of the bytes as they came: what is hashed and signed are these.
type extrinsic struct {
	// With its length.
	encoded []byte
	// Nil where it is bare.
	signed *signed
	call   call
	// The call alone.
	callEncoded []byte
}

type signed struct {
	from      []byte
	signature []byte
	scheme    byte
	mortal    bool
	nonce     uint32
	tip       scale.Uint128
	// Era, nonce and tip as they came.
	extra []byte
}

type call struct {
	// Nil where the call sets the timestamp.
	to    []byte
	value scale.Uint128
	now   uint64
}

// The first byte of an extrinsic: version 4, with the highest bit where it is signed.
const (
	bareExtrinsic   = 0x04
	signedExtrinsic = 0x84
)

// The schemes of signatures.
const (
	ed25519 = 0
	sr25519 = 1
)

// Pallet and function of the calls.
const (
	callTimestamp = 1<<8 | 0
	callTransfer  = 2<<8 | 3
)

func decodeHeader(d *scale.Decoder) (header header) {
	header.parentHash = d.Bytes32()
	header.number = d.Compact32()
	header.stateRoot = d.Bytes32()
	header.extrinsicsRoot = d.Bytes32()
	before := d.Rest()
	for left := d.Compact32(); left > 0 && !d.Failed(); left-- {
		skipDigestItem(d)
	}
	if !d.Failed() {
		header.digest = d.Since(before)
	}
	return header
}

func skipDigestItem(d *scale.Decoder) {
	switch d.Byte() {
	case 0: // Other
		d.Bytes()
	case 4, 5, 6: // Consensus, Seal, PreRuntime
		d.Fixed(4)
		d.Bytes()
	case 8: // RuntimeEnvironmentUpdated
	default:
		d.Fail()
	}
}

func (h *header) encode() []byte {
	encoded := append(make([]byte, 0, 128+len(h.digest)), h.parentHash[:]...)
	encoded = scale.AppendCompact(encoded, uint64(h.number))
	encoded = append(encoded, h.stateRoot[:]...)
	encoded = append(encoded, h.extrinsicsRoot[:]...)
	return append(encoded, h.digest...)
}

func decodeBlock(d *scale.Decoder) *block {
	return &block{header: decodeHeader(d), extrinsics: scale.Slice(d, decodeExtrinsic)}
}

func decodeExtrinsic(d *scale.Decoder) (e extrinsic) {
	before := d.Rest()
	body := scale.NewDecoder(d.Bytes())
	if d.Failed() {
		return e
	}
	e.encoded = d.Since(before)
	switch body.Byte() {
	case bareExtrinsic:
	case signedExtrinsic:
		e.signed = decodeSigned(body)
	default:
		body.Fail()
	}
	e.callEncoded = body.Rest()
	e.call = decodeCall(body)
	if !body.Done() {
		d.Fail()
	}
	return e
}

func decodeSigned(d *scale.Decoder) *signed {
	s := new(signed)
	s.from = decodeAddress(d)
	s.scheme = d.Byte()
	if s.scheme != ed25519 && s.scheme != sr25519 {
		d.Fail()
	}
	s.signature = d.Fixed(64)
	before := d.Rest()
	if s.mortal = d.Byte() != 0; s.mortal {
		d.Byte()
	}
	s.nonce = d.Compact32()
	s.tip = d.Compact128()
	if !d.Failed() {
		s.extra = d.Since(before)
	}
	return s
}

func decodeCall(d *scale.Decoder) (c call) {
	switch int(d.Byte())<<8 | int(d.Byte()) {
	case callTimestamp:
		c.now = d.Compact64()
	case callTransfer:
		c.to = decodeAddress(d)
		c.value = d.Compact128()
	default:
		d.Fail()
	}
	return c
}

// decodeAddress reads an address that is an account: of the other kinds there are none here.
func decodeAddress(d *scale.Decoder) []byte {
	if d.Byte() != 0 {
		d.Fail()
	}
	return d.Fixed(32)
}

// timestampExtrinsic gives the extrinsic that sets the timestamp, without its length.
func timestampExtrinsic(now uint64) []byte {
	return scale.AppendCompact([]byte{bareExtrinsic, callTimestamp >> 8, callTimestamp & 0xff}, now)
}

// inherentData is what the node says of the block that it makes or checks: values by identifiers.
type inherentData []inherent

type inherent struct {
	identifier string
	value      []byte
}

func decodeInherentData(d *scale.Decoder) inherentData {
	return scale.Slice(d, func(d *scale.Decoder) inherent {
		return inherent{identifier: string(d.Fixed(8)), value: d.Bytes()}
	})
}
