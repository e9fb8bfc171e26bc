//! Accounts that can sign, always with the same signatures.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use schnorrkel::{ExpansionMode, Keypair, MiniSecretKey, context::attach_rng, signing_context};
use sp_core::{Pair, ed25519, sr25519};
use sp_runtime::{AccountId32, MultiSignature};

/// An account and its key.
pub struct Key {
    /// The account: the public key.
    pub id: AccountId32,
    secret: Secret,
}

enum Secret {
    Ed25519(Box<ed25519::Pair>),
    /// Not `sp_core`'s pair, whose signatures are different each time.
    Sr25519(Box<Keypair>),
}

impl Key {
    /// The key number `index`: an Ed25519 one where it is odd, an Sr25519 one where it is even.
    pub fn new(index: u32) -> Self {
        let seed = sp_crypto_hashing::blake2_256(&index.to_le_bytes());
        if index % 2 == 1 {
            let pair = ed25519::Pair::from_seed(&seed);
            Key { id: AccountId32::new(pair.public().0), secret: Secret::Ed25519(Box::new(pair)) }
        } else {
            let secret = MiniSecretKey::from_bytes(&seed).expect("any 32 bytes are one");
            let pair = secret.expand_to_keypair(ExpansionMode::Ed25519);
            Key { id: AccountId32::new(pair.public.to_bytes()), secret: Secret::Sr25519(Box::new(pair)) }
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> MultiSignature {
        match &self.secret {
            Secret::Ed25519(pair) => MultiSignature::Ed25519(pair.sign(message)),
            Secret::Sr25519(pair) => {
                // The nonce is bound to message and key as well: this only takes the system's randomness out.
                let random = ChaCha8Rng::from_seed(sp_crypto_hashing::blake2_256(message));
                let signature = pair.sign(attach_rng(signing_context(b"substrate").bytes(message), random));
                MultiSignature::Sr25519(sr25519::Signature::from_raw(signature.to_bytes()))
            }
        }
    }
}
