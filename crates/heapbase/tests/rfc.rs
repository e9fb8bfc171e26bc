//! RFC-2 "Memory Allocator", sentence by sentence. Each test is named after one; `docs/allocators-as-values.md` has the table.

use allocator_api2::{
    alloc::{Allocator, Global, Layout},
    vec::Vec,
};
use heapbase::{
    Local, SizeClassAllocator,
    error::{Category, Error, Keeper, Kind, OUT_OF_MEMORY, OVER_BUDGET},
    memory::TestMemory,
    subsystem::{ManyThreads, Shared, Subsystem},
};

static VM: Category = Category::new("vm");
static STACK_FULL: Kind = Kind::new(&VM, 1, "the stack is full");
static HOST: Category = Category::new("host");
static REFUSED: Kind = Kind::new(&HOST, 1, "the host refused");

type Heap = Local<SizeClassAllocator<TestMemory>>;

fn heap() -> Heap {
    Local::new(SizeClassAllocator::with_source(TestMemory::new(16)))
}

/// A library that is handed its allocator: a stack of values.
struct Stack<A: Allocator> {
    values: Vec<u64, A>,
}

impl<A: Allocator> Stack<A> {
    fn new_in(allocator: A) -> Self {
        Self { values: Vec::new_in(allocator) }
    }

    fn push(&mut self, value: u64) -> Result<(), Error<'static>> {
        self.values.try_reserve(1).map_err(|_| Error::with_number(&STACK_FULL, self.values.len()))?;
        self.values.push(value);
        Ok(())
    }
}

/// "It seems reasonable to provide a customisation point for the user here."
#[test]
fn the_user_customises_the_allocator() {
    fn fill(allocator: impl Allocator) {
        let mut stack = Stack::new_in(allocator);
        (0..100).for_each(|value| stack.push(value).unwrap());
        assert_eq!(stack.values.iter().sum::<u64>(), 4_950);
    }
    fill(Global);
    fill(heap());
    fill(&bumpalo::Bump::new());
    let part = Subsystem::new("stack", Global);
    fill(&part);
    fill(Shared::new(Subsystem::new("stack", Global)).unwrap());
}

/// "How many allocators can coexist in a process."
#[test]
fn any_number_of_allocators_coexist_in_a_process() {
    static ONE_FOR_ALL: Subsystem<Global, ManyThreads> = Subsystem::for_threads("all", Global);
    static OF_A_PART: Subsystem<&Subsystem<Global, ManyThreads>, ManyThreads> =
        Subsystem::for_threads("part", &ONE_FOR_ALL);
    let values: std::vec::Vec<_> = (0..100).map(|_| Subsystem::new("value", &OF_A_PART)).collect();
    let mut stacks: std::vec::Vec<_> = values.iter().map(Stack::new_in).collect();
    for (number, stack) in (0..).zip(&mut stacks) {
        stack.push(number).unwrap();
    }
    let live: usize = values.iter().map(|value| value.figures().live).sum();
    assert_eq!(
        (OF_A_PART.figures().live, ONE_FOR_ALL.figures().live),
        (live, live),
        "each is counted where it belongs"
    );
    drop(stacks);
    values.into_iter().for_each(|value| assert!(value.close().is_ok()));
    assert_eq!(ONE_FOR_ALL.figures().live, 0);
}

static EVERYTHING: Subsystem<Global, ManyThreads> = Subsystem::for_threads("everything", Global);

/// "A global singleton – the main drawback is that the configuration of the allocator must happen globally, per process."
#[test]
fn a_global_singleton_is_configured_for_the_whole_process() {
    let mut one = Stack::new_in(&EVERYTHING);
    let mut other = Stack::new_in(&EVERYTHING);
    EVERYTHING.set_budget(64);
    (0..4).for_each(|value| one.push(value).unwrap());
    (0..4).for_each(|value| other.push(value).unwrap());
    assert_eq!(one.push(4).unwrap_err().kind(), &STACK_FULL, "what the one uses the other has not");
    EVERYTHING.set_budget(usize::MAX);
    one.push(4).unwrap();
}

