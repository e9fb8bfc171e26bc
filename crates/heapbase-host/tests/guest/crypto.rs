//! Hashes, signatures and the keystore.

use crate::subjects::each;
use heapbase_host::Cause;
use sp_core::{Pair, ecdsa, ed25519, sr25519};
use sp_crypto_hashing as hashing;
use sp_keystore::{KeystoreExt, testing::MemoryKeystore};
use sp_state_machine::BasicExternalities;

#[test]
fn hashes() {
    each(|subject| {
        for size in [0, 1, 8, 31, 32, 33, 1_000, 1 << 20] {
            let data: Vec<u8> = (0..size).map(|at: u32| at.wrapping_mul(31) as u8).collect();
            let digests: Vec<Vec<u8>> = subject.get("hash_all", &data);
            let expected = [
                hashing::blake2_128(&data).to_vec(),
                hashing::blake2_256(&data).to_vec(),
                hashing::keccak_256(&data).to_vec(),
                hashing::keccak_512(&data).to_vec(),
                hashing::sha2_256(&data).to_vec(),
                hashing::twox_64(&data).to_vec(),
                hashing::twox_128(&data).to_vec(),
                hashing::twox_256(&data).to_vec(),
            ];
            assert_eq!(digests, expected, "{}: {size} bytes", subject.name);
        }
        let chain: [u8; 32] = subject.get("hash_chain", ([3u8; 32], 1_000u32));
        assert_eq!(chain, (0..1_000).fold([3; 32], |digest, _| hashing::blake2_256(&digest)), "{}", subject.name);
    });
}

#[test]
fn signatures() {
    let message = b"a message".to_vec();
    let other = b"another message".to_vec();
    each(|subject| {
        let pair = ed25519::Pair::from_seed(&[1; 32]);
        let signature = pair.sign(&message);
        assert!(subject.get::<bool>("ed25519_verify", (signature, &message, pair.public())), "{}", subject.name);
        assert!(!subject.get::<bool>("ed25519_verify", (signature, &other, pair.public())), "{}", subject.name);
        assert!(!subject.get::<bool>("ed25519_verify", (ed25519::Signature::from([0; 64]), &message, pair.public())));

        let pair = sr25519::Pair::from_seed(&[2; 32]);
        let signature = pair.sign(&message);
        assert!(subject.get::<bool>("sr25519_verify", (signature, &message, pair.public())), "{}", subject.name);
        assert!(!subject.get::<bool>("sr25519_verify", (signature, &other, pair.public())), "{}", subject.name);

        let pair = ecdsa::Pair::from_seed(&[3; 32]);
        let signature = pair.sign(&message);
        assert!(subject.get::<bool>("ecdsa_verify", (signature, &message, pair.public())), "{}", subject.name);
        assert!(!subject.get::<bool>("ecdsa_verify", (signature, &other, pair.public())), "{}", subject.name);

        let digest = hashing::keccak_256(&message);
        let signature = pair.sign_prehashed(&digest);
        assert!(subject.get::<bool>("ecdsa_verify_prehashed", (signature, digest, pair.public())), "{}", subject.name);
        assert!(!subject.get::<bool>("ecdsa_verify_prehashed", (signature, [0u8; 32], pair.public())));
    });
}

#[test]
fn recovery_of_a_public_key() {
    let pair = ecdsa::Pair::from_seed(&[4; 32]);
    let digest = hashing::blake2_256(b"a message");
    let signature = pair.sign_prehashed(&digest);
    each(|subject| {
        let raw: [u8; 65] = signature.into();
        let recovered: (Option<[u8; 64]>, Option<[u8; 33]>) = subject.get("ecdsa_recover", (raw, digest));
        assert_eq!(recovered.1, Some(pair.public().0), "{}", subject.name);
        let full = recovered.0.unwrap_or_else(|| panic!("{}: nothing recovered", subject.name));
        assert_eq!(full[..32], pair.public().0[1..], "{}: the abscissa of both forms", subject.name);
        let none: (Option<[u8; 64]>, Option<[u8; 33]>) = subject.get("ecdsa_recover", ([0xffu8; 65], digest));
        assert_eq!(none, (None, None), "{}", subject.name);
    });
}

#[test]
fn batches_of_signatures() {
    let pair = sr25519::Pair::from_seed(&[5; 32]);
    let signed = |message: &[u8]| (pair.sign(message), message.to_vec(), pair.public());
    let forged = (pair.sign(b"one"), b"another".to_vec(), pair.public());
    each(|subject| {
        let good: (Vec<bool>, bool) =
            subject.get("sr25519_batch", vec![signed(b"one"), signed(b""), signed(&[7; 5_000])]);
        assert_eq!(good, (vec![true; 3], true), "{}", subject.name);
        let bad: (Vec<bool>, bool) = subject.get("sr25519_batch", vec![signed(b"one"), forged.clone(), signed(b"two")]);
        assert_eq!(bad, (vec![true, false, true], false), "{}", subject.name);
        assert_eq!(
            subject.get::<(Vec<bool>, bool)>("sr25519_batch", Vec::<()>::new()),
            (vec![], true),
            "{}",
            subject.name
        );
    });
}

#[test]
fn keys_of_the_keystore() {
    each(|subject| {
        let mut ext = BasicExternalities::default();
        ext.register_extension(KeystoreExt::new(MemoryKeystore::new()));
        let answers: (bool, bool, bool, bool) = subject.with_ext(&mut ext, "keystore", b"a message".to_vec());
        assert_eq!(answers, (true, true, true, true), "{}", subject.name);

        let error = subject.error("keystore", b"a message".to_vec());
        assert!(matches!(&error.cause, Cause::HostFunction(message) if message.contains("keystore")), "{error:?}");
    });
}
