//go:build wasip1

package main

import (
	"encoding/binary"

	"heapbase/host"
	"heapbase/scale"
)

// The keys of ../../LEDGER.md: the hashes of pallet and item.
var (
	keyAccount        = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\xb9\x9d\x88\x0e\xc6\x81\x79\x9c\x0c\xf3\x0e\x88\x86\x37\x1d\xa9")
	keyNumber         = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\x02\xa5\xc1\xb1\x9a\xb7\xa0\x4f\x53\x6c\x51\x9a\xca\x49\x83\xac")
	keyParentHash     = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\x8a\x42\xf3\x33\x23\xcb\x5c\xed\x3b\x44\xdd\x82\x5f\xda\x9f\xcc")
	keyDigest         = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\x99\xe7\xf9\x3f\xc6\xa9\x8f\x08\x74\xfd\x05\x7f\x11\x1c\x4d\x2d")
	keyGenesisHash    = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\xa4\x47\x04\xb5\x68\xd2\x16\x67\x35\x6a\x5a\x05\x0c\x11\x87\x46\xb4\xde\xf2\x5c\xfd\xa6\xef\x3a\x00\x00\x00\x00")
	keyExtrinsicsRoot = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\xb0\x6c\x33\x20\xc6\xac\x19\x6d\x81\x34\x42\xe2\x70\x86\x8d\x63")
	keyExtrinsicData  = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\xdf\x1d\xae\xb8\x98\x68\x37\xf2\x1c\xc5\xd1\x75\x96\xbb\x78\xd1")
	keyEvents         = []byte("\x26\xaa\x39\x4e\xea\x56\x30\xe0\x7c\x48\xae\x0c\x95\x58\xce\xf7\x80\xd4\x1e\x5e\x16\x05\x67\x65\xbc\x84\x61\x85\x10\x72\xc9\xd7")
	keyNow            = []byte("\xf0\xc3\x65\xc3\xcf\x59\xd6\x71\xeb\x72\xda\x0e\x7a\x41\x13\xc4\x9f\x1f\x05\x15\xf4\x62\xcd\xcf\x84\xe0\xf1\xd6\x04\x5d\xfc\xbb")
	keyDidUpdate      = []byte("\xf0\xc3\x65\xc3\xcf\x59\xd6\x71\xeb\x72\xda\x0e\x7a\x41\x13\xc4\xbb\xd1\x08\xc4\x89\x99\x64\xf7\x07\xfd\xaf\xfb\x82\x63\x60\x65")
	keyTotalIssuance  = []byte("\xc2\x26\x12\x76\xcc\x9d\x1f\x85\x98\xea\x4b\x6a\x74\xb1\x5c\x2f\x57\xc8\x75\xe4\xcf\xf7\x41\x48\xe4\x62\x8f\x26\x4b\x97\x4c\x80")
	keyExtrinsicIndex = []byte(":extrinsic_index")
)

// emptyRoot is the root of a trie without entries.
const emptyRoot = "\x03\x17\x0a\x2e\x75\x97\xb7\xb7\xe3\xd8\x4c\x05\x39\x1d\x13\x9a\x62\xb1\x57\xe7\x87\x86\xd8\xc0\x82\xf2\x9d\xcf\x4c\x11\x13\x14"

// fixed reads a value that has the length of buffer, where it is there.
func fixed(key, buffer []byte) (present bool) {
	length, present := host.Get(key, buffer)
	if present && length != len(buffer) {
		host.Abort("state: a value has the wrong length")
	}
	return present
}

// uint32At reads a number; 0 where it is not there.
func uint32At(key []byte) uint32 {
	var buffer [4]byte
	fixed(key, buffer[:])
	return binary.LittleEndian.Uint32(buffer[:])
}

// hashAt reads a hash; zeros where it is not there.
func hashAt(key []byte) (hash [32]byte) {
	fixed(key, hash[:])
	return hash
}

// lastNumber gives the number of the last block, or of the one that is being made.
func lastNumber() uint32 { return uint32At(keyNumber) }

// lastParentHash gives the hash of the block before that one.
func lastParentHash() [32]byte { return hashAt(keyParentHash) }

// lastDigest gives that block's digest, encoded.
func lastDigest() []byte {
	digest, present := host.GetBytes(keyDigest)
	if !present {
		return []byte{0}
	}
	return digest
}

// lastExtrinsicsRoot gives the root of the last block's extrinsics.
func lastExtrinsicsRoot() (root [32]byte) {
	if !fixed(keyExtrinsicsRoot, root[:]) {
		copy(root[:], emptyRoot)
	}
	return root
}

// genesisHash gives the hash of the block 0, which is known from the block 1 on.
func genesisHash() [32]byte { return hashAt(keyGenesisHash) }