static ERRORS: Subsystem<Global, ManyThreads> = Subsystem::for_threads("errors", Global);
static MACHINE: Subsystem<Global, ManyThreads> = Subsystem::for_threads("machine", Global);

/// "Global memory allocator per subsystem."
#[test]
fn one_allocator_for_each_subsystem() {
    MACHINE.set_budget(100);
    let mut stack = Stack::new_in(&MACHINE);
    let full = (0..).find_map(|value| stack.push(value).err()).unwrap();
    let error = Error::build(&REFUSED).cause(full).message(&ERRORS, format_args!("a budget of its own"));
    assert_eq!(format!("{error:#}"), "the host refused: a budget of its own: the stack is full (8)");
    assert!(MACHINE.figures().refused == 1 && ERRORS.figures().refused == 0 && ERRORS.figures().live > 0);
}

/// "Multiple – how to pass an allocator to a library?"
#[test]
fn an_allocator_is_passed_as_a_value() {
    let (one, other) = (heap(), heap());
    let parts: [Subsystem<&Heap>; 3] =
        [Subsystem::new("a", &one), Subsystem::new("b", &other), Subsystem::new("c", &one)];
    let mut stacks: std::vec::Vec<_> = parts.iter().map(Stack::new_in).collect();
    for value in 0..300 {
        stacks[value as usize % 3].push(value).unwrap();
    }
    assert!(parts.iter().all(|part| part.figures().live >= 800));
    drop(stacks);
    parts.into_iter().for_each(|part| assert!(part.close().is_ok()));
}

/// "What is a mechanism/contract to control the lifetime of an allocator."
#[test]
fn a_handle_controls_the_lifetime_of_an_allocator() {
    // Owning: the subsystem goes with its last block. Borrowed: the compiler refuses what would outlive it, which the
    // examples in the documentation of `subsystem` show.
    let ground = Subsystem::new("ground", Global);
    let stack = {
        let part = Shared::new(Subsystem::new("part", &ground)).unwrap();
        let mut stack = Stack::new_in(part);
        stack.push(5).unwrap();
        stack
    };
    assert!(ground.figures().live > stack.values.capacity() * 8, "the subsystem and the block");
    drop(stack);
    ground.close().expect("both are gone");
}

/// "Do we use malloc/realloc/free from the C standard library in the u7_vm project (and as an implication, in u7_error)?"
#[test]
fn nothing_falls_back_on_the_global_allocator() {
    // In a heap without a page nothing is served and nothing taken from elsewhere: not for a subsystem, not for an error.
    let nothing = Local::new(SizeClassAllocator::with_source(TestMemory::new(0)));
    let part = Subsystem::new("part", &nothing);
    assert!(Shared::new(Subsystem::new("within", &part)).is_err());
    assert!(Stack::new_in(&part).push(1).is_err());
    let error = Error::build(&STACK_FULL).number(1).message(&part, format_args!("in {}", "vain"));
    assert!(error.is_plain() && error.is_cut());
    assert_eq!((part.figures().failed, part.figures().peak), (3, 0));
}

/// "There is a dependency loop between Error and MemoryAllocator interfaces."
#[test]
fn the_dependency_loop_between_errors_and_allocators_ends() {
    // The allocation fails, the error wants a message, which is an allocation, which fails: that is the end of it.
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    part.set_budget(0);
    let failed = part.try_allocate(Layout::new::<u64>()).unwrap_err();
    let error = Error::build(&STACK_FULL).cause(failed).message(&part, format_args!("with {} values", 8));
    assert_eq!(format!("{error:#}"), "the stack is full: the subsystem's budget is used up");
    assert_eq!((error.is_plain(), error.is_cut(), part.figures().refused), (true, true, 2));
    // With memory again, the same error says all there is to say.
    part.set_budget(usize::MAX);
    let error = Error::build(&STACK_FULL).cause(error).message(&part, format_args!("with {} values", 8));
    assert!(format!("{error:#}").starts_with("the stack is full: with 8 values: the stack is full"));
}

