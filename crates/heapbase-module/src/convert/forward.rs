//! Converts a legacy module.

use super::{
    Allocator, Conversion, Family, Options, VALIDATION_PAGES,
    allocator::AllocatorModule,
    code::{Reference, each_reference, writes_table},
    custom,
    error::{ConvertError, invalid},
    front::Front,
    glue::{Added, Glue, Type},
    layout::{Heap, LARGEST, Layout},
    pattern::{Known, Via},
    realloc,
    routine::{self, Routine},
    survey::{FREE, HEAP_BASE, HEAP_BASE_V1, MALLOC, Survey},
    undo::passing_on,
    write::{HeapBaseGlobal, Output, Producer},
};
use crate::record::{Import, Pointer, Record, Slot, Undo};
use crate::splice::{Splice, call, instructions};
use crate::{Blake2_256, SectionKind, Spec};
use std::ops::Range;
use wasmparser::{ExternalKind, FunctionBody};

/// What v1 exports.
const EXPORTS: [&str; 5] = ["v1", "alloc", "dealloc", "realloc", HEAP_BASE_V1];

/// Bytes that take the place of others.
type Edit = (Range<usize>, Vec<u8>);

/// Converts a legacy module.
pub(super) fn forward(survey: &Survey<'_>, options: &Options<'_>) -> Result<Conversion, ConvertError> {
    check(survey, options.to)?;
    let options = &Options { allocator: options.allocator.for_module(survey), ..options.clone() };
    let allocator = AllocatorModule::read(options.allocator.name(), options.allocator.wasm())?;
    let layout = Layout::new(survey, options.to, options.arena, &allocator)?;
    let Facts { counts, writes_tables, front } = Facts::of(survey)?;
    let layout = Layout { front, ..layout };
    let routines = if options.routines || options.in_place { routine::routines(survey) } else { Vec::new() };
    let mut forward = Forward::new(survey, options, &allocator, layout, &routines);
    if writes_tables {
        (forward.known.malloc_place, forward.known.free_place) = (None, None);
    }
    forward.replace(&counts, true)?;
    forward.replace(&counts, false)?;
    forward.resize_first()?;
    if options.routines {
        forward.quicken(&routines);
    }
    let exports = if forward.is_v1() { forward.glue.add_exports()? } else { Vec::new() };
    let bodies = forward.bodies()?;
    forward.finish(exports, bodies)
}

/// Refuses what no runtime is, and what this cannot be carried over.
fn check(survey: &Survey<'_>, to: Spec) -> Result<(), ConvertError> {
    if survey.malloc.is_empty() && to != Spec::V1 {
        return Err(ConvertError::NoAllocator);
    }
    for kind in [SectionKind::Type, SectionKind::Function, SectionKind::Code, SectionKind::Export] {
        if !survey.has(kind) {
            return Err(ConvertError::unsupported(
                format!("the module has no {kind} section"),
                kind,
                "it has no entry point, so it is no runtime",
            ));
        }
    }
    if survey.bodies.len() + survey.imported_functions as usize != survey.functions.len() {
        return Err(ConvertError::unsupported(
            "functions are declared without a body",
            SectionKind::Code,
            "the module is damaged; build it again",
        ));
    }
    if survey.sections.iter().any(|section| section.name == Some("dylink.0")) {
        return Err(ConvertError::unsupported(
            "the module is a dynamic library",
            SectionKind::Custom,
            "it has no memory layout of its own; link it first",
        ));
    }
    let taken = survey.exports.iter().find(|(name, ..)| to == Spec::V1 && EXPORTS.contains(name));
    match taken {
        Some((name, ..)) => Err(ConvertError::NameTaken((*name).to_owned())),
        None => Ok(()),
    }
}

/// What one pass over all code tells.
struct Facts {
    /// How often code refers to each function.
    counts: Vec<u32>,
    /// Whether code writes to tables, or a segment lies in one at a place that is not constant: then nothing is known of what stands
    /// in them.
    writes_tables: bool,
    /// Bytes in front of each block that the runtime may write to.
    front: u32,
}

