// The workload of the memory study. What allocates is chosen by a build tag: alloc, grow and free are in a file each.
package main

const (
	account = 80
	slots   = 512
)

var (
	state   uint32
	sum     uint32
	overlay [slots][]byte
)

func next() uint32 {
	state ^= state << 13
	state ^= state >> 17
	state ^= state << 5
	return state
}

func fill(block []byte, value byte) {
	for i := range block {
		block[i] = value
	}
}

func filled(length int) []byte {
	block := alloc(length)
	fill(block, byte(next()))
	return block
}

func look(block []byte) {
	sum = sum*31 + uint32(block[0])
	sum = sum*31 + uint32(block[len(block)/2])
	sum = sum*31 + uint32(block[len(block)-1])
}

// load is what a host function returned, copied to where it is worked on.
func load() []byte {
	value := filled(account + 3)
	info := alloc(2 * account)
	copy(info, value[3:])
	clear(info[account:])
	free(value)
	return info
}

func event() {
	block := grow(filled(64), 128)
	fill(block[64:], byte(next()))
	look(block)
	free(block)
}

func store(info []byte) {
	slot := next() % slots
	value := alloc(account)
	copy(value, info[:account])
	if overlay[slot] != nil {
		free(overlay[slot])
	}
	overlay[slot] = value
}

func transfer() []byte {
	extrinsic := filled(100 + int(next()%96))
	keyA, keyB := filled(account), filled(account)
	a, b := load(), load()
	payload := filled(256)
	look(payload[:140])
	free(payload)
	look(a[:account])
	look(b[:account])
	for range 3 {
		event()
	}
	store(a)
	store(b)
	free(keyA)
	free(keyB)
	free(a)
	free(b)
	return extrinsic
}

// block keeps its list in Go's heap whatever the blocks are allocated from: as one would.
func block(transfers uint32) {
	var list [][]byte
	for range transfers {
		list = append(list, transfer())
	}
	for _, extrinsic := range list {
		look(extrinsic)
		free(extrinsic)
	}
	for slot, value := range overlay {
		if value != nil {
			look(value)
			free(value)
			overlay[slot] = nil
		}
	}
}

func workload(transfers, blocks uint32) uint32 {
	state, sum = 2463534242, 0
	for range blocks {
		block(transfers)
	}
	return sum
}
