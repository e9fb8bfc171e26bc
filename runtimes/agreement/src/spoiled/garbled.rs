//! Extrinsics that do not decode.

use super::named;
use codec::{Compact, Encode};

named! {
    /// Why an extrinsic does not decode.
    pub enum Garbled {
        /// No byte.
        Empty,
        /// A last byte is missing, of which the length knows.
        CutWithLength,
        /// A byte too many, of which the length knows.
        LongerWithLength,
        /// The length is not written in its shortest form.
        LengthNotMinimal,
        /// The length is more than 32 bits.
        LengthTooLong,
        /// Version 5, signed.
        SignedVersion5,
        /// Version 5, bare.
        BareVersion5,
        /// Version 4, of a kind that it does not have.
        General,
        /// `MultiAddress::Index`.
        SenderByIndex,
        /// `MultiAddress::Address32`.
        SenderAddress32,
        /// A signature of the third kind.
        SignatureEcdsa,
        /// A kind of signature that there is not.
        SignatureUnknown,
        /// A pallet that there is not.
        PalletUnknown,
        /// A function that the pallet does not have.
        FunctionUnknown,
        /// The nonce is not written in its shortest form.
        NonceNotMinimal,
        /// The nonce has more than 32 bits.
        NonceTooLong,
        /// The tip is not written in its shortest form.
        TipNotMinimal,
        /// The tip has more than 128 bits.
        TipTooLong,
        /// The transfer's value is not written in its shortest form.
        ValueNotMinimal,
        /// The transfer's value has a leading zero byte in its long form.
        ValueNotMinimalLong,
        /// The transfer's value has more than 128 bits.
        ValueTooLong,
        /// The transfer is to an address of another kind.
        RecipientRaw,
    }
}

/// Where the parts of a signed transfer begin, without the length and with a nonce and a tip of one byte each.
const SENDER: usize = 1;
const SIGNATURE: usize = SENDER + 33;
const NONCE: usize = SIGNATURE + 65 + 1;
const TIP: usize = NONCE + 1;
const CALL: usize = TIP + 1;
const RECIPIENT: usize = CALL + 2;
const VALUE: usize = RECIPIENT + 33;

impl Garbled {
    /// An extrinsic, with its length, that does not decode for this reason.
    ///
    /// Nothing is signed: decoding comes first.
    pub fn bytes(self) -> Vec<u8> {
        use Garbled::*;
        let mut body =
            [&[0x84, 0][..], &[0x11; 32], &[1], &[0x22; 64], &[0, 4, 0, 2, 3, 0], &[0x33; 32], &[8]].concat();
        let replace = |body: &mut Vec<u8>, at: usize, bytes: &[u8]| {
            body.splice(at..at + 1, bytes.iter().copied());
        };
        match self {
            Empty => body.clear(),
            CutWithLength => _ = body.pop(),
            LongerWithLength => body.push(0),
            LengthNotMinimal => return [&(body.len() as u32 * 4 + 2).to_le_bytes()[..], &body].concat(),
            LengthTooLong => return [&[7][..], &(body.len() as u64).to_le_bytes()[..5], &body].concat(),
            SignedVersion5 => body[0] = 0x85,
            BareVersion5 => body = vec![5, 1, 0, 4],
            General => body[0] = 0x44,
            SenderByIndex => body[SENDER] = 1,
            SenderAddress32 => body[SENDER] = 3,
            SignatureEcdsa => {
                body[SIGNATURE] = 2;
                body.insert(SIGNATURE + 1, 0);
            }
            SignatureUnknown => body[SIGNATURE] = 4,
            PalletUnknown => body[CALL] = 0,
            FunctionUnknown => body[CALL + 1] = 0,
            NonceNotMinimal => replace(&mut body, NONCE, &[5, 0]),
            NonceTooLong => replace(&mut body, NONCE, &[7, 0, 0, 0, 0, 1]),
            TipNotMinimal => replace(&mut body, TIP, &[2, 0, 0, 0]),
            TipTooLong => replace(&mut body, TIP, &[&[0x37][..], &[1; 17]].concat()),
            ValueNotMinimal => replace(&mut body, VALUE, &[3, 255, 255, 255, 63]),
            ValueNotMinimalLong => replace(&mut body, VALUE, &[0x13, 1, 1, 1, 1, 1, 1, 1, 0]),
            ValueTooLong => replace(&mut body, VALUE, &[&[0x37][..], &[1; 17]].concat()),
            RecipientRaw => body[RECIPIENT] = 2,
        }
        [Compact(body.len() as u32).encode(), body].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Extrinsic;
    use codec::DecodeAll;

    /// The SDK knows more kinds of addresses and signatures, calls of version 5, and lets nothing else pass.
    #[test]
    fn the_sdk_decodes_none_but_what_the_ledger_leaves_out() {
        use Garbled::*;
        let known = [BareVersion5, SenderAddress32, SignatureEcdsa];
        for garbled in Garbled::ALL {
            let decodes = Extrinsic::decode_all(&mut &garbled.bytes()[..]).is_ok();
            assert_eq!(decodes, known.contains(garbled), "{garbled:?}");
        }
    }

    #[test]
    fn the_parts_are_where_they_are_said_to_be() {
        let whole = Garbled::PalletUnknown.bytes();
        let mut body = whole[2..].to_vec();
        assert_eq!(body.len(), VALUE + 1);
        body[CALL] = 2;
        let whole = [Compact(body.len() as u32).encode(), body].concat();
        assert!(Extrinsic::decode_all(&mut &whole[..]).is_ok());
    }
}