impl Facts {
    fn of(survey: &Survey<'_>) -> Result<Self, ConvertError> {
        let mut counts = vec![0; survey.functions.len()];
        let mut writes_tables = survey.writes_tables;
        let mut front = Front::default();
        for body in &survey.bodies {
            front.begin();
            for operator in body.get_operators_reader().map_err(|error| invalid(&error))? {
                let operator = operator.map_err(|error| invalid(&error))?;
                writes_tables |= writes_table(&operator);
                let reference = Reference::of(&operator);
                let frees = reference.is_some_and(|reference| survey.is_free(reference.function()));
                front.see(&operator, frees);
                let count = reference.and_then(|reference| counts.get_mut(reference.function() as usize));
                if let Some(count) = count {
                    *count += 1;
                }
            }
        }
        Ok(Self { counts, writes_tables, front: front.bytes() })
    }
}

/// A conversion in the making.
struct Forward<'a> {
    survey: &'a Survey<'a>,
    options: &'a Options<'a>,
    can_resize: bool,
    layout: Layout,
    known: Known<'a>,
    malloc_imports: Vec<Import>,
    free_imports: Vec<Import>,
    /// What a reference to each function becomes.
    functions: Vec<Option<u32>>,
    /// Where each function itself is now.
    places: Vec<Option<u32>>,
    /// The first index behind the module's own functions.
    end: u32,
    glue: Glue<'a>,
    slots: Vec<Slot>,
    /// The module's own functions (old index) that moved behind the others.
    moved: Vec<u32>,
    /// References to `malloc` and `free`, and growths, that were changed.
    mallocs: usize,
    frees: usize,
    growths: usize,
    /// The compiler's routines, as far as they were recognised.
    quickened: Vec<Routine>,
}

impl<'a> Forward<'a> {
    fn new(
        survey: &'a Survey<'a>,
        options: &'a Options<'a>,
        allocator: &'a AllocatorModule<'a>,
        layout: Layout,
        routines: &[(u32, Routine)],
    ) -> Self {
        let import = |(position, function): &(u32, u32), field: &str| Import {
            position: *position,
            function: *function,
            ty: survey.functions[*function as usize],
            name: custom::name_of(survey, *function).filter(|name| name != field),
            locals: custom::locals_of(survey, *function),
        };
        let copies = routines.iter().filter(|(_, routine)| routine.copies()).map(|(function, _)| *function).collect();
        let malloc_imports: Vec<_> = survey.malloc.iter().map(|place| import(place, MALLOC)).collect();
        let free_imports: Vec<_> = survey.free.iter().map(|place| import(place, FREE)).collect();
        let goes = |function: u32| {
            let mut imports = malloc_imports.iter().chain(&free_imports);
            options.to == Spec::V1 && imports.any(|import| import.function == function)
        };
        let mut end = 0;
        let places: Vec<Option<u32>> = (0..survey.functions.len() as u32)
            .map(|function| {
                let place = if goes(function) { None } else { Some(end) };
                end += u32::from(place.is_some());
                place
            })
            .collect();
        Self {
            survey,
            options,
            can_resize: allocator.resize.is_some(),
            layout,
            known: Known::new(survey, copies),
            malloc_imports,
            free_imports,
            functions: places.clone(),
            places,
            end,
            glue: Glue::new(allocator, layout, end),
            slots: Vec::new(),
            moved: Vec::new(),
            mallocs: 0,
            frees: 0,
            growths: 0,
            quickened: Vec::new(),
        }
    }

    fn is_v1(&self) -> bool {
        self.options.to == Spec::V1
    }

    /// Adds the function that takes the place of `malloc` or `free`.
    ///
    /// What only passes on to the import gives its place away, so that its callers stay as they are. Where calls go to the import
    /// itself, a function that is seldom called gives its place if that makes the calls shorter.
    fn replace(&mut self, counts: &[u32], is_malloc: bool) -> Result<(), ConvertError> {
        let (imports, shims) = match is_malloc {
            true => (&self.malloc_imports, &self.known.malloc_shims),
            false => (&self.free_imports, &self.known.free_shims),
        };
        let Some(first) = imports.first() else { return Ok(()) };
        let host = if self.is_v1() { None } else { Some(first.function) };
        let count = imports.iter().map(|import| counts[import.function as usize]).sum();
        let slot = match (&imports[..], &shims[..]) {
            ([_], [shim]) if count == 1 => Some((*shim, None)),
            _ => self
                .seldom_called(counts, count)
                .map(|function| (function, Some(self.glue.move_here(self.survey.functions[function as usize])))),
        };
        let at = slot.and_then(|(function, _)| self.places[function as usize]);
        let now = if is_malloc { self.glue.add_malloc(host, at)? } else { self.glue.add_free(host, at)? };
        for import in imports {
            self.functions[import.function as usize] = Some(now);
        }
        let (Some((function, moved_to)), Some(at)) = (slot, at) else { return Ok(()) };
        let body = match (moved_to, self.survey.body(function)) {
            (None, Some(body)) if body.as_bytes() != passing_on(first.function) => hex::encode(body.as_bytes()),
            _ => String::new(),
        };
        self.slots.push(Slot { function: at, moved_to, body });
        if moved_to.is_some() {
            self.functions[function as usize] = moved_to;
            self.places[function as usize] = moved_to;
            self.moved.push(function);
        }
        Ok(())
    }

