//! Takes a conversion back: the module as it was, by what the record says.

use super::{
    error::ConvertError,
    glue::Type,
    survey::{FREE, HEAP_BASE, HEAP_BASE_V1, MALLOC, Survey},
    write::{HeapBaseGlobal, Output, Producer},
};
use crate::record::{Import, Pointer, Record};
use crate::splice::{Splice, call, instructions, memory};
use std::collections::BTreeMap;
use wasm_encoder::Instruction as I;
use wasmparser::FunctionBody;

/// What a call of an added function was before.
enum Before {
    /// A call of this function (its new index).
    Call(u32),
    /// The same, and the instruction in front of it was not there.
    CallWithout(u32),
    /// A call through a static pointer, and the instruction in front of it was not there.
    PointerWithout(Pointer),
}

/// The module before its conversion.
pub(super) fn undo(survey: &Survey<'_>, record: &Record) -> Result<Vec<u8>, ConvertError> {
    let wrong = |what: &str| ConvertError::Record(what.to_owned());
    let undo = record.undo.as_ref().ok_or_else(|| wrong("it does not say how to undo the conversion"))?;
    let returning = if record.to == crate::Spec::V1 { undo.malloc_imports.len() + undo.free_imports.len() } else { 0 };
    let imports_now = survey.imported_functions;
    let own = undo.functions;
    if own as usize > survey.bodies.len() || undo.types as usize > survey.types.len() {
        return Err(wrong("it speaks of more functions or types than there are"));
    }

    // Where the imported functions that come back will stand. `position` counts all imports, `index` the functions.
    let mut coming: Vec<(Import, &'static str)> = Vec::new();
    if record.to == crate::Spec::V1 {
        coming.extend(undo.malloc_imports.iter().map(|import| (import.clone(), MALLOC)));
        coming.extend(undo.free_imports.iter().map(|import| (import.clone(), FREE)));
        coming.sort_unstable();
    }
    let total = imports_now as usize + returning;
    let most = u64::from(survey.imports) + returning as u64;
    let is_inside = |import: &Import| (import.function as usize) < total && u64::from(import.position) < most;
    let is_rising =
        |pair: &[(Import, &str)]| pair[0].0.position < pair[1].0.position && pair[0].0.function < pair[1].0.function;
    if !coming.iter().all(|(import, _)| is_inside(import)) || !coming.windows(2).all(is_rising) {
        return Err(wrong("the imports' places do not fit the import section"));
    }
    let mut places: Vec<Option<u32>> = Vec::with_capacity(survey.functions.len());
    let mut next = 0;
    for _ in 0..imports_now {
        while coming.iter().any(|(import, _)| import.function == next) {
            next += 1;
        }
        places.push(Some(next));
        next += 1;
    }
    let first_own = total as u32;
    places.extend((0..survey.bodies.len() as u32).map(|place| (place < own).then_some(first_own + place)));

    // What was called before: the import, or the shim that alone called it.
    let import_of = |imports: &[Import]| imports.first().map(|import| import.function);
    // As they are before anything goes back to its place.
    let kept = places.clone();
    let own_place = |function: u32| -> Result<u32, ConvertError> {
        let place = kept.get(function as usize).copied().flatten();
        place.ok_or_else(|| wrong("a function it names does not exist"))
    };
    let slot =
        |function: Option<u32>| function.and_then(|function| undo.slots.iter().find(|slot| slot.function == function));
    let mut before: BTreeMap<u32, Before> = BTreeMap::new();
    let mut functions = places.clone();
    // What each was called as before: the function whose place it took, if that only passed on; otherwise the import.
    let mut callee = |added: Option<u32>, import: Option<u32>| -> Result<Option<u32>, ConvertError> {
        let Some(added) = added else { return Ok(None) };
        let target = match slot(Some(added)) {
            Some(slot) if slot.moved_to.is_none() => own_place(added)?,
            _ => import.ok_or_else(|| wrong("it names no import for an allocator function"))?,
        };
        before.insert(added, Before::Call(target));
        *functions.get_mut(added as usize).ok_or_else(|| wrong("an added function does not exist"))? = Some(target);
        Ok(Some(target))
    };
    let malloc = callee(undo.malloc, import_of(&undo.malloc_imports))?;
    let free = callee(undo.free, import_of(&undo.free_imports))?;
    let replaced = [(&undo.grows, malloc), (&undo.releases, free)];
    for (list, target) in replaced {
        for (added, pointer) in list {
            let target = target.ok_or_else(|| wrong("it names a function that grows or frees without an allocator"))?;
            before.insert(*added, pointer.map_or(Before::CallWithout(target), Before::PointerWithout));
        }
    }
    for (added, original) in &undo.copies {
        before.insert(*added, Before::Call(own_place(*original)?));
    }

    // Functions that were moved go back to their places, and those that only passed on get their bodies again.
    let own_index = |function: u32| -> Result<usize, ConvertError> {
        let place = function.checked_sub(imports_now).filter(|place| *place < own);
        Ok(place.ok_or_else(|| wrong("the place of a function lies outside the original's"))? as usize)
    };
    let mut sources: Vec<usize> = (0..own as usize).collect();
    let mut given: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    for slot in &undo.slots {
        let place = own_index(slot.function)?;
        match slot.moved_to {
            None => {
                let imports =
                    if Some(slot.function) == undo.malloc { &undo.malloc_imports } else { &undo.free_imports };
                let body = match (&*slot.body, import_of(imports)) {
                    ("", Some(import)) => passing_on(import),
                    (body, _) => hex::decode(body).map_err(|_| wrong("a body is not hexadecimal"))?,
                };
                given.insert(place, body);
            }
            Some(to) => {
                let at = to.checked_sub(imports_now).filter(|at| (*at as usize) < survey.bodies.len());
                let at = at.ok_or_else(|| wrong("a function that it says was moved does not exist"))?;
                sources[place] = at as usize;
                let back = own_place(slot.function)?;
                functions[to as usize] = Some(back);
                places[to as usize] = Some(back);
                places[slot.function as usize] = None;
            }
        }
    }
    let bodies = sources
        .iter()
        .enumerate()
        .map(|(place, source)| match given.remove(&place) {
            Some(body) => Ok(Some(body)),
            None => {
                let body = &survey.bodies[*source];
                let restored = restore(survey, body, &functions, &before)?;
                Ok(restored.or_else(|| (*source != place).then(|| body.as_bytes().to_vec())))
            }
        })
        .collect::<Result<_, ConvertError>>()?;
    let slot_names = undo
        .slots
        .iter()
        .filter_map(|slot| Some((slot.function, *survey.functions.get(slot.moved_to? as usize)?)))
        .map(|(function, ty)| match ty < undo.types {
            true => Ok((own_place(function)?, String::new(), Type::Number(ty))),
            false => Err(wrong("a function that it says was moved has a type that was added")),
        })
        .collect::<Result<Vec<_>, ConvertError>>()?;
    let heap_base_global = match (undo.heap_base_added, undo.heap_base_export) {
        (true, before) => HeapBaseGlobal::Removed(before),
        (false, _) => HeapBaseGlobal::InPlace,
    };
    if undo.heap_base_added && survey.globals == survey.imported_globals {
        return Err(wrong("the global that it says was added is not there"));
    }
    Output {
        survey,
        functions,
        places,
        imported_names: coming
            .iter()
            .map(|(import, field)| (import.function, import.name.clone().unwrap_or_else(|| (*field).to_owned())))
            .filter(|(_, name)| !name.is_empty())
            .collect(),
        imported_locals: coming
            .iter()
            .filter_map(|(import, _)| Some((import.function, import.locals.clone()?)))
            .collect(),
        dropped_imports: Vec::new(),
        added_imports: coming.iter().map(|(import, name)| (import.position, *name, import.ty)).collect(),
        types: undo.types,
        own_functions: own,
        minimum: undo.minimum,
        maximum: undo.maximum,
        heap_base: undo.heap_base,
        heap_base_global,
        renamed: (record.to == crate::Spec::V1).then_some((HEAP_BASE_V1, HEAP_BASE)),
        exports: Vec::new(),
        bodies,
        slot_names,
        added: Vec::new(),
        producer: Producer::Remove,
        record: None,
    }
    .write()
}

/// The body of a function that passes its one argument on, as compilers write it.
pub(super) fn passing_on(to: u32) -> Vec<u8> {
    let mut body = wasm_encoder::Function::new([]);
    body.instruction(&I::LocalGet(0)).instruction(&I::Call(to)).instruction(&I::End);
    body.into_raw_body()
}

/// A body with its calls as they were; `None` if nothing changed.
fn restore(
    survey: &Survey<'_>,
    body: &FunctionBody<'_>,
    functions: &[Option<u32>],
    before: &BTreeMap<u32, Before>,
) -> Result<Option<Vec<u8>>, ConvertError> {
    let range = body.range();
    let mut splice = Splice::new(survey.wasm, range.start as usize..range.end as usize);
    let mut changed = false;
    // Up to where the body has been restored: a record that was tampered with may ask for the same bytes twice.
    let mut done = 0;
    super::code::each_reference(body, |previous, range, reference| {
        let like = &survey.wasm[range.clone()];
        let function = reference.function();
        let (range, with) = match before.get(&function) {
            Some(Before::Call(target)) => (range, reference.to(*target, like)),
            Some(Before::CallWithout(target)) => (previous..range.end, call(*target, like)),
            Some(Before::PointerWithout(pointer)) => {
                let code = [
                    I::I32Const(0),
                    I::I32Load(memory(pointer.address, 2)),
                    I::CallIndirect { type_index: pointer.ty, table_index: 0 },
                ];
                (previous..range.end, instructions(&code))
            }
            None => match functions.get(function as usize).copied().flatten() {
                Some(index) if index == function => return Ok(()),
                Some(index) => (range, reference.to(index, like)),
                None => return Err(ConvertError::Record(format!("function {function} is called, and was added"))),
            },
        };
        if range.start < done {
            return Err(ConvertError::Record(format!("function {function} is not called as it says")));
        }
        changed = true;
        done = range.end;
        splice.replace(range, &with);
        Ok(())
    })?;
    Ok(changed.then(|| splice.finish()))
}
