//! One function, rewritten: its instructions are copied as they lie, save those that the first release does not have.

mod control;

use super::bulk;
use super::saturate::Saturate;
use super::{Context, frames::Frames};
use crate::SectionKind;
use crate::inspect::{Feature, behind_first_number, proposal};
use crate::pass::{MAX_LOCALS, PassError, expect_function_size};
use crate::splice::{Splice, instructions};
use std::collections::HashMap;
use wasm_encoder::{Encode, Instruction, ValType, reencode::Reencode, reencode::RoundtripReencoder};
use wasmparser::{FunctionBody, Operator, OperatorsReader};

/// What lies in front of an instruction, as far as it can become one with it.
#[derive(Clone, Copy)]
enum Before {
    Other,
    /// `i32.const`.
    Constant {
        start: usize,
        value: i32,
    },
    /// A load of a byte or two that fills up with zeros, by its opcode.
    Load {
        start: usize,
        opcode: u8,
    },
}

/// The variables that a function gets.
struct Locals {
    /// How many there are with the new ones.
    count: u32,
    added: Vec<ValType>,
    /// By type and number: those for values in transit, and those for copies written out.
    transit: HashMap<(ValType, u32), u32>,
    scratch: HashMap<(ValType, u32), u32>,
    /// For the condition of a branch.
    condition: Option<u32>,
}

impl Locals {
    fn add(&mut self, ty: ValType) -> Option<u32> {
        if self.count >= MAX_LOCALS {
            return None;
        }
        let index = self.count;
        self.count += 1;
        self.added.push(ty);
        Some(index)
    }

    fn scratch(&mut self, ty: ValType, number: u32) -> Option<u32> {
        if let Some(index) = self.scratch.get(&(ty, number)) {
            return Some(*index);
        }
        let index = self.add(ty)?;
        self.scratch.insert((ty, number), index);
        Some(index)
    }

    fn transit(&mut self, ty: ValType, number: u32) -> Option<u32> {
        if let Some(index) = self.transit.get(&(ty, number)) {
            return Some(*index);
        }
        let index = self.add(ty)?;
        self.transit.insert((ty, number), index);
        Some(index)
    }

    fn condition(&mut self) -> Option<u32> {
        if self.condition.is_none() {
            self.condition = self.add(ValType::I32);
        }
        self.condition
    }
}

/// A function that is being rewritten.
pub(super) struct Body<'c, 'p, 'a> {
    context: &'c mut Context<'p, 'a>,
    splice: Splice<'a>,
    locals: Locals,
    frames: Frames<'p>,
    /// Parameters of the function, and how many it gets.
    params: u32,
    zeros: u32,
    /// Whether labels of the original are still labels with the same numbers, counted from the first.
    keeps_labels: bool,
    start: u64,
    changed: bool,
}