    /// The function that is best moved away so that one with `calls` calls can have its place, which takes one byte to name:
    /// the one with the fewest references, if that saves anything.
    fn seldom_called(&self, counts: &[u32], calls: u32) -> Option<u32> {
        const ONE_BYTE: u32 = 0x80;
        /// Moving a function has to save at least so many bytes: the record says where it went.
        const MOVING: u32 = 256;
        // Where there are few functions, those behind them are named with one byte too.
        if self.end < ONE_BYTE {
            return None;
        }
        (self.survey.imported_functions..)
            .take(self.survey.bodies.len())
            // A place may be given away once, and what only passes on to an import gives its own away.
            .filter(|function| !self.known.is_malloc(*function) && !self.known.is_free(*function))
            .filter(|function| {
                let place = self.places[*function as usize];
                place.is_some_and(|place| place < ONE_BYTE) && place == self.functions[*function as usize]
            })
            .min_by_key(|function| counts[*function as usize])
            .filter(|function| counts[*function as usize] + MOVING < calls)
    }

    /// Gives the places of the runtime's functions that resize blocks to such that first try to do so in place.
    fn resize_first(&mut self) -> Result<(), ConvertError> {
        if !self.options.in_place || !self.can_resize {
            return Ok(());
        }
        let places = (self.known.malloc_place, self.known.free_place);
        for realloc in realloc::reallocs(self.survey, &self.known) {
            let Some(place) = self.free_place(realloc.function) else { continue };
            let ty = self.survey.functions[realloc.function as usize];
            let Some((to, added)) = self.glue.resizing_first(&realloc, ty, places)? else { continue };
            self.give_place(realloc.function, place, to, added);
            self.growths += 1;
        }
        Ok(())
    }

    /// A function's place, if it was not given away already.
    fn free_place(&self, function: u32) -> Option<u32> {
        let place = self.places[function as usize];
        let is_given = self.slots.iter().any(|slot| place == Some(slot.function)) || self.moved.contains(&function);
        if is_given { None } else { place }
    }

    /// Puts an added function in a function's place, which moves behind the others.
    fn give_place(&mut self, function: u32, place: u32, to: u32, added: Added) {
        self.glue.placed.insert(place, added);
        self.slots.push(Slot { function: place, moved_to: Some(to), body: String::new() });
        self.places[function as usize] = Some(to);
        self.moved.push(function);
    }

    /// Gives the places of the compiler's routines to quicker ones.
    fn quicken(&mut self, routines: &[(u32, Routine)]) {
        let found: Vec<_> = routines
            .iter()
            .filter_map(|(function, routine)| Some((*function, self.free_place(*function)?, *routine)))
            .collect();
        let copy = found.iter().find(|(.., routine)| *routine == Routine::Copy).map(|(_, place, _)| *place);
        for (function, place, routine) in found {
            let ty = self.survey.functions[function as usize];
            let to = self.glue.move_here(ty);
            let added = Added { ty: Type::Number(ty), name: routine.name().to_owned(), body: routine.body(copy) };
            self.give_place(function, place, to, added);
            self.quickened.push(routine);
        }
    }

    /// Whether a function's place was given away, body and all.
    fn is_taken(&self, function: u32) -> bool {
        let place = self.places[function as usize];
        self.slots.iter().any(|slot| slot.moved_to.is_none() && place == Some(slot.function))
    }

