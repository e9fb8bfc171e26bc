//! The programs. Addresses are kept as numbers, in objects and among the roots, as a language's runtime does.

use crate::memory::Memory;

const NODE: usize = 32;

fn at(address: usize) -> *mut usize {
    core::ptr::with_exposed_provenance_mut(address)
}

/// A tree, each node of which has two below it and a number.
pub fn grow(memory: &mut impl Memory, roots: &mut Vec<usize>, depth: usize) -> usize {
    let node = memory.allocate(NODE, false, roots);
    let address = node.expose_provenance();
    roots.push(address);
    // SAFETY: a node of four words.
    unsafe {
        node.add(2).write(depth << 48);
        if depth > 0 {
            node.write(grow(memory, roots, depth - 1));
            node.add(1).write(grow(memory, roots, depth - 1));
        }
    }
    roots.pop();
    address
}

/// Counts a tree's nodes, and frees them where nobody collects.
fn count<M: Memory>(memory: &mut M, tree: usize, free: bool) -> usize {
    let node = at(tree);
    // SAFETY: a node of a tree.
    unsafe {
        let mut nodes = 1;
        for side in 0..2 {
            let below = node.add(side).read();
            if below != 0 {
                nodes += count(memory, below, free);
            }
        }
        if free && !M::COLLECTS {
            memory.free(node, NODE);
        }
        nodes
    }
}

/// A large tree lives while many small ones come and go.
pub fn trees(memory: &mut impl Memory, scale: usize) -> usize {
    let mut roots = Vec::with_capacity(256);
    let large = grow(memory, &mut roots, 15);
    roots.push(large);
    let mut nodes = 0;
    for round in 0..scale * 60 {
        let tree = grow(memory, &mut roots, 8 + round % 5);
        nodes += count(memory, tree, true);
    }
    nodes + count(memory, large, true)
}

/// Depth of the trees of a forest: 2^12 nodes of 32 bytes are an eighth of a megabyte.
const DEPTH: usize = 11;

/// So many live megabytes of trees, in a table that is the last root.
pub fn forest(memory: &mut impl Memory, roots: &mut Vec<usize>, megabytes: usize) {
    let table = memory.allocate(megabytes * 8 * size_of::<usize>(), false, roots);
    roots.push(table.expose_provenance());
    for slot in 0..megabytes * 8 {
        let tree = grow(memory, roots, DEPTH);
        // SAFETY: inside of the table.
        unsafe { table.add(slot).write(tree) };
    }
}

/// Replaces trees of a forest, one after the other in no order of memory, until so many megabytes were allocated.
pub fn churn(memory: &mut impl Memory, roots: &mut Vec<usize>, megabytes: usize, allocated: usize) -> usize {
    let table = at(roots[0]);
    let mut nodes = 0;
    for round in 0..allocated * 8 {
        // SAFETY: inside of the table, which holds trees.
        unsafe {
            let slot = table.add(round * 7_919 % (megabytes * 8));
            nodes += count(memory, slot.read(), true);
            slot.write(0);
            slot.write(grow(memory, roots, DEPTH));
        }
    }
    nodes
}

/// 400 rings of a hundred nodes that know both neighbours, replaced one after the other.
pub fn rings<M: Memory>(memory: &mut M, scale: usize) -> usize {
    const SLOTS: usize = 400;
    let mut roots = Vec::with_capacity(SLOTS + 8);
    roots.push(memory.allocate(SLOTS * 8, false, &roots).expose_provenance());
    let table = at(roots[0]);
    let mut sum = 0;
    for round in 0..scale * 1_500 {
        let slot = round * 7 % SLOTS;
        // SAFETY: inside of the table, and of nodes of four words.
        unsafe {
            let old = table.add(slot).read();
            if old != 0 {
                let mut node = at(old);
                loop {
                    sum = (sum + node.add(2).read()) & 0xffff_ffff;
                    let next = node.read();
                    if !M::COLLECTS {
                        memory.free(node, NODE);
                    }
                    if next == old {
                        break;
                    }
                    node = at(next);
                }
            }
            let first = memory.allocate(NODE, false, &roots);
            let address = first.expose_provenance();
            first.write(address);
            first.add(1).write(address);
            table.add(slot).write(address);
            for number in 1..100 {
                let node = memory.allocate(NODE, false, &roots);
                let last = first.add(1).read();
                node.write(address);
                node.add(1).write(last);
                node.add(2).write(number << 48 | round);
                at(last).write(node.expose_provenance());
                first.add(1).write(node.expose_provenance());
            }
        }
    }
    sum
}

/// 20,000 strings, replaced at random by others, some of them two put together.
pub fn strings<M: Memory>(memory: &mut M, scale: usize) -> usize {
    const SLOTS: usize = 20_000;
    let mut roots = Vec::with_capacity(16);
    roots.push(memory.allocate(SLOTS * 8, false, &roots).expose_provenance());
    let table = at(roots[0]);
    let (mut state, mut sum) = (0x9e37_79b9_7f4a_7c15_u64, 0usize);
    for _ in 0..scale * 60_000 {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let bits = state.wrapping_mul(0x2545_f491_4f6c_dd1d) as usize;
        let (slot, other) = ((bits >> 32) % SLOTS, (bits >> 16) % SLOTS);
        let len = 8 + (bits >> 48) % 120;
        // SAFETY: inside of the table, and of strings of a length and so many bytes.
        unsafe {
            let (old, source) = (at(table.add(slot).read()), at(table.add(other).read()));
            let copied = if source.is_null() || bits & 7 != 0 { 0 } else { source.read().min(100) };
            let made = memory.allocate(8 + len + copied, true, &roots);
            made.write(len + copied);
            made.add(1).cast::<u8>().write_bytes(bits as u8, len);
            if copied > 0 {
                made.add(1).cast::<u8>().add(len).copy_from_nonoverlapping(source.add(1).cast(), copied);
            }
            sum = (sum + usize::from(made.add(1).cast::<u8>().add(len + copied - 1).read())) & 0xffff_ffff;
            if !old.is_null() && !M::COLLECTS {
                memory.free(old, 8 + old.read());
            }
            table.add(slot).write(made.expose_provenance());
        }
    }
    sum
}
