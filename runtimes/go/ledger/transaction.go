//go:build wasip1

package main

import (
	"heapbase/host"
	"heapbase/scale"
	"math"
)

// existentialDeposit is what an account that exists holds at least.
var existentialDeposit = scale.Uint128{Low: 1_000}

// A refusal says why an extrinsic is refused: in words, and as clients know it (TransactionValidityError).
type refusal struct {
	reason string
	err    [2]byte
}

// encode gives it as the error of a Result.
func (r *refusal) encode() []byte { return []byte{1, r.err[0], r.err[1]} }

var (
	errNoUnsignedValidator = [2]byte{1, 1}
	errCall                = [2]byte{0, 0}
	errPayment             = [2]byte{0, 1}
	errFuture              = [2]byte{0, 2}
	errStale               = [2]byte{0, 3}
	errBadProof            = [2]byte{0, 4}
	errAncientBirthBlock   = [2]byte{0, 5}
	errBadMandatory        = [2]byte{0, 8}
	errMandatoryValidation = [2]byte{0, 9}
)

var errBareTransfer = &refusal{"a transfer must be signed", errNoUnsignedValidator}

// A transfer that has passed the checks.
type transfer struct {
	extrinsic *extrinsic
	sender    *account
	// Nil where the sender pays itself.
	recipient *account
}

// apply applies an extrinsic as the one with this index, or leaves the state as it is.
func apply(e *extrinsic, index uint32) *refusal {
	if e.signed != nil {
		transfer, refusal := check(e, genesisHash, false)
		if refusal != nil {
			return refusal
		}
		transfer.apply(index)
		depositSuccess(index, classNormal)
	} else {
		if refusal := checkTimestamp(e, index); refusal != nil {
			return refusal
		}
		setTimestamp(e.call.now)
		depositSuccess(index, classMandatory)
	}
	noteExtrinsic(e.encoded, index)
	return nil
}

func checkTimestamp(e *extrinsic, index uint32) *refusal {
	switch {
	case e.call.to != nil:
		return errBareTransfer
	case hasTimestamp():
		return &refusal{"the timestamp is set twice", errBadMandatory}
	case index != 0:
		return &refusal{"the timestamp is not the first extrinsic", errBadMandatory}
	case e.call.now <= lastTimestamp():
		return &refusal{"the timestamp is not later than the last", errBadMandatory}
	}
	return nil
}

// validate tells whether an extrinsic may wait for its block: TransactionValidity, encoded.
func validate(e *extrinsic, blockHash [32]byte) []byte {
	if e.signed == nil {
		if e.call.to != nil {
			return errBareTransfer.encode()
		}
		return (&refusal{"a block's author sets the timestamp", errMandatoryValidation}).encode()
	}
	transfer, refusal := check(e, func() [32]byte {
		// On the state of the block 0, that block's hash is not in the state yet.
		if lastNumber() == 0 {
			return blockHash
		}
		return genesisHash()
	}, true)
	if refusal != nil {
		return refusal.encode()
	}
	tag := func(nonce uint32) []byte {
		return scale.AppendUint32(append([]byte(nil), e.signed.from...), nonce)
	}
	var requires [][]byte
	if nonce := e.signed.nonce; nonce > transfer.sender.nonce() {
		requires = append(requires, tag(nonce-1))
	}
	const priority, longevity, propagate = 0, math.MaxUint64, true
	validity := scale.AppendUint64([]byte{0}, priority)
	validity = scale.AppendSlice(validity, requires, scale.AppendBytes)
	validity = scale.AppendSlice(validity, [][]byte{tag(e.signed.nonce)}, scale.AppendBytes)
	return scale.AppendBool(scale.AppendUint64(validity, longevity), propagate)
}

// check is everything that a signed extrinsic has to fulfil. It writes nothing.
func check(e *extrinsic, genesisHash func() [32]byte, future bool) (*transfer, *refusal) {
	s := e.signed
	switch {
	case e.call.to == nil:
		return nil, &refusal{"the timestamp must not be signed", errCall}
	case s.mortal:
		return nil, &refusal{"the era is mortal", errAncientBirthBlock}
	case !s.tip.IsZero():
		return nil, &refusal{"the tip is not zero", errPayment}
	case !verify(e, genesisHash()):
		return nil, &refusal{"the signature is wrong", errBadProof}
	}
	sender := loadAccount(s.from)
	switch {
	case s.nonce < sender.nonce() || s.nonce == math.MaxUint32:
		return nil, &refusal{"the nonce is used", errStale}
	case s.nonce > sender.nonce() && !future:
		return nil, &refusal{"the nonce is too high", errFuture}
	}
	value := e.call.value
	left, underflow := sender.free().Sub(value)
	if underflow {
		return nil, &refusal{"the balance is too low", errPayment}
	}
	if string(s.from) == string(e.call.to) {
		return &transfer{e, sender, nil}, nil
	}
	if left.Less(existentialDeposit) {
		return nil, &refusal{"the sender would fall below the existential deposit", errPayment}
	}
	recipient := loadAccount(e.call.to)
	sum, overflow := recipient.free().Add(value)
	if overflow {
		return nil, &refusal{"the recipient's balance would overflow", errPayment}
	}
	if sum.Less(existentialDeposit) {
		return nil, &refusal{"the recipient would stay below the existential deposit", errPayment}
	}
	sender.setFree(left)
	recipient.setFree(sum)
	return &transfer{e, sender, recipient}, nil
}

// verify tells whether the host finds the signature right.
func verify(e *extrinsic, genesisHash [32]byte) bool {
	payload := make([]byte, 0, 256)
	payload = append(payload, e.callEncoded...)
	payload = append(payload, e.signed.extra...)
	payload = scale.AppendUint32(payload, specVersion)
	payload = scale.AppendUint32(payload, transactionVersion)
	payload = append(payload, genesisHash[:]...)
	payload = append(payload, genesisHash[:]...)
	if e.signed.scheme == ed25519 {
		return host.Ed25519Verify(e.signed.signature, payload, e.signed.from)
	}
	return host.Sr25519Verify(e.signed.signature, payload, e.signed.from)
}

func (t *transfer) apply(index uint32) {
	signed, call := t.extrinsic.signed, &t.extrinsic.call
	// Below the highest nonce, as was checked.
	t.sender.setNonce(signed.nonce + 1)
	t.sender.store()
	if t.recipient != nil {
		t.recipient.store()
		if !t.recipient.exists {
			depositNewAccount(index, call.to, call.value)
		}
	}
	depositTransfer(index, signed.from, call.to, call.value)
}