    /// The module's own functions, where they changed.
    fn bodies(&mut self) -> Result<Vec<Option<Vec<u8>>>, ConvertError> {
        let survey = self.survey;
        let mut bodies = Vec::with_capacity(survey.bodies.len());
        for (function, body) in (survey.imported_functions..).zip(&survey.bodies) {
            if self.is_taken(function) {
                bodies.push(None);
                continue;
            }
            let edits = self.edits(body)?;
            let moves_to = if self.moved.contains(&function) { self.places[function as usize] } else { None };
            if edits.is_empty() && moves_to.is_none() {
                bodies.push(None);
                continue;
            }
            let range = body.range();
            let mut splice = Splice::new(survey.wasm, range.start as usize..range.end as usize);
            for (range, with) in edits {
                splice.replace(range, &with);
            }
            match moves_to {
                Some(to) => {
                    self.glue.fill_raw(to, splice.finish());
                    bodies.push(None);
                }
                None => bodies.push(Some(splice.finish())),
            }
        }
        Ok(bodies)
    }

    /// What changes in a body, in the order of the code.
    fn edits(&mut self, body: &FunctionBody<'_>) -> Result<Vec<Edit>, ConvertError> {
        let mut edits: Vec<Edit> = Vec::new();
        let (mut mallocs, mut frees) = (0, 0);
        each_reference(body, |_, range, reference| {
            let function = reference.function();
            mallocs += usize::from(self.known.is_malloc(function));
            frees += usize::from(self.known.is_free(function));
            match self.functions.get(function as usize).copied().flatten() {
                Some(now) if now != function => {
                    let like = &self.survey.wasm[range.clone()];
                    edits.push((range, reference.to(now, like)));
                }
                _ => {}
            }
            Ok(())
        })?;
        self.mallocs += mallocs;
        self.frees += frees;
        if self.options.in_place && self.can_resize && (frees > 0 || self.known.free_place.is_some()) {
            self.grow_in_place(body, &mut edits)?;
        }
        Ok(edits)
    }

    /// Leads the growths in a body to the allocator's resizing.
    fn grow_in_place(&mut self, body: &FunctionBody<'_>, edits: &mut Vec<Edit>) -> Result<(), ConvertError> {
        let operators = body.get_operators_reader().map_err(|error| invalid(&error))?;
        let mut code = Vec::new();
        for operator in operators.into_iter_with_offsets() {
            let (operator, offset) = operator.map_err(|error| invalid(&error))?;
            code.push((operator, offset as usize));
        }
        for last in 0..code.len() {
            let Some(growth) = self.known.growth(&code, last) else { continue };
            let Some(copy) = self.functions.get(growth.copy as usize).copied().flatten() else { continue };
            let places = (self.known.malloc_place, self.known.free_place);
            let Some([grow, copying, release]) = self.glue.growth(&growth, copy, places)? else { continue };
            let wasm = self.survey.wasm;
            // The call of an added function that takes one argument more.
            let with = |argument: u32, range: &Range<usize>, via: Via, function: u32| {
                let like = if via == Via::Direct { &wasm[range.clone()] } else { &[] };
                let mut bytes = instructions(&[wasm_encoder::Instruction::LocalGet(argument)]);
                bytes.extend(call(function, like));
                bytes
            };
            let new = [
                (growth.malloc_range.clone(), with(growth.old, &growth.malloc_range, growth.malloc, grow)),
                (growth.copy_range.clone(), call(copying, &wasm[growth.copy_range.clone()])),
                (growth.free_range.clone(), with(growth.new, &growth.free_range, growth.free, release)),
            ];
            edits.retain(|(range, _)| !new.iter().any(|(other, _)| other == range));
            edits.extend(new);
            self.growths += 1;
        }
        edits.sort_by_key(|(range, _)| range.start);
        Ok(())
    }

    /// Whether the export `__heap_base` gets another name. An adapted module keeps it: there the linker's globals are asked for.
    fn renames_heap_base(&self) -> bool {
        self.is_v1() && self.options.recorded && self.survey.heap_base.is_some()
    }

    /// Which global `__heap_base` becomes.
    fn heap_base_global(&self) -> Result<HeapBaseGlobal, ConvertError> {
        let survey = self.survey;
        let is_shared = |global: u32| {
            survey.exports.iter().filter(|(_, kind, index)| *kind == ExternalKind::Global && *index == global).count()
                > 1
        };
        match survey.heap_base {
            _ if self.is_v1() => Ok(HeapBaseGlobal::InPlace),
            Some(base) if !is_shared(base.global) => Ok(HeapBaseGlobal::InPlace),
            _ if survey.has(SectionKind::Global) => Ok(HeapBaseGlobal::Added),
            _ => Err(ConvertError::unsupported(
                "the module exports no `__heap_base` and has no globals",
                SectionKind::Global,
                "no node that runs legacy runtimes could load it",
            )),
        }
    }