/// "A memory allocation by its nature can return an error, i.e. if there is not enough memory left."
#[test]
fn an_allocation_can_return_an_error() {
    let heap = heap();
    let part = Subsystem::new("part", &heap);
    let error = part.try_allocate(Layout::new::<[u8; 2 << 20]>()).unwrap_err();
    assert_eq!((error.kind(), error.number(), error.is_plain()), (&OUT_OF_MEMORY, 2 << 20, true));
    part.set_budget(10);
    let error = part.try_allocate(Layout::new::<[u8; 11]>()).unwrap_err();
    assert_eq!((error.kind(), error.number()), (&OVER_BUDGET, 11));
    assert_eq!(error.to_string(), "the subsystem's budget is used up (11)");
    assert!(part.try_allocate(Layout::new::<[u8; 0]>()).is_ok());
}

/// "At the same time, an error often holds some additional context describing the error state that requires a memory
/// allocation. Like an error message."
#[test]
fn an_error_holds_context_that_needs_an_allocation() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    let error = Error::build(&STACK_FULL).number(8).message(&part, format_args!("in function {:?}", "main"));
    assert_eq!((error.message(), error.number()), ("in function \"main\"", 8));
    assert!(part.figures().live > error.message().len());
}

/// "It is worth noting that (b) doesn't mean that the Error interface has to be aware of MemoryAllocator."
#[test]
fn the_interface_of_errors_does_not_name_an_allocator() {
    // No parameter says which: one type for errors out of nothing, out of a heap, out of the system's memory.
    fn text(error: &Error<'_>) -> String {
        format!("{error:#}")
    }
    let heap = heap();
    let (here, there) = (Subsystem::new("here", &heap), Shared::new(Subsystem::new("there", Global)).unwrap());
    let errors = [
        Error::new(&REFUSED),
        Error::build(&REFUSED).message(&here, format_args!("here")),
        Error::build(&REFUSED).message(&there, format_args!("there")),
    ];
    assert_eq!(errors.each_ref().map(text), ["the host refused", "the host refused: here", "the host refused: there"]);
}

/// "In particular, it's beneficial if an error instance can be constructed without extra memory allocations."
#[test]
fn an_error_is_made_without_allocating() {
    // Nothing could be allocated from: neither call is given a handle.
    let error = Error::with_number(&STACK_FULL, 1_024);
    let cause = Error::because_of(&REFUSED, &STACK_FULL);
    assert_eq!(
        (error.to_string(), format!("{cause:#}")),
        ("the stack is full (1024)".into(), "the host refused: the stack is full".into())
    );
    // And where there is a handle and no memory behind it, the error is made all the same.
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    part.set_budget(0);
    let error = Error::build(&STACK_FULL).number(3).message(&part, format_args!("in function {:?}", "main"));
    assert_eq!((error.to_string(), error.is_cut()), ("the stack is full (3)".into(), true));
}

/// "If an error instance uses a memory allocator, the memory allocator outlives the error instance (the error instance needs to
/// deallocate its state at some point)."
#[test]
fn the_allocator_outlives_the_error() {
    let ground = Subsystem::new("ground", Global);
    let part = Shared::new(Subsystem::new("part", &ground)).unwrap();
    let error = Error::build(&STACK_FULL).message(&part, format_args!("kept"));
    drop(part);
    assert!(ground.figures().live > 0, "the error keeps its allocator");
    assert_eq!(error.message(), "kept");
    drop(error);
    assert_eq!(ground.figures().live, 0, "and lets it go");
}

/// "De facto, it's what the current implementation does. u7_vm uses a locally assigned memory allocator, and u7_error uses malloc/free
/// from the c standard library."
#[test]
fn a_machine_with_an_allocator_of_its_own_raises_errors_on_malloc() {
    static ON_MALLOC: Subsystem<Global, ManyThreads> = Subsystem::for_threads("errors", Global);
    let heap = heap();
    let machine = Subsystem::new("machine", &heap);
    machine.set_budget(40);
    let error = {
        let mut stack = Stack::new_in(&machine);
        let full = (0..).find_map(|value| stack.push(value).err()).unwrap();
        Error::build(&REFUSED).cause(full).message(&ON_MALLOC, format_args!("in {}", machine.name()))
    };
    machine.close().expect("the error is not in it");
    drop(heap);
    assert_eq!(format!("{error:#}"), "the host refused: in machine: the stack is full (4)");
    drop(error);
    assert_eq!(ON_MALLOC.figures().live, 0);
}