impl<'c, 'p, 'a> Body<'c, 'p, 'a> {
    /// Rewrites the function `index`. `None` where nothing had to change.
    pub(super) fn rewrite(
        context: &'c mut Context<'p, 'a>,
        index: u32,
        body: &FunctionBody<'a>,
    ) -> Result<Option<Rewritten>, PassError> {
        let parts = context.parts;
        let ty = parts.functions.get(index as usize).copied().unwrap_or_default();
        let params = parts.ty(ty).map_or(0, |ty| ty.params().len()) as u32;
        let zeros = context.types.zeros.get(ty as usize).copied().unwrap_or(0);
        let mut locals = body.get_locals_reader()?;
        let mut declared = params + zeros;
        let groups = locals.get_count();
        let groups_start = locals.original_position() as usize;
        for _ in 0..groups {
            let offset = locals.original_position();
            let (count, ty) = locals.read()?;
            super::expect_number(ty, "a variable", SectionKind::Code, offset)?;
            declared = declared.saturating_add(count);
        }
        let reader = locals.get_binary_reader();
        let start = reader.original_position() as usize;
        let groups_bytes = parts.wasm.get(groups_start..start).unwrap_or_default();
        let end = body.range().end as usize;
        let mut this = Self {
            splice: Splice::new(parts.wasm, start..end),
            locals: Locals {
                count: declared,
                added: Vec::new(),
                transit: HashMap::new(),
                scratch: HashMap::new(),
                condition: None,
            },
            frames: Frames::new(parts, ty),
            params,
            zeros,
            keeps_labels: true,
            context,
            start: body.range().start,
            changed: false,
        };
        this.operators(OperatorsReader::new(reader))?;
        if !this.changed {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(this.splice.len() + groups_bytes.len() + 16);
        let mut added: Vec<(u32, ValType)> = Vec::new();
        for ty in &this.locals.added {
            match added.last_mut() {
                Some((count, last)) if last == ty => *count += 1,
                _ => added.push((1, *ty)),
            }
        }
        (groups + added.len() as u32).encode(&mut bytes);
        bytes.extend_from_slice(groups_bytes);
        for (count, ty) in added {
            count.encode(&mut bytes);
            ty.encode(&mut bytes);
        }
        bytes.extend(this.splice.finish());
        expect_function_size(bytes.len(), this.start)?;
        Ok(Some(Rewritten { bytes, keeps_labels: this.keeps_labels }))
    }

    fn operators(&mut self, mut operators: OperatorsReader<'a>) -> Result<(), PassError> {
        let mut before = [Before::Other; 2];
        while !operators.eof() {
            let start = operators.original_position() as usize;
            let operator = operators.read()?;
            let end = operators.original_position() as usize;
            self.context.note(&operator);
            let now = self.operator(&operator, start, end, before)?;
            before = [before[1], now];
            expect_function_size(self.splice.len(), self.start)?;
        }
        Ok(())
    }

    fn replace(&mut self, start: usize, end: usize, with: &[Instruction<'_>]) {
        self.splice.replace(start..end, &instructions(with));
        self.changed = true;
    }

    /// Handles one instruction, and says what it is for the next one.
    fn operator(
        &mut self,
        operator: &Operator<'a>,
        start: usize,
        end: usize,
        before: [Before; 2],
    ) -> Result<Before, PassError> {
        let bytes = self.context.parts.wasm.get(start..end).unwrap_or_default();
        match operator {
            Operator::I32Const { value } => return Ok(Before::Constant { start, value: *value }),
            Operator::I32Load8U { .. }
            | Operator::I32Load16U { .. }
            | Operator::I64Load8U { .. }
            | Operator::I64Load16U { .. }
            | Operator::I64Load32U { .. }
                if is_plain_memarg(bytes) =>
            {
                return Ok(Before::Load { start, opcode: bytes[0] });
            }
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::Return => self.control(operator, start, end)?,
            Operator::Call { function_index } if self.context.types.any => {
                let ty = self.context.parts.functions.get(*function_index as usize).copied().unwrap_or_default();
                self.call(ty, None, bytes, start, end)?;
            }
            Operator::CallIndirect { type_index, table_index } => {
                if *table_index != 0 {
                    return Err(self.refuse(operator, Feature::ReferenceTypes, start));
                }
                self.call(*type_index, Some(*type_index), bytes, start, end)?;
            }
            Operator::LocalGet { local_index } if self.zeros > 0 && *local_index >= self.params => {
                self.replace(start, end, &[Instruction::LocalGet(local_index + self.zeros)]);
            }
            Operator::LocalSet { local_index } if self.zeros > 0 && *local_index >= self.params => {
                self.replace(start, end, &[Instruction::LocalSet(local_index + self.zeros)]);
            }
            Operator::LocalTee { local_index } if self.zeros > 0 && *local_index >= self.params => {
                self.replace(start, end, &[Instruction::LocalTee(local_index + self.zeros)]);
            }
            Operator::I32Extend8S
            | Operator::I32Extend16S
            | Operator::I64Extend8S
            | Operator::I64Extend16S
            | Operator::I64Extend32S => self.sign_extension(operator, start, end, before[1]),
            Operator::MemoryCopy { .. }
            | Operator::MemoryFill { .. }
            | Operator::MemoryInit { .. }
            | Operator::DataDrop { .. } => self.bulk(operator, start, end, before)?,
            Operator::ElemDrop { .. } if !self.context.options.bulk_memory => {
                // What no `table.init` reads can be dropped as often as one likes.
                self.context.tally.elem_drop += 1;
                self.splice.replace(start..end, &[]);
                self.changed = true;
            }
            Operator::TableInit { .. } | Operator::TableCopy { .. } | Operator::ElemDrop { .. }
                if self.context.options.bulk_memory => {}
            Operator::TableSize { table: 0 } if self.context.table_size.is_some() => {
                self.context.tally.table_size += 1;
                let size = self.context.table_size.unwrap_or_default();
                self.replace(start, end, &[Instruction::I32Const(size.cast_signed())]);
            }
            Operator::TypedSelect { ty } => {
                super::expect_number(*ty, "a choice", SectionKind::Code, start as u64)?;
                self.context.tally.encodings += 1;
                self.replace(start, end, &[Instruction::Select]);
            }
            Operator::MemorySize { mem: 0 } if bytes.len() != 2 => {
                self.context.tally.encodings += 1;
                self.replace(start, end, &[Instruction::MemorySize(0)]);
            }
            Operator::MemoryGrow { mem: 0 } if bytes.len() != 2 => {
                self.context.tally.encodings += 1;
                self.replace(start, end, &[Instruction::MemoryGrow(0)]);
            }
            _ => self.other(operator, bytes, start, end)?,
        }
        Ok(Before::Other)
    }

    /// Instructions that are copied, spelt otherwise, or refused.
    fn other(&mut self, operator: &Operator<'a>, bytes: &[u8], start: usize, end: usize) -> Result<(), PassError> {
        let conversion = match operator {
            Operator::I32TruncSatF32S => 0,
            Operator::I32TruncSatF32U => 1,
            Operator::I32TruncSatF64S => 2,
            Operator::I32TruncSatF64U => 3,
            Operator::I64TruncSatF32S => 4,
            Operator::I64TruncSatF32U => 5,
            Operator::I64TruncSatF64S => 6,
            Operator::I64TruncSatF64U => 7,
            _ => {
                if let Some(feature) = proposal(operator) {
                    return Err(self.refuse(operator, feature, start));
                }
                // Accesses to memory: of the first one, and without saying so.
                if bytes.first().is_some_and(|opcode| (0x28..=0x3e).contains(opcode)) && !is_plain_memarg(bytes) {
                    let instruction = RoundtripReencoder
                        .instruction(operator.clone())
                        .map_err(|error| PassError::Invalid { message: error.to_string(), offset: start as u64 })?;
                    self.context.tally.encodings += 1;
                    self.replace(start, end, &[instruction]);
                }
                return Ok(());
            }
        };
        self.context.tally.saturating += 1;
        let conversion = Saturate(conversion);
        let Some(local) = self.locals.scratch(conversion.from(), 0) else {
            let function = self.context.helpers.saturate(conversion);
            self.replace(start, end, &[Instruction::Call(function)]);
            return Ok(());
        };
        self.splice.replace(start..end, &conversion.inline(local));
        self.changed = true;
        // It has a block of its own.
        self.keeps_labels = false;
        Ok(())
    }

    fn refuse(&self, operator: &Operator<'_>, feature: Feature, start: usize) -> PassError {
        let name = format!("{operator:?}");
        let name = name.split([' ', '{', '(']).next().unwrap_or_default().to_owned();
        let why = match operator {
            Operator::TableInit { .. }
            | Operator::TableCopy { .. }
            | Operator::TableFill { .. }
            | Operator::TableGrow { .. }
            | Operator::TableSet { .. } => {
                "in the first release of WebAssembly nothing changes a table while the module runs"
            }
            Operator::CallIndirect { .. } => "the first release of WebAssembly has one table",
            _ => "the first release of WebAssembly has nothing that does the same; build the module without it",
        };
        PassError::unsupported(format!("the instruction `{name}`"), feature, SectionKind::Code, start as u64, why)
    }

    fn sign_extension(&mut self, operator: &Operator<'_>, start: usize, end: usize, before: Before) {
        if self.context.options.sign_extension {
            return;
        }
        self.context.tally.sign_extension += 1;
        // Loads of as many bits take the sign along.
        let (zeros, signs) = match operator {
            Operator::I32Extend8S => (0x2d, 0x2c),
            Operator::I32Extend16S => (0x2f, 0x2e),
            Operator::I64Extend8S => (0x31, 0x30),
            Operator::I64Extend16S => (0x33, 0x32),
            _ => (0x35, 0x34),
        };
        if let Before::Load { start: load, opcode } = before
            && opcode == zeros
        {
            let mut bytes = self.context.parts.wasm.get(load..start).unwrap_or_default().to_vec();
            bytes[0] = signs;
            self.splice.replace(load..end, &bytes);
            self.changed = true;
            return;
        }
        use Instruction::{I32Const, I32Shl, I32ShrS, I64Const, I64Shl, I64ShrS};
        match operator {
            Operator::I32Extend8S => self.replace(start, end, &[I32Const(24), I32Shl, I32Const(24), I32ShrS]),
            Operator::I32Extend16S => self.replace(start, end, &[I32Const(16), I32Shl, I32Const(16), I32ShrS]),
            Operator::I64Extend8S => self.replace(start, end, &[I64Const(56), I64Shl, I64Const(56), I64ShrS]),
            Operator::I64Extend16S => self.replace(start, end, &[I64Const(48), I64Shl, I64Const(48), I64ShrS]),
            _ => self.replace(start, end, &[Instruction::I32WrapI64, Instruction::I64ExtendI32S]),
        }
    }

    fn bulk(
        &mut self,
        operator: &Operator<'_>,
        start: usize,
        end: usize,
        before: [Before; 2],
    ) -> Result<(), PassError> {
        if self.context.options.bulk_memory {
            return Ok(());
        }
        match operator {
            Operator::MemoryCopy { dst_mem: 0, src_mem: 0 } => {
                self.context.tally.copies += 1;
                if let Before::Constant { start: constant, value } = before[1] {
                    let size = value.cast_unsigned();
                    if (1..=bulk::INLINE).contains(&size)
                        && let Some(code) = bulk::copy_inline(size, |ty, number| self.locals.scratch(ty, number))
                    {
                        self.context.tally.inlined += 1;
                        self.replace(constant, end, &code);
                        return Ok(());
                    }
                }
                let function = self.context.helpers.copy();
                self.replace(start, end, &[Instruction::Call(function)]);
            }
            Operator::MemoryFill { mem: 0 } => {
                self.context.tally.fills += 1;
                if let [Before::Constant { start: first, value }, Before::Constant { value: size, .. }] = before {
                    let size = size.cast_unsigned();
                    if (1..=bulk::INLINE).contains(&size)
                        && let Some(code) =
                            bulk::fill_inline(size, value as u8, |ty, number| self.locals.scratch(ty, number))
                    {
                        self.context.tally.inlined += 1;
                        self.replace(first, end, &code);
                        return Ok(());
                    }
                }
                let function = self.context.helpers.fill();
                self.replace(start, end, &[Instruction::Call(function)]);
            }
            Operator::MemoryInit { data_index, mem: 0 } => {
                self.context.tally.inits += 1;
                let left = self.context.left(*data_index);
                let function = self.context.helpers.init(self.context.parts, *data_index, left);
                self.replace(start, end, &[Instruction::Call(function)]);
            }
            Operator::DataDrop { data_index } => {
                self.context.tally.inits += 1;
                match self.context.left(*data_index) {
                    super::passive::Left::Global(global) => {
                        self.replace(start, end, &[Instruction::I32Const(0), Instruction::GlobalSet(global)]);
                    }
                    _ => {
                        self.splice.replace(start..end, &[]);
                        self.changed = true;
                    }
                }
            }
            _ => return Err(self.refuse(operator, Feature::MultiMemory, start)),
        }
        Ok(())
    }

    /// A call of a function of type `ty`, through the table or not.
    fn call(
        &mut self,
        ty: u32,
        indirect: Option<u32>,
        bytes: &[u8],
        start: usize,
        end: usize,
    ) -> Result<(), PassError> {
        let results = self.context.parts.ty(ty).map_or(&[][..], |ty| ty.results());
        let padded = indirect.is_some() && behind_first_number(bytes) != 1;
        if results.len() < 2 && !padded {
            return Ok(());
        }
        let mut code = Vec::new();
        let zeros = self.context.types.zeros.get(ty as usize).copied().unwrap_or(0);
        match indirect {
            Some(type_index) => {
                if padded {
                    self.context.tally.encodings += 1;
                }
                if zeros > 0 {
                    let condition = self.condition(start)?;
                    code.push(Instruction::LocalSet(condition));
                    code.extend((0..zeros).map(|_| Instruction::I32Const(0)));
                    code.push(Instruction::LocalGet(condition));
                }
                code.push(Instruction::CallIndirect { type_index, table_index: 0 });
                let bytes = instructions(&code);
                self.splice.replace(start..end, &bytes);
            }
            None => {
                code.extend((0..zeros).map(|_| Instruction::I32Const(0)));
                let mut all = instructions(&code);
                all.extend_from_slice(bytes);
                self.splice.replace(start..end, &all);
            }
        }
        self.changed = true;
        if results.len() >= 2 {
            self.context.tally.multi_value += 1;
            let mut code = Vec::new();
            self.globals_get(results, &mut code);
            self.splice.insert(&instructions(&code));
        }
        Ok(())
    }

    fn condition(&mut self, at: usize) -> Result<u32, PassError> {
        self.locals.condition().ok_or_else(|| too_many_locals(at))
    }
}

/// A function that was rewritten.
pub(super) struct Rewritten {
    /// Variables and instructions, without the size in front.
    pub(super) bytes: Vec<u8>,
    /// Whether its labels are the ones that it had, by number.
    pub(super) keeps_labels: bool,
}

/// Whether the operand of a load or store is written as the first release writes it.
fn is_plain_memarg(bytes: &[u8]) -> bool {
    const INDEX_FOLLOWS: u8 = 0x40;
    bytes.get(1).is_some_and(|flags| flags & INDEX_FOLLOWS == 0) && behind_first_number(bytes) <= 5
}

fn too_many_locals(at: usize) -> PassError {
    PassError::TooLarge {
        what: "the function, with variables for values on their way,".to_owned(),
        size: u64::from(MAX_LOCALS) + 1,
        unit: "variables",
        limit: MAX_LOCALS.into(),
        offset: Some(at as u64),
        remedy: "compile it in smaller functions",
    }
}