    fn record(&self, heap_base_global: HeapBaseGlobal) -> Record {
        let survey = self.survey;
        let memory = survey.memories[0];
        let allocator = &self.options.allocator;
        let pointer = |via: &Via| match via {
            Via::Direct => None,
            Via::Pointer { pointer, ty } => Some(Pointer { address: *pointer, ty: *ty }),
        };
        Record {
            to: self.options.to,
            converter: env!("CARGO_PKG_VERSION").to_owned(),
            allocator: allocator.name().to_owned(),
            allocator_blake2_256: Blake2_256::of(allocator.wasm()).to_string(),
            arena: match self.layout.heap {
                Heap::Own { .. } => 0,
                Heap::Arena(arena) => arena.size,
            },
            in_place: self.growths > 0,
            routines: !self.quickened.is_empty(),
            original_blake2_256: Blake2_256::of(survey.wasm).to_string(),
            adapted: None,
            undo: Some(Undo {
                types: survey.types.len() as u32,
                functions: survey.bodies.len() as u32,
                malloc_imports: self.malloc_imports.clone(),
                free_imports: self.free_imports.clone(),
                malloc: self.glue.malloc,
                free: self.glue.free,
                slots: self.slots.clone(),
                grows: self.glue.grows.iter().map(|(via, _, function)| (*function, pointer(via))).collect(),
                releases: self.glue.releases.iter().map(|(via, function)| (*function, pointer(via))).collect(),
                copies: self.glue.copies.iter().map(|(original, function)| (*function, *original)).collect(),
                heap_base: survey.heap_base.filter(|_| !self.is_v1()).map(|base| base.value),
                heap_base_added: heap_base_global == HeapBaseGlobal::Added,
                heap_base_export: survey.heap_base.map(|base| base.global),
                minimum: memory.initial,
                maximum: memory.maximum,
            }),
        }
    }

