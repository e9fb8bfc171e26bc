//! Signatures, and keys in the host's keystore.

use alloc::vec::Vec;
use sp_core::{crypto::KeyTypeId, ecdsa, ed25519, sr25519};
use sp_io::crypto;

/// The kind of key that the tests generate.
const KIND: KeyTypeId = KeyTypeId(*b"test");

/// The host functions for verification in batches, which `sp-io` no longer declares but old runtimes import.
mod old {
    #[link(wasm_import_module = "env")]
    unsafe extern "C" {
        pub(super) fn ext_crypto_start_batch_verify_version_1();
        pub(super) fn ext_crypto_finish_batch_verify_version_1() -> i32;
        pub(super) fn ext_crypto_sr25519_batch_verify_version_1(signature: u32, message: u64, public: u32) -> i32;
    }
}

/// A signature, the message and the public key.
type Signed<S, P> = (S, Vec<u8>, P);

entries! {
    /// Whether an Ed25519 signature is right.
    fn ed25519_verify(signature: ed25519::Signature, message: Vec<u8>, public: ed25519::Public) -> bool {
        crypto::ed25519_verify(&signature, &message, &public)
    }

    /// Whether a Schnorr signature is right.
    fn sr25519_verify(signature: sr25519::Signature, message: Vec<u8>, public: sr25519::Public) -> bool {
        crypto::sr25519_verify(&signature, &message, &public)
    }

    /// Whether an ECDSA signature is right.
    fn ecdsa_verify(signature: ecdsa::Signature, message: Vec<u8>, public: ecdsa::Public) -> bool {
        crypto::ecdsa_verify(&signature, &message, &public)
    }

    /// Whether an ECDSA signature of a digest is right.
    fn ecdsa_verify_prehashed(signature: ecdsa::Signature, digest: [u8; 32], public: ecdsa::Public) -> bool {
        crypto::ecdsa_verify_prehashed(&signature, &digest, &public)
    }

    /// The public key that signed a digest, in 64 bytes and compressed in 33; `None` when the signature is none.
    fn ecdsa_recover(signature: [u8; 65], digest: [u8; 32]) -> (Option<[u8; 64]>, Option<[u8; 33]>) {
        (
            crypto::secp256k1_ecdsa_recover(&signature, &digest).ok(),
            crypto::secp256k1_ecdsa_recover_compressed(&signature, &digest).ok(),
        )
    }

    /// Verifies in a batch: each signature's answer, and the batch's.
    fn sr25519_batch(signed: Vec<Signed<sr25519::Signature, sr25519::Public>>) -> (Vec<bool>, bool) {
        // SAFETY: takes nothing.
        unsafe { old::ext_crypto_start_batch_verify_version_1() };
        let verify = |(signature, message, public): &Signed<sr25519::Signature, sr25519::Public>| {
            let message = sp_runtime_interface::pack_ptr_and_len(message.as_ptr() as u32, message.len() as u32);
            let signature: &[u8] = signature.as_ref();
            let public: &[u8] = public.as_ref();
            // SAFETY: the three addresses are of values that outlive the call and have the lengths the host expects.
            let answer = unsafe {
                old::ext_crypto_sr25519_batch_verify_version_1(
                    signature.as_ptr() as u32,
                    message,
                    public.as_ptr() as u32,
                )
            };
            answer != 0
        };
        let each = signed.iter().map(verify).collect();
        // SAFETY: takes nothing.
        (each, unsafe { old::ext_crypto_finish_batch_verify_version_1() } != 0)
    }

    /// Generates a key of each kind in the keystore, signs with it, verifies: the three answers, and whether the
    /// keystore lists the keys.
    fn keystore(message: Vec<u8>) -> (bool, bool, bool, bool) {
        let edwards = crypto::ed25519_generate(KIND, None);
        let schnorr = crypto::sr25519_generate(KIND, Some(b"//Alice".to_vec()));
        let koblitz = crypto::ecdsa_generate(KIND, None);
        let listed = crypto::ed25519_public_keys(KIND).contains(&edwards)
            && crypto::sr25519_public_keys(KIND).contains(&schnorr)
            && crypto::ecdsa_public_keys(KIND).contains(&koblitz);
        (
            crypto::ed25519_sign(KIND, &edwards, &message)
                .is_some_and(|signature| crypto::ed25519_verify(&signature, &message, &edwards)),
            crypto::sr25519_sign(KIND, &schnorr, &message)
                .is_some_and(|signature| crypto::sr25519_verify(&signature, &message, &schnorr)),
            crypto::ecdsa_sign(KIND, &koblitz, &message)
                .is_some_and(|signature| crypto::ecdsa_verify(&signature, &message, &koblitz)),
            listed,
        )
    }
}
