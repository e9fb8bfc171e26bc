//go:build wasip1

// The ledger of ../../LEDGER.md in Go, with the packages host and scale of this kit.
//
//   - main.go: the entry points
//   - types.go: extrinsics, headers, blocks
//   - state.go: keys, values, accounts, events
//   - transaction.go: checking and applying an extrinsic
//   - block.go: from a block's first step to its header
//   - genesis.go: the first state
//   - version.go: what the runtime says of itself
package main

import (
	"heapbase/host"
	"heapbase/scale"
)

// The compiler wants one; nobody calls it.
func main() {}

// decoded ends the call where an entry's input does not decode.
func decoded(decodes bool, entry string) {
	if !decodes {
		host.Abort(entry + ": the input does not decode")
	}
}

//go:wasmexport Core_version
func coreVersion(address, length uint32) uint64 {
	decoded(length == 0, "Core_version")
	return host.Return(version())
}

//go:wasmexport Core_execute_block
func coreExecuteBlock(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	block := decodeBlock(d)
	decoded(d.Done(), "Core_execute_block")
	execute(block)
	return host.Return(nil)
}

//go:wasmexport Core_initialize_block
func coreInitializeBlock(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	header := decodeHeader(d)
	decoded(d.Done(), "Core_initialize_block")
	initialise(&header)
	return host.Return([]byte{0})
}

//go:wasmexport BlockBuilder_apply_extrinsic
func blockBuilderApplyExtrinsic(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	extrinsic := decodeExtrinsic(d)
	decoded(d.Done(), "BlockBuilder_apply_extrinsic")
	if refusal := apply(&extrinsic, extrinsicIndex()); refusal != nil {
		return host.Return(refusal.encode())
	}
	return host.Return([]byte{0, 0})
}

//go:wasmexport BlockBuilder_finalize_block
func blockBuilderFinalizeBlock(address, length uint32) uint64 {
	decoded(length == 0, "BlockBuilder_finalize_block")
	header := finalise()
	return host.Return(header.encode())
}

//go:wasmexport BlockBuilder_inherent_extrinsics
func blockBuilderInherentExtrinsics(address, length uint32) uint64 {
	const entry = "BlockBuilder_inherent_extrinsics"
	d := scale.NewDecoder(host.Input(address, length))
	data := decodeInherentData(d)
	decoded(d.Done(), entry)
	now := timestampAmong(data, entry)
	if last := lastTimestamp(); now <= last {
		now = max(last, last+1)
	}
	return host.Return(scale.AppendSlice(nil, [][]byte{timestampExtrinsic(now)}, scale.AppendBytes))
}

//go:wasmexport BlockBuilder_check_inherents
func blockBuilderCheckInherents(address, length uint32) uint64 {
	const entry = "BlockBuilder_check_inherents"
	d := scale.NewDecoder(host.Input(address, length))
	block := decodeBlock(d)
	data := decodeInherentData(d)
	decoded(d.Done(), entry)
	return host.Return(checkInherents(block, timestampAmong(data, entry)))
}

//go:wasmexport Metadata_metadata
func metadataMetadata(address, length uint32) uint64 {
	decoded(length == 0, "Metadata_metadata")
	return host.Return(scale.AppendString(nil, metadata14))
}

//go:wasmexport Metadata_metadata_at_version
func metadataMetadataAtVersion(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	version := d.Uint32()
	decoded(d.Done(), "Metadata_metadata_at_version")
	var metadata *string
	switch version {
	case 14:
		metadata = &metadata14
	case 15:
		metadata = &metadata15
	}
	return host.Return(scale.AppendOption(nil, metadata, scale.AppendString))
}

//go:wasmexport Metadata_metadata_versions
func metadataMetadataVersions(address, length uint32) uint64 {
	decoded(length == 0, "Metadata_metadata_versions")
	return host.Return(scale.AppendSlice(nil, []uint32{14, 15}, scale.AppendUint32))
}

//go:wasmexport TaggedTransactionQueue_validate_transaction
func taggedTransactionQueueValidateTransaction(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	source := d.Byte()
	extrinsic := decodeExtrinsic(d)
	hash := d.Bytes32()
	decoded(d.Done() && source <= 2, "TaggedTransactionQueue_validate_transaction")
	return host.Return(validate(&extrinsic, hash))
}

//go:wasmexport AccountNonceApi_account_nonce
func accountNonceAPIAccountNonce(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	id := d.Bytes32()
	decoded(d.Done(), "AccountNonceApi_account_nonce")
	account := loadAccount(id[:])
	return host.Return(scale.AppendUint32(nil, account.nonce()))
}

//go:wasmexport GenesisBuilder_build_state
func genesisBuilderBuildState(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	text := d.Bytes()
	decoded(d.Done(), "GenesisBuilder_build_state")
	if err := buildGenesis(text); err != "" {
		return host.Return(scale.AppendString([]byte{1}, err))
	}
	return host.Return([]byte{0})
}

//go:wasmexport GenesisBuilder_get_preset
func genesisBuilderGetPreset(address, length uint32) uint64 {
	d := scale.NewDecoder(host.Input(address, length))
	name, named := scale.Option(d, (*scale.Decoder).Bytes)
	decoded(d.Done(), "GenesisBuilder_get_preset")
	var preset *string
	switch {
	case !named:
		preset = &defaultPreset
	case string(name) == developmentName:
		preset = &developmentPreset
	}
	return host.Return(scale.AppendOption(nil, preset, scale.AppendString))
}

//go:wasmexport GenesisBuilder_preset_names
func genesisBuilderPresetNames(address, length uint32) uint64 {
	decoded(length == 0, "GenesisBuilder_preset_names")
	return host.Return(scale.AppendSlice(nil, []string{developmentName}, scale.AppendString))
}
