// The runtime's entry points: each decodes its input, calls what does the work, encodes the output.

#include "../kit/entry.h"
#include "../kit/memory.h"
#include "../kit/panic.h"
#include "block.h"
#include "genesis.h"
#include "version.h"

static const uint8_t METADATA_14[] = {
#embed "../../ledger/metadata-v14.scale"
};
static const uint8_t METADATA_15[] = {
#embed "../../ledger/metadata-v15.scale"
};
static const uint8_t PRESET[] = {
#embed "../../ledger/development.json"
};
#define PRESET_NAME "development"

// Milliseconds by which a block may be ahead of the one who checks it.
enum { MAX_DRIFT = 30000 };

// Ends the call unless `in` was read without a mistake and to its end.
#define DONE(entry, in) \
    if ((in).failed || hb_reader_left(&(in)) != 0) hb_abort(HB_TEXT(entry ": the input does not decode"))

#define NO_INPUT(entry) \
    do { \
        hb_reader in = hb_reader_of(input); \
        DONE(entry, in); \
    } while (0)

HB_ENTRY(Core_version) {
    NO_INPUT("Core_version");
    hb_buffer out = {0};
    write_version(&out);
    return out;
}

HB_ENTRY(Core_execute_block) {
    hb_reader in = hb_reader_of(input);
    block block = read_block(&in);
    DONE("Core_execute_block", in);
    execute_block(&block);
    block_free(&block);
    return (hb_buffer){0};
}

HB_ENTRY(Core_initialize_block) {
    hb_reader in = hb_reader_of(input);
    header header = read_header(&in);
    DONE("Core_initialize_block", in);
    initialize_block(&header);
    hb_buffer out = {0};
    hb_write_u8(&out, 0); // all extrinsics are allowed
    return out;
}

HB_ENTRY(BlockBuilder_apply_extrinsic) {
    hb_reader in = hb_reader_of(input);
    extrinsic extrinsic = read_extrinsic(&in);
    DONE("BlockBuilder_apply_extrinsic", in);
    refusal refused = apply_extrinsic(&extrinsic);
    hb_buffer out = {0};
    if (refused.reason) {
        hb_write_u8(&out, 1);
        hb_buffer_push(&out, refused.error, sizeof refused.error);
    } else {
        hb_write_u16(&out, 0); // applied, and the call went well
    }
    return out;
}

HB_ENTRY(BlockBuilder_finalize_block) {
    NO_INPUT("BlockBuilder_finalize_block");
    made_header made;
    finalize_block(&made);
    hb_buffer out = {0};
    write_header(&out, &made.header);
    made_header_free(&made);
    return out;
}

// Reads `Vec<([8], Bytes)>` and in it the first that is the timestamp's; `found` has no data where there is none.
static hb_bytes read_inherent_data(hb_reader *in) {
    hb_bytes found = {0};
    uint32_t count = hb_read_compact_u32(in);
    while (count-- != 0 && !in->failed) {
        const uint8_t *id = hb_read_array(in, 8);
        hb_bytes data = hb_read_bytes(in);
        if (!in->failed && !found.data && memcmp(id, "timstap0", 8) == 0) found = data;
    }
    return found;
}

static uint64_t timestamp_of(hb_bytes data, const char *entry) {
    hb_reader in = hb_reader_of(data);
    uint64_t now = hb_read_u64(&in);
    if (in.failed || hb_reader_left(&in) != 0) {
        hb_buffer message = {0};
        hb_buffer_text(&message, entry);
        hb_buffer_text(&message, ": no timestamp among the inherent data");
        hb_abort(hb_buffer_bytes(&message));
    }
    return now;
}

HB_ENTRY(BlockBuilder_inherent_extrinsics) {
    hb_reader in = hb_reader_of(input);
    hb_bytes data = read_inherent_data(&in);
    DONE("BlockBuilder_inherent_extrinsics", in);
    uint64_t now = timestamp_of(data, "BlockBuilder_inherent_extrinsics");
    uint64_t last = state_read_u64(NOW);
    if (now <= last) now = last == UINT64_MAX ? last : last + 1;

    hb_buffer extrinsic = {0};
    hb_write_u8(&extrinsic, 4); // bare
    hb_write_u8(&extrinsic, 1); // Timestamp
    hb_write_u8(&extrinsic, 0); // set
    hb_write_compact(&extrinsic, now);
    hb_buffer out = {0};
    hb_write_compact(&out, 1);
    hb_write_bytes(&out, hb_buffer_bytes(&extrinsic));
    hb_buffer_free(&extrinsic);
    return out;
}

