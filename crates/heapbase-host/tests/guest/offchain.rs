//! What only an offchain worker may do.

use crate::subjects::each;
use heapbase_host::{Cause, State};
use sp_core::offchain::{OffchainDbExt, OffchainWorkerExt, testing::TestOffchainExt};
use sp_state_machine::{BasicExternalities, TestExternalities};

#[test]
fn an_offchain_worker() {
    each(|subject| {
        let (offchain, state) = TestOffchainExt::new();
        state.write().timestamp = sp_core::offchain::Timestamp::from_unix_millis(1_234);
        state.write().seed = [9; 32];
        let mut ext = BasicExternalities::default();
        ext.register_extension(OffchainDbExt::new(offchain.clone()));
        ext.register_extension(OffchainWorkerExt::new(offchain));

        let context: (bool, [u8; 32], u64) = subject.with_ext(&mut ext, "offchain_context", ());
        assert_eq!(context, (true, [9; 32], 1_234), "{}", subject.name);
        let storage: (bool, Option<Vec<u8>>, Option<Vec<u8>>) =
            subject.with_ext(&mut ext, "offchain_local_storage", ("key", vec![1u8; 300]));
        assert_eq!(storage, (true, Some(vec![1; 300]), None), "{}", subject.name);
    });
}

#[test]
fn a_block_is_no_offchain_worker() {
    each(|subject| {
        let error = subject.error("offchain_context", ());
        assert!(matches!(&error.cause, Cause::HostFunction(message) if message.contains("offchain")), "{error:?}");
        assert!(error.host_function.as_deref().is_some_and(|name| name.contains("is_validator")), "{error:?}");
        let error = subject.error("offchain_local_storage", ("key", "value"));
        assert!(error.host_function.as_deref().is_some_and(|name| name.contains("local_storage_set")), "{error:?}");
    });
}

#[test]
fn the_offchain_index() {
    each(|subject| {
        let mut externalities = TestExternalities::<heapbase_host::Hasher>::default();
        let mut ext = externalities.ext();
        subject.with_ext::<()>(&mut ext, "offchain_index", ("key", "value", "gone"));
        externalities.persist_offchain_overlay();
        let entry = externalities.offchain_db().get(b"key");
        assert_eq!(entry.as_deref(), Some(&b"value"[..]), "{}", subject.name);
        // Where nobody keeps an index, writing to it does nothing.
        subject.on::<()>(&State::default(), "offchain_index", ("key", "value", "gone"));
        subject.get::<()>("transaction_index", (0u32, 100u32, [5u8; 32]));
    });
}
