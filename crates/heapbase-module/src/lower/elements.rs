//! Element segments.
//!
//! ```text
//! (elem (table 0) (i32.const 1) funcref (ref.func $f) (ref.null func) (ref.func $g))
//! (elem declare func $f)   (elem func $passive)
//!
//! (elem (i32.const 1) func $f)
//! (elem (i32.const 3) func $g)
//! ```
//!
//! The first release of WebAssembly knows segments of functions which are copied before anything runs. Declared ones only tell the
//! validator something, and passive ones that no instruction names nobody can see. An empty place is one that no segment covers: it is
//! left out, and where it would erase what an earlier segment put there, the segments are laid over each other here.

use super::constant::Value;
use crate::SectionKind;
use crate::inspect::Feature;
use crate::pass::{Parts, PassError};
use std::borrow::Cow;
use std::collections::BTreeMap;
use wasm_encoder::{ElementSection, Elements};
use wasmparser::{Element, ElementItems, ElementKind, Operator, RefType};

/// Whether a segment is written as in the first release.
pub(super) fn is_plain(parts: &Parts<'_>, element: &Element<'_>) -> bool {
    parts.wasm.get(element.range.start as usize) == Some(&0)
}

/// The functions of a segment; `None` for empty places.
fn functions(element: &Element<'_>) -> Result<Vec<Option<u32>>, PassError> {
    let offset = element.range.start;
    match &element.items {
        ElementItems::Functions(list) => {
            list.clone().into_iter().map(|function| Ok(Some(function?))).collect::<Result<_, _>>()
        }
        ElementItems::Expressions(ty, list) => {
            if *ty != RefType::FUNCREF {
                return Err(PassError::unsupported(
                    format!("an element segment of {ty}"),
                    if *ty == RefType::EXTERNREF { Feature::ReferenceTypes } else { Feature::Gc },
                    SectionKind::Element,
                    offset,
                    "the first release of WebAssembly has only functions in tables",
                ));
            }
            let mut all = Vec::new();
            for expression in list.clone() {
                let expression = expression?;
                let mut operators = expression.get_operators_reader();
                let at = operators.original_position();
                all.push(match (operators.read()?, operators.read()?) {
                    (Operator::RefFunc { function_index }, Operator::End) => Some(function_index),
                    (Operator::RefNull { .. }, Operator::End) => None,
                    _ => {
                        return Err(PassError::unsupported(
                            "an element that is not one function",
                            Feature::ReferenceTypes,
                            SectionKind::Element,
                            at,
                            "its value is not known beforehand",
                        ));
                    }
                });
            }
            Ok(all)
        }
    }
}

/// Writes the segments, and says how many are not as they were. `named` says whether instructions name them: then each stays
/// where it is. `place` evaluates where an active one lies.
pub(super) fn write(
    parts: &Parts<'_>,
    named: bool,
    place: impl Fn(&wasmparser::ConstExpr<'_>) -> Result<Value, PassError>,
) -> Result<(ElementSection, usize), PassError> {
    let mut section = ElementSection::new();
    let mut changed = 0;
    let mut active = Vec::new();
    for element in &parts.elements {
        changed += usize::from(!is_plain(parts, element));
        match &element.kind {
            ElementKind::Active { offset_expr, .. } => active.push((element, place(offset_expr)?, functions(element)?)),
            // Its functions are looked at even so: what it holds may have to be refused.
            _ if named => active.push((element, Value::I32(0), functions(element)?)),
            _ => {}
        }
    }
    let holes = active.iter().any(|(_, _, functions)| functions.iter().any(Option::is_none));
    if !holes {
        for (element, place, functions) in &active {
            let functions: Vec<u32> = functions.iter().copied().flatten().collect();
            let functions = Elements::Functions(Cow::Owned(functions));
            match element.kind {
                ElementKind::Active { .. } => section.active(None, &place.expression(), functions),
                ElementKind::Passive => section.passive(functions),
                ElementKind::Declared => section.declared(functions),
            };
        }
        return Ok((section, changed));
    }
    let refused = |element: &Element<'_>, why| {
        PassError::unsupported(
            "an empty place in an element segment",
            Feature::ReferenceTypes,
            SectionKind::Element,
            element.range.start,
            why,
        )
    };
    // All on top of each other, in their order.
    let mut table: BTreeMap<u64, Option<u32>> = BTreeMap::new();
    let mut ends = Vec::new();
    for (element, place, functions) in &active {
        if named {
            return Err(refused(element, "the module copies segments itself, and in these only functions can lie"));
        }
        let Some(start) = place.address() else {
            return Err(refused(element, "where the segment lies only the host knows"));
        };
        table.extend((u64::from(start)..).zip(functions.iter().copied()));
        if functions.last().copied().flatten().is_none() {
            ends.push(u64::from(start) + functions.len() as u64);
        }
    }
    let mut run: Vec<u32> = Vec::new();
    let mut next = 0;
    let mut flush = |run: &mut Vec<u32>, next: u64| {
        if !run.is_empty() {
            let start = (next - run.len() as u64) as u32;
            let functions = Elements::Functions(Cow::Owned(std::mem::take(run)));
            section.active(None, &Value::I32(start.cast_signed()).expression(), functions);
        }
    };
    for (place, function) in table {
        if place != next {
            flush(&mut run, next);
        }
        match function {
            Some(function) => run.push(function),
            None => flush(&mut run, place),
        }
        next = place + 1;
    }
    flush(&mut run, next);
    // What would lie behind the table's end is refused when the module is instantiated; so it is with nothing at its end.
    ends.sort_unstable();
    ends.dedup();
    for end in ends {
        // One that ends past 4 GiB would lie outside of every table; the last place of them does as well.
        let end = u32::try_from(end).unwrap_or(u32::MAX);
        let nothing = Elements::Functions(Cow::Borrowed(&[]));
        section.active(None, &Value::I32(end.cast_signed()).expression(), nothing);
    }
    Ok((section, changed.max(1)))
}
