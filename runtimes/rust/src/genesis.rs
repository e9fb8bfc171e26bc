//! The first state.

use crate::{
    state::{self, Account},
    transaction::EXISTENTIAL_DEPOSIT,
    types::AccountId,
};
use alloc::vec::Vec;
use codec::DecodeAll;

/// The name of the configuration for trying things out.
pub(crate) const DEVELOPMENT: &str = "development";

/// What stands around the hexadecimal digits: JSON that nobody has to parse.
const BEFORE: &[u8] = br#"{"scale":"0x"#;
const AFTER: &[u8] = br#""}"#;

/// A configuration by its name; without one, that of nobody who has anything.
pub(crate) fn preset(name: Option<&[u8]>) -> Option<&'static [u8]> {
    match name {
        None => Some(br#"{"scale":"0x00"}"#),
        Some(name) if name == DEVELOPMENT.as_bytes() => Some(include_bytes!("../../ledger/development.json")),
        Some(_) => None,
    }
}

/// The bytes that the configuration spells.
fn unwrap(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
    let (pairs, odd) = digits.as_chunks::<2>();
    let digit = |digit: u8| (digit as char).to_digit(16).map(|digit| digit as u8);
    odd.is_empty().then_some(())?;
    pairs.iter().map(|&[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()
}

/// Writes the first state, or says why it cannot be.
pub(crate) fn build(text: &[u8]) -> Result<(), &'static str> {
    let scale = unwrap(text).ok_or(r#"genesis: not {"scale":"0x..."}"#)?;
    let accounts =
        Vec::<(AccountId, u128)>::decode_all(&mut &scale[..]).map_err(|_| "genesis: the SCALE does not decode")?;
    let mut total = 0u128;
    let mut before: Option<&AccountId> = None;
    for (id, free) in &accounts {
        if before.is_some_and(|before| before >= id) {
            return Err("genesis: the accounts are not in ascending order");
        }
        if *free < EXISTENTIAL_DEPOSIT {
            return Err("genesis: a balance is below the existential deposit");
        }
        total = total.checked_add(*free).ok_or("genesis: the balances overflow")?;
        before = Some(id);
    }
    for (id, free) in &accounts {
        let mut account = Account::load(id);
        account.set_free(*free);
        account.store();
    }
    state::set_total_issuance(total);
    Ok(())
}
