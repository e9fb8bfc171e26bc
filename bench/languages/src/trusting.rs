//! Host functions that take every signature for right: what is left of a block is the language's work and the state's.

use sp_wasm_interface::ExtendedHostFunctions;

/// The host functions of a node, with no signature verified.
pub(crate) type TrustingHostFunctions =
    ExtendedHostFunctions<sp_io::SubstrateHostFunctions, functions::crypto::HostFunctions>;

mod functions {
    //! The macro names the imports after the trait: it must be called `Crypto`.
    #![allow(missing_docs, dead_code, reason = "the macro makes a caller of each function, too")]

    use sp_core::{ed25519, sr25519};
    use sp_runtime_interface::{
        pass_by::{PassFatPointerAndRead, PassPointerAndRead},
        runtime_interface,
    };

    #[runtime_interface]
    pub(super) trait Crypto {
        fn ed25519_verify(
            _signature: PassPointerAndRead<&ed25519::Signature, 64>,
            _message: PassFatPointerAndRead<&[u8]>,
            _public: PassPointerAndRead<&ed25519::Public, 32>,
        ) -> bool {
            true
        }

        #[version(1, register_only)]
        fn sr25519_verify(
            _signature: PassPointerAndRead<&sr25519::Signature, 64>,
            _message: PassFatPointerAndRead<&[u8]>,
            _public: PassPointerAndRead<&sr25519::Public, 32>,
        ) -> bool {
            true
        }

        #[version(2)]
        fn sr25519_verify(
            _signature: PassPointerAndRead<&sr25519::Signature, 64>,
            _message: PassFatPointerAndRead<&[u8]>,
            _public: PassPointerAndRead<&sr25519::Public, 32>,
        ) -> bool {
            true
        }
    }
}
