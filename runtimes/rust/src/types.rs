//! Extrinsics, headers, blocks: what comes in encoded.
//!
//! Extrinsics are read in place: what is hashed and signed are the bytes as they came.

use alloc::vec::Vec;
use codec::{Compact, Decode, Encode, Input, Output};

pub(crate) type Hash = [u8; 32];
pub(crate) type AccountId = [u8; 32];

#[derive(Encode, Decode)]
pub(crate) struct Header {
    pub(crate) parent_hash: Hash,
    #[codec(compact)]
    pub(crate) number: u32,
    pub(crate) state_root: Hash,
    pub(crate) extrinsics_root: Hash,
    pub(crate) digest: Digest,
}

/// A digest in its encoding: the ledger only passes it on.
pub(crate) struct Digest(pub(crate) Vec<u8>);

impl Encode for Digest {
    fn encode_to<T: Output + ?Sized>(&self, output: &mut T) {
        output.write(&self.0);
    }
}

impl Decode for Digest {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        // Minimal in all its lengths, so that encoding gives the bytes that came in.
        Ok(Digest(Vec::<DigestItem>::decode(input)?.encode()))
    }
}

#[derive(Encode, Decode)]
enum DigestItem {
    #[codec(index = 0)]
    Other(Vec<u8>),
    #[codec(index = 4)]
    Consensus([u8; 4], Vec<u8>),
    #[codec(index = 5)]
    Seal([u8; 4], Vec<u8>),
    #[codec(index = 6)]
    PreRuntime([u8; 4], Vec<u8>),
    #[codec(index = 8)]
    RuntimeEnvironmentUpdated,
}

pub(crate) struct Block<'a> {
    pub(crate) header: Header,
    pub(crate) extrinsics: Vec<Extrinsic<'a>>,
}

pub(crate) struct Extrinsic<'a> {
    /// With its length.
    pub(crate) encoded: &'a [u8],
    pub(crate) signed: Option<Signed<'a>>,
    pub(crate) call: Call<'a>,
    /// The call alone.
    pub(crate) call_encoded: &'a [u8],
}

pub(crate) struct Signed<'a> {
    pub(crate) from: &'a AccountId,
    pub(crate) signature: Signature<'a>,
    pub(crate) mortal: bool,
    pub(crate) nonce: u32,
    pub(crate) tip: u128,
    /// Era, nonce and tip as they came.
    pub(crate) extra: &'a [u8],
}

pub(crate) enum Signature<'a> {
    Ed25519(&'a [u8; 64]),
    Sr25519(&'a [u8; 64]),
}

pub(crate) enum Call<'a> {
    Timestamp(u64),
    Transfer { to: &'a AccountId, value: u128 },
}

/// The call of a transfer: pallet `Balances`, function `transfer_keep_alive`.
const TRANSFER: [u8; 2] = [2, 3];
/// The call that sets the timestamp: pallet `Timestamp`, function `set`.
const TIMESTAMP: [u8; 2] = [1, 0];
/// The first byte of an extrinsic: version 4, with the highest bit where it is signed.
const BARE: u8 = 4;
const SIGNED: u8 = 0x84;

fn compact<T>(input: &mut &[u8]) -> Option<T>
where
    Compact<T>: Decode,
{
    Some(Compact::<T>::decode(input).ok()?.0)
}

fn array<'a, const N: usize>(input: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (array, rest) = input.split_first_chunk()?;
    *input = rest;
    Some(array)
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    array(input).map(|[byte]| *byte)
}

/// `MultiAddress::Id`.
fn address<'a>(input: &mut &'a [u8]) -> Option<&'a AccountId> {
    match byte(input)? {
        0 => array(input),
        _ => None,
    }
}

/// What was read of `before` when `after` is left.
fn between<'a>(before: &'a [u8], after: &[u8]) -> &'a [u8] {
    &before[..before.len() - after.len()]
}

impl<'a> Signed<'a> {
    fn decode(input: &mut &'a [u8]) -> Option<Self> {
        let from = address(input)?;
        let signature = match byte(input)? {
            0 => Signature::Ed25519(array(input)?),
            1 => Signature::Sr25519(array(input)?),
            _ => return None,
        };
        let begin = *input;
        let mortal = byte(input)? != 0;
        if mortal {
            byte(input)?;
        }
        let nonce = compact::<u32>(input)?;
        let tip = compact::<u128>(input)?;
        Some(Signed { from, signature, mortal, nonce, tip, extra: between(begin, input) })
    }
}

impl<'a> Extrinsic<'a> {
    /// The extrinsic that `input` begins with, and what follows it.
    pub(crate) fn decode(input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = input;
        let length = compact::<u32>(&mut rest)?;
        let (mut body, rest) = rest.split_at_checked(length as usize)?;
        let signed = match byte(&mut body)? {
            BARE => None,
            SIGNED => Some(Signed::decode(&mut body)?),
            _ => return None,
        };
        let call_encoded = body;
        let call = match *array(&mut body)? {
            TIMESTAMP => Call::Timestamp(compact::<u64>(&mut body)?),
            TRANSFER => Call::Transfer { to: address(&mut body)?, value: compact::<u128>(&mut body)? },
            _ => return None,
        };
        let extrinsic = Extrinsic { encoded: between(input, rest), signed, call, call_encoded };
        body.is_empty().then_some((extrinsic, rest))
    }

    /// The extrinsic that `input` is.
    pub(crate) fn decode_all(input: &'a [u8]) -> Option<Self> {
        let (extrinsic, rest) = Extrinsic::decode(input)?;
        rest.is_empty().then_some(extrinsic)
    }
}

impl<'a> Block<'a> {
    /// The block that `input` begins with, and what follows it.
    pub(crate) fn decode(mut input: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let header = Header::decode(&mut input).ok()?;
        let count = compact::<u32>(&mut input)?;
        // Not by the count, which says nothing before the extrinsics are there.
        let mut extrinsics = Vec::new();
        for _ in 0..count {
            let (extrinsic, rest) = Extrinsic::decode(input)?;
            extrinsics.push(extrinsic);
            input = rest;
        }
        Some((Block { header, extrinsics }, input))
    }

    /// The block that `input` is.
    pub(crate) fn decode_all(input: &'a [u8]) -> Option<Self> {
        let (block, rest) = Block::decode(input)?;
        rest.is_empty().then_some(block)
    }
}

/// The body of the extrinsic that sets the timestamp; encoding it adds the length.
pub(crate) fn timestamp_extrinsic(now: u64) -> Vec<u8> {
    (BARE, TIMESTAMP, Compact(now)).encode()
}
