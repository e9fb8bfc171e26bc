//go:build wasip1

package main

import (
	"encoding/binary"
	"math"
	"strconv"

	"heapbase/host"
)

// timestampIdentifier is where the inherent data hold the timestamp.
const timestampIdentifier = "timstap0"

// maxDrift is how far in the future a block's timestamp may lie, in milliseconds.
const maxDrift = 30_000

// initialise begins a block on the last one.
func initialise(h *header) {
	last := lastNumber()
	if last == math.MaxUint32 || h.number != last+1 {
		host.Abort("block: the number does not follow the parent's")
	}
	parent := header{
		parentHash:     lastParentHash(),
		number:         last,
		stateRoot:      host.StorageRoot(),
		extrinsicsRoot: lastExtrinsicsRoot(),
		digest:         lastDigest(),
	}
	if host.Blake2_256(parent.encode()) != h.parentHash {
		host.Abort("block: the parent is another block")
	}
	beginBlock(h)
}

// finalise ends the block that was begun, and gives its header.
func finalise() header {
	if !hasTimestamp() {
		host.Abort("block: the timestamp is missing")
	}
	extrinsicsRoot := endBlock()
	return header{
		parentHash:     lastParentHash(),
		number:         lastNumber(),
		stateRoot:      host.StorageRoot(),
		extrinsicsRoot: extrinsicsRoot,
		digest:         lastDigest(),
	}
}

// execute executes a block, and ends the call where its header is not the one that comes out.
func execute(b *block) {
	initialise(&b.header)
	for index := range b.extrinsics {
		if refusal := apply(&b.extrinsics[index], uint32(index)); refusal != nil {
			host.Abort("extrinsic " + strconv.Itoa(index) + ": " + refusal.reason)
		}
	}
	made := finalise()
	if made.extrinsicsRoot != b.header.extrinsicsRoot {
		host.Abort("block: the extrinsics root differs")
	}
	if made.stateRoot != b.header.stateRoot {
		host.Abort("block: the state root differs")
	}
}

// timestampAmong gives the time among the inherent data.
func timestampAmong(data inherentData, entry string) uint64 {
	for _, inherent := range data {
		if inherent.identifier == timestampIdentifier {
			if len(inherent.value) == 8 {
				return binary.LittleEndian.Uint64(inherent.value)
			}
			break
		}
	}
	host.Abort(entry + ": no timestamp among the inherent data")
	return 0
}

// checkInherents tells whether the block's timestamp is not too far ahead of now: CheckInherentsResult, encoded.
func checkInherents(b *block, now uint64) []byte {
	if len(b.extrinsics) > 0 {
		first := &b.extrinsics[0]
		if first.signed == nil && first.call.to == nil && first.call.now > now && first.call.now-now > maxDrift {
			// Not okay, fatal, and one error: InherentError::TooFarInFuture.
			return append(append([]byte{0, 1, 4}, timestampIdentifier...), 4, 1)
		}
	}
	return []byte{1, 0, 0}
}
