//go:build wasip1

// Package host is what a runtime asks of its host.
//
// # Who owns what
//
// Slices that go to the host are Go's: the host reads them during the call. A buffer that the host returns is the
// host's to allocate and ours to free: every function here copies what it needs and frees the buffer before it
// returns, so no caller ever sees one. Go's collector never looks at them; they lie outside of its heap.
//
// # Entry points
//
// An entry point is a function with two parameters, exported with go:wasmexport:
//
//	//go:wasmexport Core_version
//	func coreVersion(address, length uint32) uint64 {
//		input := host.Input(address, length)
//		…
//		return host.Return(output)
//	}
//
// # Failing
//
// [Abort] ends the call with a message, which arrives as the host's error. A panic ends the call with Go's own text and
// trace, once the module is adapted by `heapbase adapt`.
package host

import "unsafe"

//go:wasmimport env ext_storage_get_version_1
func storageGet(key uint64) uint64

//go:wasmimport env ext_storage_set_version_1
func storageSet(key, value uint64)

//go:wasmimport env ext_storage_clear_version_1
func storageClear(key uint64)

//go:wasmimport env ext_storage_append_version_1
func storageAppend(key, element uint64)

//go:wasmimport env ext_storage_root_version_2
func storageRoot(version uint32) uint64

//go:wasmimport env ext_trie_blake2_256_ordered_root_version_2
func trieOrderedRoot(values uint64, version uint32) uint32

//go:wasmimport env ext_hashing_blake2_128_version_1
func hashingBlake2128(data uint64) uint32

//go:wasmimport env ext_hashing_blake2_256_version_1
func hashingBlake2256(data uint64) uint32

//go:wasmimport env ext_crypto_ed25519_verify_version_1
func cryptoEd25519Verify(signature uint32, message uint64, public uint32) uint32

//go:wasmimport env ext_crypto_sr25519_verify_version_2
func cryptoSr25519Verify(signature uint32, message uint64, public uint32) uint32

//go:wasmimport env ext_panic_handler_abort_on_panic_version_1
func panicHandlerAbort(message uint64)

//go:wasmimport env ext_allocator_free_version_1
func allocatorFree(address uint32)

// last keeps what the host was handed a moment ago, and the result of an entry point for as long as the host reads it.
//
// Storing a slice here is also what makes the compiler allocate it on the heap. One on the stack would move with the
// stack, and the address that the host was told would not.
var last [3][]byte

// addressOf gives a slice's address and keeps the slice.
func addressOf(slot int, bytes []byte) uint32 {
	last[slot] = bytes
	return uint32(uintptr(unsafe.Pointer(unsafe.SliceData(bytes))))
}

// fat gives address and length of a slice in one, and keeps the slice.
func fat(slot int, bytes []byte) uint64 {
	return uint64(addressOf(slot, bytes)) | uint64(len(bytes))<<32
}

// view gives the bytes at an address outside of Go's heap.
func view(address, length uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(nil), address)), length)
}

// Input gives an entry point's input, which stays where it is until the call ends.
func Input(address, length uint32) []byte {
	if length == 0 {
		return nil
	}
	return view(address, length)
}

// Return gives what an entry point returns to hand output to the host.
func Return(output []byte) uint64 { return fat(0, output) }

// trap is the instruction unreachable, in assembly: Go has no other way to it that says nothing more.
func trap()

// Abort ends the call with a message.
func Abort(message string) {
	// Some hosts end the call here; the others keep the message until it traps.
	panicHandlerAbort(fat(0, []byte(message)))
	trap()
}

// Get reads the value of a key into buffer, as far as it fits, and gives the value's length; false where there is none.
func Get(key, buffer []byte) (length int, present bool) {
	answer := storageGet(fat(0, key))
	address, encoded := uint32(answer), view(uint32(answer), uint32(answer>>32))
	if present = encoded[0] == 1; present {
		// The value's own length in front is told by its first byte: it has 1, 2, 4 or 5 bytes.
		value := encoded[1+[4]int{1, 2, 4, 5}[encoded[1]&3]:]
		copy(buffer, value)
		length = len(value)
	}
	allocatorFree(address)
	return length, present
}

// GetBytes reads the value of a key, however long it is.
func GetBytes(key []byte) (value []byte, present bool) {
	value = make([]byte, 64)
	length, present := Get(key, value)
	if length > len(value) {
		value = make([]byte, length)
		Get(key, value)
	}
	return value[:length], present
}

// Exists tells whether a key has a value.
func Exists(key []byte) bool {
	_, present := Get(key, nil)
	return present
}

// Set sets the value of a key.
func Set(key, value []byte) { storageSet(fat(0, key), fat(1, value)) }

// Clear removes a key.
func Clear(key []byte) { storageClear(fat(0, key)) }

// Append appends an encoded element to the list that is the value of a key.
func Append(key, element []byte) { storageAppend(fat(0, key), fat(1, element)) }

// StorageRoot gives the root of the state as it is now, in its version 1.
func StorageRoot() [32]byte {
	root := storageRoot(1)
	if root>>32 != 32 {
		Abort("the host's state root has not 32 bytes")
	}
	return array32(uint32(root))
}

// OrderedRoot gives the root of the trie, in its version 0, that holds values under their positions; values is the
// encoded list of them.
func OrderedRoot(values []byte) [32]byte { return array32(trieOrderedRoot(fat(0, values), 0)) }

// Blake2_256 hashes data.
func Blake2_256(data []byte) [32]byte { return array32(hashingBlake2256(fat(0, data))) }

// Blake2_128 hashes data.
func Blake2_128(data []byte) (digest [16]byte) {
	address := hashingBlake2128(fat(0, data))
	copy(digest[:], view(address, 16))
	allocatorFree(address)
	return digest
}

// array32 takes over 32 bytes from the host.
func array32(address uint32) (bytes [32]byte) {
	copy(bytes[:], view(address, 32))
	allocatorFree(address)
	return bytes
}

// Ed25519Verify tells whether a signature of 64 bytes is right.
func Ed25519Verify(signature, message, public []byte) bool {
	return cryptoEd25519Verify(addressOf(0, signature), fat(1, message), addressOf(2, public)) == 1
}

// Sr25519Verify tells whether a signature of 64 bytes is right.
func Sr25519Verify(signature, message, public []byte) bool {
	return cryptoSr25519Verify(addressOf(0, signature), fat(1, message), addressOf(2, public)) == 1
}
