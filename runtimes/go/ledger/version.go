//go:build wasip1

package main

import (
	_ "embed"

	"heapbase/scale"
)

const (
	specName           = "ledger"
	implName           = "heapbase-ledger"
	authoringVersion   = 1
	specVersion        = 1
	implVersion        = 0
	transactionVersion = 1
	systemVersion      = 1
)

// An api is one of the runtime's interfaces: BLAKE2-64 of its name, and its version.
type api struct {
	id      string
	version uint32
}

var apis = []api{
	{"\xdf\x6a\xcb\x68\x99\x07\x60\x9b", 5}, // Core
	{"\x37\xe3\x97\xfc\x7c\x91\xf5\xe4", 2}, // Metadata
	{"\x40\xfe\x3a\xd4\x01\xf8\x95\x9a", 6}, // BlockBuilder
	{"\xd2\xbc\x98\x97\xee\xd0\x8f\x15", 3}, // TaggedTransactionQueue
	{"\xbc\x9d\x89\x90\x4f\x5b\x92\x3f", 1}, // AccountNonceApi
	{"\xfb\xc5\x77\xb9\xd7\x47\xef\xd6", 1}, // GenesisBuilder
}

//go:embed embedded/metadata-v14.scale
var metadata14 string

//go:embed embedded/metadata-v15.scale
var metadata15 string

// version gives the RuntimeVersion, encoded.
func version() []byte {
	// Room for all of it: every size that a growing slice passes through is a page of its own in Go's heap, fresh in every call.
	encoded := scale.AppendString(make([]byte, 0, 256), specName)
	encoded = scale.AppendString(encoded, implName)
	encoded = scale.AppendUint32(encoded, authoringVersion)
	encoded = scale.AppendUint32(encoded, specVersion)
	encoded = scale.AppendUint32(encoded, implVersion)
	encoded = scale.AppendSlice(encoded, apis, func(to []byte, api api) []byte {
		return scale.AppendUint32(append(to, api.id...), api.version)
	})
	encoded = scale.AppendUint32(encoded, transactionVersion)
	return append(encoded, systemVersion)
}