// lastTimestamp gives the last block's time, in milliseconds since 1970.
func lastTimestamp() uint64 {
	var buffer [8]byte
	fixed(keyNow, buffer[:])
	return binary.LittleEndian.Uint64(buffer[:])
}

// hasTimestamp tells whether the block that is being made has its timestamp.
func hasTimestamp() bool { return host.Exists(keyDidUpdate) }

// extrinsicIndex tells how many extrinsics the block that is being made has.
func extrinsicIndex() uint32 { return uint32At(keyExtrinsicIndex) }

// beginBlock writes what is known of a block when it begins.
func beginBlock(h *header) {
	host.Set(keyNumber, scale.AppendUint32(nil, h.number))
	host.Set(keyParentHash, h.parentHash[:])
	host.Set(keyDigest, h.digest)
	if h.number == 1 {
		host.Set(keyGenesisHash, h.parentHash[:])
	}
	host.Clear(keyEvents)
}

// setTimestamp sets the time of the block.
func setTimestamp(now uint64) {
	host.Set(keyNow, scale.AppendUint64(nil, now))
	host.Set(keyDidUpdate, []byte{1})
}

// noteExtrinsic notes that an extrinsic was applied.
func noteExtrinsic(encoded []byte, index uint32) {
	host.Append(keyExtrinsicData, scale.AppendBytes(nil, encoded))
	host.Set(keyExtrinsicIndex, scale.AppendUint32(nil, index+1))
}

// endBlock computes the root of the extrinsics and takes away what is there only while a block is made.
func endBlock() [32]byte {
	data, present := host.GetBytes(keyExtrinsicData)
	if !present {
		data = []byte{0}
	}
	root := host.OrderedRoot(data)
	host.Set(keyExtrinsicsRoot, root[:])
	host.Clear(keyDidUpdate)
	host.Clear(keyExtrinsicIndex)
	host.Clear(keyExtrinsicData)
	return root
}

// setTotalIssuance sets the sum of all balances.
func setTotalIssuance(total scale.Uint128) {
	host.Set(keyTotalIssuance, scale.AppendUint128(nil, total))
}

// infoLength is the length of an encoded AccountInfo: four numbers of 32 bits, four of 128.
const infoLength = 80

// An account as it is in the state, or as it would begin.
type account struct {
	key    [80]byte
	info   [infoLength]byte
	exists bool
}

// loadAccount reads an account.
func loadAccount(id []byte) *account {
	a := new(account)
	hash := host.Blake2_128(id)
	copy(a.key[:], keyAccount)
	copy(a.key[32:], hash[:])
	copy(a.key[48:], id)
	if a.exists = fixed(a.key[:], a.info[:]); !a.exists {
		// One provider, and of the flags the highest bit.
		a.info[8] = 1
		a.info[infoLength-1] = 0x80
	}
	return a
}

// store writes the account.
func (a *account) store() { host.Set(a.key[:], a.info[:]) }

func (a *account) nonce() uint32 { return binary.LittleEndian.Uint32(a.info[:]) }

func (a *account) setNonce(nonce uint32) { binary.LittleEndian.PutUint32(a.info[:], nonce) }

func (a *account) free() scale.Uint128 {
	return scale.Uint128{Low: binary.LittleEndian.Uint64(a.info[16:]), High: binary.LittleEndian.Uint64(a.info[24:])}
}

func (a *account) setFree(free scale.Uint128) {
	binary.LittleEndian.PutUint64(a.info[16:], free.Low)
	binary.LittleEndian.PutUint64(a.info[24:], free.High)
}

// The classes of extrinsics.
const (
	classNormal    = 0
	classMandatory = 2
)

// depositSuccess announces that an extrinsic was applied, without weight and fee.
func depositSuccess(index uint32, class byte) {
	deposit(index, func(to []byte) []byte { return append(to, 0, 0, 0, 0, class, 1) })
}

// depositNewAccount announces that an account was made.
func depositNewAccount(index uint32, id []byte, free scale.Uint128) {
	deposit(index, func(to []byte) []byte { return append(append(to, 0, 3), id...) })
	deposit(index, func(to []byte) []byte { return scale.AppendUint128(append(append(to, 2, 0), id...), free) })
}

// depositTransfer announces that a transfer was made.
func depositTransfer(index uint32, from, to []byte, value scale.Uint128) {
	deposit(index, func(event []byte) []byte {
		event = append(append(append(event, 2, 2), from...), to...)
		return scale.AppendUint128(event, value)
	})
}

// deposit announces something: the phase (applying an extrinsic), what event appends, and no topics.
func deposit(index uint32, event func([]byte) []byte) {
	record := scale.AppendUint32(append(make([]byte, 0, 96), 0), index)
	host.Append(keyEvents, append(event(record), 0))
}
