//! Blocks and branches. [`values`](super::super::values) draws what becomes of them.

use super::{Body, too_many_locals};
use crate::SectionKind;
use crate::lower::expect_number;
use crate::lower::frames::{Frame, Kind, Label};
use crate::pass::PassError;
use std::collections::HashMap;
use wasm_encoder::{BlockType, Instruction, ValType, reencode::Reencode, reencode::RoundtripReencoder};
use wasmparser::{BrTable, Operator};

type Code = Vec<Instruction<'static>>;

impl<'p, 'a> Body<'_, 'p, 'a> {
    /// Handles an instruction that begins or ends a block, or branches.
    pub(super) fn control(&mut self, operator: &Operator<'a>, start: usize, end: usize) -> Result<(), PassError> {
        match operator {
            Operator::Block { blockty } => self.begin(Kind::Block, *blockty, start, end),
            Operator::Loop { blockty } => self.begin(Kind::Loop, *blockty, start, end),
            Operator::If { blockty } => self.begin(Kind::If, *blockty, start, end),
            Operator::Else => self.otherwise(start, end),
            Operator::End => self.end(start, end),
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth, Instruction::Br(*relative_depth), start, end)
            }
            Operator::Return => {
                let label = self.frames.function().map(Frame::label);
                if let Some(Label::Results(types)) = label {
                    let mut code = Vec::new();
                    self.globals_set(types, &mut code);
                    code.push(Instruction::Return);
                    self.replace(start, end, &code);
                }
                Ok(())
            }
            Operator::BrIf { relative_depth } => self.branch_if(*relative_depth, start, end),
            Operator::BrTable { targets } => self.branch_table(targets, start, end),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, kind: Kind, blockty: wasmparser::BlockType, start: usize, end: usize) -> Result<(), PassError> {
        if let wasmparser::BlockType::Type(ty) = blockty {
            expect_number(ty, "a block", SectionKind::Code, start as u64)?;
        }
        let (params, results) = self.frames.signature(blockty);
        self.frames.push(Frame { kind, params, results });
        if !matches!(blockty, wasmparser::BlockType::FuncType(_)) {
            return Ok(());
        }
        self.context.tally.multi_value += 1;
        let ty = match results {
            [result] => BlockType::Result(encoded(*result)),
            _ => BlockType::Empty,
        };
        let mut code = Vec::new();
        match kind {
            Kind::Loop => {
                self.set(params, start, &mut code)?;
                code.push(Instruction::Loop(ty));
            }
            Kind::If => {
                if !params.is_empty() {
                    let condition = self.condition(start)?;
                    code.push(Instruction::LocalSet(condition));
                    self.set(params, start, &mut code)?;
                    code.push(Instruction::LocalGet(condition));
                }
                code.push(Instruction::If(ty));
            }
            _ => {
                self.set(params, start, &mut code)?;
                code.push(Instruction::Block(ty));
            }
        }
        self.get(params, start, &mut code)?;
        self.replace(start, end, &code);
        Ok(())
    }

    fn otherwise(&mut self, start: usize, end: usize) -> Result<(), PassError> {
        let Some(mut frame) = self.frames.pop() else { return Ok(()) };
        frame.kind = Kind::Else;
        self.frames.push(frame);
        if frame.params.is_empty() && !frame.transits() {
            return Ok(());
        }
        let mut code = Vec::new();
        if frame.transits() {
            self.set(frame.results, start, &mut code)?;
        }
        code.push(Instruction::Else);
        // Nothing but the other branch has run since they were put there.
        self.get(frame.params, start, &mut code)?;
        self.replace(start, end, &code);
        Ok(())
    }

    fn end(&mut self, start: usize, end: usize) -> Result<(), PassError> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        let mut code = Vec::new();
        if frame.kind == Kind::Function {
            if let Label::Results(types) = frame.label() {
                self.globals_set(types, &mut code);
            }
        } else if frame.transits() {
            // An `if` without an `else` has its parameters as results: there they are already.
            self.set(frame.results, start, &mut code)?;
        } else if frame.kind == Kind::If && !frame.params.is_empty() {
            code.push(Instruction::Else);
            self.get(frame.params, start, &mut code)?;
        }
        if code.is_empty() {
            return Ok(());
        }
        code.push(Instruction::End);
        if frame.transits() {
            self.get(frame.results, start, &mut code)?;
        }
        self.replace(start, end, &code);
        Ok(())
    }

    fn branch(&mut self, depth: u32, branch: Instruction<'static>, start: usize, end: usize) -> Result<(), PassError> {
        let mut code = Vec::new();
        match self.label(depth) {
            Label::Stack(_) => return Ok(()),
            Label::Transit(types) => self.set(types, start, &mut code)?,
            Label::Results(types) => self.globals_set(types, &mut code),
        }
        code.push(branch);
        self.replace(start, end, &code);
        Ok(())
    }

    fn branch_if(&mut self, depth: u32, start: usize, end: usize) -> Result<(), PassError> {
        let label = self.label(depth);
        if let Label::Stack(_) = label {
            return Ok(());
        }
        let condition = self.condition(start)?;
        let mut code = vec![Instruction::LocalSet(condition)];
        match label {
            Label::Results(types) => self.globals_set(types, &mut code),
            _ => self.set(label.types(), start, &mut code)?,
        }
        code.extend([Instruction::LocalGet(condition), Instruction::BrIf(depth)]);
        match label {
            Label::Results(types) => self.globals_get(types, &mut code),
            _ => self.get(label.types(), start, &mut code)?,
        }
        self.replace(start, end, &code);
        Ok(())
    }

    fn branch_table(&mut self, targets: &BrTable<'a>, start: usize, end: usize) -> Result<(), PassError> {
        let default = targets.default();
        let mut depths = Vec::with_capacity(targets.len() as usize);
        let mut all_on_stack = matches!(self.label(default), Label::Stack(_));
        let mut all_in_transit = matches!(self.label(default), Label::Transit(_));
        for depth in targets.targets() {
            let depth = depth?;
            let label = self.label(depth);
            all_on_stack &= matches!(label, Label::Stack(_));
            all_in_transit &= matches!(label, Label::Transit(_));
            depths.push(depth);
        }
        if all_on_stack {
            return Ok(());
        }
        let types = self.label(default).types();
        let condition = self.condition(start)?;
        let mut code = vec![Instruction::LocalSet(condition)];
        self.set(types, start, &mut code)?;
        if all_in_transit {
            code.extend([Instruction::LocalGet(condition), Instruction::BrTable(depths.into(), default)]);
            self.replace(start, end, &code);
            return Ok(());
        }
        // One block for each label whose values do not travel in variables; behind it they are put where they belong.
        let mut blocks: Vec<u32> = Vec::new();
        let mut numbers: HashMap<u32, u32> = HashMap::new();
        for depth in depths.iter().copied().chain([default]) {
            if !matches!(self.label(depth), Label::Transit(_)) {
                numbers.entry(depth).or_insert_with(|| {
                    blocks.push(depth);
                    blocks.len() as u32 - 1
                });
            }
        }
        let count = blocks.len() as u32;
        let target = |depth: u32| numbers.get(&depth).copied().unwrap_or(depth.saturating_add(count));
        code.extend(blocks.iter().map(|_| Instruction::Block(BlockType::Empty)));
        code.push(Instruction::LocalGet(condition));
        code.push(Instruction::BrTable(depths.iter().map(|depth| target(*depth)).collect(), target(default)));
        for (number, depth) in blocks.iter().enumerate() {
            code.push(Instruction::End);
            let label = self.label(*depth);
            if label.types() != types {
                // Only code that is never reached can branch with one set of values to labels of different types.
                code.push(Instruction::Unreachable);
                continue;
            }
            self.get(types, start, &mut code)?;
            if let Label::Results(types) = label {
                self.globals_set(types, &mut code);
            }
            code.push(Instruction::Br(depth + count - 1 - number as u32));
        }
        self.keeps_labels = false;
        self.replace(start, end, &code);
        Ok(())
    }

    fn label(&self, depth: u32) -> Label<'p> {
        self.frames.at(depth).map_or(Label::Stack(&[]), Frame::label)
    }

    /// Takes values from the stack into variables.
    fn set(&mut self, types: &[wasmparser::ValType], at: usize, code: &mut Code) -> Result<(), PassError> {
        let places = self.places(types, at)?;
        code.extend(places.into_iter().rev().map(Instruction::LocalSet));
        Ok(())
    }

    /// Puts values from variables onto the stack.
    fn get(&mut self, types: &[wasmparser::ValType], at: usize, code: &mut Code) -> Result<(), PassError> {
        let places = self.places(types, at)?;
        code.extend(places.into_iter().map(Instruction::LocalGet));
        Ok(())
    }

    /// Variables for values of some types: the first of its type has the first variable of that type, and so on.
    fn places(&mut self, types: &[wasmparser::ValType], at: usize) -> Result<Vec<u32>, PassError> {
        let mut counts = [0; 4];
        let mut places = Vec::with_capacity(types.len());
        for ty in types {
            let count = &mut counts[number(*ty)];
            let place = self.locals.transit(encoded(*ty), *count).ok_or_else(|| too_many_locals(at))?;
            places.push(place);
            *count += 1;
        }
        Ok(places)
    }

    /// Takes all results but the first from the stack into globals.
    pub(super) fn globals_set(&mut self, results: &[wasmparser::ValType], code: &mut Code) {
        let places = self.result_globals(results);
        code.extend(places.into_iter().rev().map(Instruction::GlobalSet));
    }

    /// Puts all results but the first from globals onto the stack.
    pub(super) fn globals_get(&mut self, results: &[wasmparser::ValType], code: &mut Code) {
        let places = self.result_globals(results);
        code.extend(places.into_iter().map(Instruction::GlobalGet));
    }

    fn result_globals(&mut self, results: &[wasmparser::ValType]) -> Vec<u32> {
        let mut counts = [0; 4];
        let mut places = Vec::with_capacity(results.len());
        for ty in results.iter().skip(1) {
            let count = &mut counts[number(*ty)];
            places.push(self.context.result_global(encoded(*ty), *count));
            *count += 1;
        }
        places
    }
}

/// A number type. Others were refused before.
fn encoded(ty: wasmparser::ValType) -> ValType {
    RoundtripReencoder.val_type(ty).unwrap_or(ValType::I32)
}

fn number(ty: wasmparser::ValType) -> usize {
    match ty {
        wasmparser::ValType::I64 => 1,
        wasmparser::ValType::F32 => 2,
        wasmparser::ValType::F64 => 3,
        _ => 0,
    }
}