    /// Writes the module and says what was done.
    fn finish(
        mut self,
        exports: Vec<(&'static str, u32)>,
        mut bodies: Vec<Option<Vec<u8>>>,
    ) -> Result<Conversion, ConvertError> {
        let survey = self.survey;
        let heap_base_global = self.heap_base_global()?;
        let record = self.record(heap_base_global);
        let mut changes = self.changes();
        let warnings = self.warnings();
        let slot_names = self.put_into_slots(&mut bodies);
        let renamed = self.renames_heap_base().then_some((HEAP_BASE, HEAP_BASE_V1));
        let imports = self.malloc_imports.iter().chain(&self.free_imports);
        let dropped_imports = if self.is_v1() { imports.map(|import| import.position).collect() } else { Vec::new() };
        let output = Output {
            survey,
            functions: self.functions,
            places: self.places,
            imported_names: Vec::new(),
            imported_locals: Vec::new(),
            dropped_imports,
            added_imports: Vec::new(),
            types: survey.types.len() as u32,
            own_functions: survey.bodies.len() as u32,
            minimum: self.layout.minimum,
            maximum: self.layout.maximum,
            heap_base: self.layout.heap_base,
            heap_base_global,
            renamed,
            exports,
            bodies,
            slot_names,
            added: self.glue.added,
            producer: Producer::Add,
            record: self.options.recorded.then(|| record.write()),
        };
        let wasm = output.write()?;
        if survey.custom("name").is_some() && !custom::has_names(&wasm) {
            changes.push("dropped the custom section `name`: it cannot be read, and functions have moved".to_owned());
        }
        Ok(Conversion { wasm, from: Spec::Legacy, to: self.options.to, changes, warnings, record: Some(record) })
    }

    /// Puts the functions that take a place of the module's own there. Returns the index, name and type of those where another
    /// function moved away; one that only passed on keeps its name.
    fn put_into_slots(&mut self, bodies: &mut [Option<Vec<u8>>]) -> Vec<(u32, String, Type)> {
        let first = self.end - bodies.len() as u32;
        let mut named = Vec::new();
        for (place, added) in std::mem::take(&mut self.glue.placed) {
            bodies[(place - first) as usize] = Some(added.body);
            if self.slots.iter().any(|slot| slot.function == place && slot.moved_to.is_some()) {
                named.push((place, added.name, added.ty));
            }
        }
        named
    }

    fn changes(&self) -> Vec<String> {
        let survey = self.survey;
        let layout = &self.layout;
        let allocator = self.options.allocator.name();
        let mut changes = vec![match layout.heap {
            Heap::Own { .. } => format!("merged the allocator `{allocator}`, with its state at {:#x}", layout.low),
            Heap::Arena(arena) => format!(
                "merged the allocator `{allocator}`, with {} bytes at {:#x} for the first blocks, and an arena of {} bytes \
                 that it asks the host for when they are full",
                arena.near_len,
                arena.near(),
                arena.size
            ),
        }];
        for (name, count, now) in [(MALLOC, self.mallocs, self.glue.malloc), (FREE, self.frees, self.glue.free)] {
            let Some(now) = now else { continue };
            let slot = self.slots.iter().any(|slot| slot.function == now && slot.moved_to.is_none());
            changes.push(match slot {
                true => format!("put it in the place of the one function that called `{name}`"),
                false => format!("led {count} references to `{name}` to it"),
            });
        }
        if layout.front > 0 {
            changes.push(format!(
                "gave each block {} bytes more in front of it: the runtime's own allocator writes there how far it moved the \
                 block to align it",
                layout.front
            ));
        }
        if self.growths > 0 {
            let places = if self.growths == 1 { "1 place".to_owned() } else { format!("{} places", self.growths) };
            changes.push(format!("let blocks grow in place where the runtime allocates, copies and frees: {places}"));
        }
        if !self.quickened.is_empty() {
            let names: Vec<_> = self.quickened.iter().map(|routine| routine.name()).collect();
            changes
                .push(format!("put quicker functions in the places of the compiler's routines: {}", names.join(", ")));
        }
        match (layout.heap_base, survey.heap_base) {
            (Some(now), Some(before)) => {
                changes.push(format!("moved `{HEAP_BASE}` from {:#x} to {now:#x}", before.value))
            }
            (Some(now), None) => changes.push(format!("added `{HEAP_BASE}`, {now:#x}")),
            (None, _) => {
                for (name, imports) in [(MALLOC, &self.malloc_imports), (FREE, &self.free_imports)] {
                    if !imports.is_empty() {
                        changes.push(format!("dropped the import `{name}`"));
                    }
                }
                changes.push("exported `v1`, `alloc`, `dealloc`, `realloc`".to_owned());
                if self.renames_heap_base() {
                    changes.push(format!(
                        "renamed the export `{HEAP_BASE}` to `{HEAP_BASE_V1}`, so that a node that knows no v1 refuses the runtime"
                    ));
                }
            }
        }
        let before = survey.memories[0].initial;
        if layout.minimum > before {
            changes.push(format!("raised the memory's minimum from {before} to {} pages of 64 KiB", layout.minimum));
        }
        let names = survey.sections.iter().filter_map(|section| section.name);
        changes.extend(names.filter(|name| custom::holds_code_places(name)).map(|name| {
            format!("dropped the custom section `{name}`: the places in the code that it speaks of have moved")
        }));
        changes
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if !self.is_v1() && self.layout.minimum > VALIDATION_PAGES {
            warnings.push(format!(
                "the memory now begins with {} pages of 64 KiB; a relay chain's usual limit for validating a parachain's \
                 block is {VALIDATION_PAGES}: choose a smaller --arena",
                self.layout.minimum
            ));
        }
        if !self.is_v1() && self.options.arena > LARGEST {
            warnings.push(format!(
                "the arena has {LARGEST} bytes: that is the largest block that the host's allocator gives; what does not fit \
                 goes to the host block by block"
            ));
        }
        if let Heap::Arena(arena) = self.layout.heap
            && arena.size > self.options.arena
        {
            warnings.push(format!(
                "the arena has {} bytes instead of {}: the host's allocator rounds a block up to a power of two, and keeps so \
                 many of the memory for it",
                arena.size, self.options.arena
            ));
        }
        if custom::is_processed_by(self.survey, "TinyGo")
            && self.options.allocator == Allocator::Family(Family::SizeClass)
        {
            warnings.push(
                "TinyGo compiled the module: its garbage collector frees blocks that are still used, whose contents the host's \
                 allocator leaves alone and `size-class` does not; convert with --allocator freeing-bump"
                    .to_owned(),
            );
        }
        if self.survey.heap_base.is_none() {
            warnings.push(format!(
                "the module exports no `{HEAP_BASE}`: the heap begins behind the memory's first {} pages",
                self.survey.memories[0].initial
            ));
        }
        warnings
    }
}
