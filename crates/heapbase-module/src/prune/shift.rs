//! By how much a table can be shifted.

use super::WORTH_SHIFTING;
use super::live::Live;
use crate::pass::{Parts, PassError};
use wasmparser::{ConstExpr, ElementItems, ElementKind, ExternalKind, Operator, RefType, TableInit};

/// The number of empty places that can go. `None` where there are few, or somebody may look at them.
pub(super) fn find(parts: &Parts<'_>, exports: &[bool], live: &Live) -> Result<Option<u32>, PassError> {
    let ([ty], [(_, table)]) = (&parts.table_types[..], &parts.tables[..]) else { return Ok(None) };
    let exported =
        parts.exports.iter().zip(exports).any(|((_, export), stays)| *stays && export.kind == ExternalKind::Table);
    let private = !exported && !live.uses_tables && !ty.table64 && !ty.shared;
    if !private || ty.element_type != RefType::FUNCREF || !matches!(table.init, TableInit::RefNull) {
        return Ok(None);
    }
    let mut first: Option<u32> = None;
    for element in &parts.elements {
        let ElementKind::Active { offset_expr, .. } = &element.kind else { continue };
        let count = match &element.items {
            ElementItems::Functions(list) => list.count(),
            ElementItems::Expressions(_, list) => list.count(),
        };
        let Some(place) = constant(offset_expr) else { return Ok(None) };
        // What does not fit is refused when the module is instantiated, and stays so.
        if u64::from(place) + u64::from(count) > ty.initial {
            return Ok(None);
        }
        first = Some(first.map_or(place, |first| first.min(place)));
    }
    Ok(first.filter(|first| *first >= WORTH_SHIFTING && live.indirect_calls > 0))
}

/// The value of an expression that is one `i32.const`.
pub(super) fn constant(expression: &ConstExpr<'_>) -> Option<u32> {
    let mut operators = expression.get_operators_reader();
    match (operators.read().ok()?, operators.read().ok()?) {
        (Operator::I32Const { value }, Operator::End) => Some(value.cast_unsigned()),
        _ => None,
    }
}