/// "u7_error uses a globally assigned memory allocator … easy to comprehend … no local customisation per system instance."
#[test]
fn errors_may_have_one_allocator_of_their_own() {
    static ALL_ERRORS: Subsystem<Global, ManyThreads> = Subsystem::for_threads("all errors", Global);
    fn fails(depth: usize) -> Error<'static> {
        match depth {
            0 => Error::new(&STACK_FULL),
            _ => Error::build(&REFUSED).cause(fails(depth - 1)).message(&ALL_ERRORS, format_args!("{depth}")),
        }
    }
    assert_eq!(format!("{:#}", fails(2)), "the host refused: 2: the host refused: 1: the stack is full");
    assert_eq!(ALL_ERRORS.figures().live, 0);
}

/// "u7_error uses a memory allocator associated with a subsystem that raised an error. Can we make the user guarantee the
/// lifetime?"
#[test]
fn an_error_uses_the_allocator_of_the_subsystem_that_raised_it() {
    fn fails<'a>(part: &'a Subsystem<&Heap>) -> Result<(), Error<'a>> {
        Err(Error::build(&STACK_FULL).message(part, format_args!("in {}", part.name())))
    }
    let heap = heap();
    let part = Subsystem::new("part", &heap);
    let error = fails(&part).unwrap_err();
    assert!(part.figures().live > error.message().len());
    drop(error);
    // The compiler makes the user guarantee it: with `error` alive, this line is refused (E0505).
    part.close().unwrap();
}

/// "Imagine that we have subsystems A and B with different memory allocators. fn() uses both A and B that can return errors: err =
/// fn(A, B). Here err must know which allocator was used for the data, so release(err) could properly release the resources."
#[test]
fn an_error_of_two_subsystems_is_released_into_the_right_one() {
    /// Raises in one of the two, or in one because of the other.
    fn function<'a, A, B>(a: &A, b: &B, which: u32) -> Error<'a>
    where
        for<'x> &'x A: Keeper<'a>,
        for<'x> &'x B: Keeper<'a>,
    {
        let of_a = Error::build(&STACK_FULL).message(a, format_args!("in a"));
        let of_b = Error::build(&REFUSED).message(b, format_args!("in b"));
        match which {
            0 => of_a,
            1 => of_b,
            2 => Error::build(&REFUSED).cause(of_a).message(b, format_args!("because of a")),
            _ => Error::build(&STACK_FULL).cause(of_b).message(a, format_args!("because of b")),
        }
    }
    /// Has nothing but the error.
    fn whoever(error: Error<'_>) {
        drop(error);
    }
    let texts = [
        "the stack is full: in a",
        "the host refused: in b",
        "the host refused: because of a: the stack is full: in a",
        "the stack is full: because of b: the host refused: in b",
    ];
    let (heap, ground) = (heap(), Subsystem::new("ground", Global));
    for (which, text) in (0..).zip(texts) {
        let below = Subsystem::new("below", &heap);
        let error = {
            let a = Shared::new(Subsystem::new("a", &below)).unwrap();
            let b = Shared::new(Subsystem::new("b", Shared::new(Subsystem::new("outer", &ground)).unwrap())).unwrap();
            // While both are there, each has its own back.
            let error = function(&a, &b, which);
            assert_eq!((a.figures().live > 0, b.figures().live > 0), (which != 1, which != 0));
            drop(error);
            assert_eq!((a.figures().live, b.figures().live), (0, 0));
            function(&a, &b, which)
        };
        // And after both are gone from scope, whoever drops it.
        assert_eq!((below.figures().live > 0, ground.figures().live > 0), (which != 1, which != 0));
        assert_eq!(format!("{error:#}"), text);
        whoever(error);
        assert_eq!(ground.figures().live, 0);
        below.close().unwrap();
    }
}