HB_ENTRY(BlockBuilder_check_inherents) {
    hb_reader in = hb_reader_of(input);
    block block = read_block(&in);
    hb_bytes data = read_inherent_data(&in);
    DONE("BlockBuilder_check_inherents", in);
    uint64_t now = timestamp_of(data, "BlockBuilder_check_inherents");
    bool too_far = false;
    if (block.count != 0 && !block.extrinsics[0].is_signed && !block.extrinsics[0].call.is_transfer) {
        uint64_t latest;
        too_far = !__builtin_add_overflow(now, (uint64_t)MAX_DRIFT, &latest) && block.extrinsics[0].call.now > latest;
    }
    block_free(&block);

    hb_buffer out = {0};
    hb_write_bool(&out, !too_far); // okay
    hb_write_bool(&out, too_far); // fatal
    hb_write_compact(&out, too_far ? 1 : 0);
    if (too_far) {
        static const uint8_t error[1] = {1}; // too far in the future
        hb_buffer_text(&out, "timstap0");
        hb_write_bytes(&out, HB_BYTES(error));
    }
    return out;
}

HB_ENTRY(Metadata_metadata) {
    NO_INPUT("Metadata_metadata");
    hb_buffer out = {0};
    hb_write_bytes(&out, HB_BYTES(METADATA_14));
    return out;
}

HB_ENTRY(Metadata_metadata_at_version) {
    hb_reader in = hb_reader_of(input);
    uint32_t version = hb_read_u32(&in);
    DONE("Metadata_metadata_at_version", in);
    hb_buffer out = {0};
    hb_write_bool(&out, version == 14 || version == 15);
    if (version == 14) hb_write_bytes(&out, HB_BYTES(METADATA_14));
    if (version == 15) hb_write_bytes(&out, HB_BYTES(METADATA_15));
    return out;
}

HB_ENTRY(Metadata_metadata_versions) {
    NO_INPUT("Metadata_metadata_versions");
    hb_buffer out = {0};
    hb_write_compact(&out, 2);
    hb_write_u32(&out, 14);
    hb_write_u32(&out, 15);
    return out;
}

HB_ENTRY(TaggedTransactionQueue_validate_transaction) {
    hb_reader in = hb_reader_of(input);
    uint8_t source = hb_read_u8(&in);
    extrinsic extrinsic = read_extrinsic(&in);
    const uint8_t *block_hash = hb_read_array(&in, HASH);
    if (source > 2) in.failed = true;
    DONE("TaggedTransactionQueue_validate_transaction", in);

    hb_buffer out = {0};
    parties parties;
    refusal refused = {0};
    if (extrinsic.is_signed) {
        refused = check_signed(&extrinsic, block_hash, &parties);
    } else if (extrinsic.call.is_transfer) {
        refused = (refusal){"a transfer must be signed", {1, 1}};
    } else {
        refused = (refusal){"the timestamp is the author's", {0, 9}};
    }
    if (refused.reason) {
        hb_write_u8(&out, 1);
        hb_buffer_push(&out, refused.error, sizeof refused.error);
        return out;
    }
    bool is_ahead = extrinsic.nonce > account_nonce(&parties.from);
    hb_write_u8(&out, 0);
    hb_write_u64(&out, 0); // priority
    hb_write_compact(&out, is_ahead ? 1 : 0);
    for (uint32_t nonce = is_ahead ? extrinsic.nonce - 1 : extrinsic.nonce; nonce <= extrinsic.nonce; nonce++) {
        // The last round is what the transaction provides, the one before what it requires.
        if (nonce == extrinsic.nonce) hb_write_compact(&out, 1);
        hb_write_compact(&out, ID + 4);
        hb_buffer_push(&out, extrinsic.from, ID);
        hb_write_u32(&out, nonce);
    }
    hb_write_u64(&out, UINT64_MAX); // longevity
    hb_write_bool(&out, true); // propagate
    return out;
}

HB_ENTRY(AccountNonceApi_account_nonce) {
    hb_reader in = hb_reader_of(input);
    const uint8_t *id = hb_read_array(&in, ID);
    DONE("AccountNonceApi_account_nonce", in);
    account account = account_load(id);
    hb_buffer out = {0};
    hb_write_u32(&out, account_nonce(&account));
    return out;
}

HB_ENTRY(GenesisBuilder_build_state) {
    hb_reader in = hb_reader_of(input);
    hb_bytes configuration = hb_read_bytes(&in);
    DONE("GenesisBuilder_build_state", in);
    const char *reason = build_state(configuration);
    hb_buffer out = {0};
    hb_write_bool(&out, reason != NULL);
    if (reason) hb_write_bytes(&out, hb_text(reason));
    return out;
}

HB_ENTRY(GenesisBuilder_get_preset) {
    hb_reader in = hb_reader_of(input);
    bool is_named = hb_read_bool(&in);
    hb_bytes name = is_named ? hb_read_bytes(&in) : (hb_bytes){0};
    DONE("GenesisBuilder_get_preset", in);
    hb_buffer out = {0};
    bool is_known = !is_named || hb_bytes_equal(name, HB_TEXT(PRESET_NAME));
    hb_write_bool(&out, is_known);
    if (is_known) hb_write_bytes(&out, is_named ? HB_BYTES(PRESET) : HB_TEXT("{\"scale\":\"0x00\"}"));
    return out;
}

HB_ENTRY(GenesisBuilder_preset_names) {
    NO_INPUT("GenesisBuilder_preset_names");
    hb_buffer out = {0};
    hb_write_compact(&out, 1);
    hb_write_bytes(&out, HB_TEXT(PRESET_NAME));
    return out;
}
