//! Errors: made without memory, with it, and when it runs out; chains, references, sizes.

use allocator_api2::{alloc::Global, boxed::Box};
use core::{error::Error as _, fmt};
use heapbase::{
    Local, SizeClassAllocator,
    error::{Category, Error, Kind},
    memory::TestMemory,
    subsystem::{ManyThreads, Shared, Subsystem},
};

static TESTS: Category = Category::new("tests");
static OUTER: Kind = Kind::new(&TESTS, 1, "outer");
static MIDDLE: Kind = Kind::new(&TESTS, -2, "middle");
static INNER: Kind = Kind::new(&TESTS, 3, "inner");

#[test]
fn two_words() {
    assert_eq!(size_of::<Error<'_>>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Option<Error<'_>>>(), 2 * size_of::<usize>());
    assert_eq!(size_of::<Result<(), Error<'_>>>(), 2 * size_of::<usize>());
    assert!(size_of::<Result<Box<u8>, Error<'_>>>() <= 3 * size_of::<usize>());
}

#[test]
fn plain_errors_tell_text_number_and_cause() {
    let error = Error::with_number(&OUTER, 4_096);
    assert_eq!((error.kind(), error.number(), error.message(), error.is_plain()), (&OUTER, 4_096, "", true));
    assert_eq!((error.to_string(), format!("{error:?}")), ("outer (4096)".into(), "tests/1: outer (4096)".into()));
    assert!(error.source().is_none() && error.cause().is_none() && !error.is_cut());
    let error = Error::with_number(&OUTER, usize::MAX);
    assert_eq!(error.number(), usize::MAX, "any number fits");

    let error = Error::because_of(&OUTER, &MIDDLE);
    assert_eq!((error.kind(), error.number(), error.cause().unwrap().kind()), (&OUTER, 0, &MIDDLE));
    assert_eq!((format!("{error}"), format!("{error:#}")), ("outer".into(), "outer: middle".into()));
    assert_eq!(error.source().unwrap().to_string(), "middle");
    assert_eq!(error.clone().kind().code(), 1);

    let error = Error::build(&OUTER).number(5).plain();
    assert_eq!((error.number(), error.is_cut()), (5, false));
    let error = Error::build(&OUTER).number(5).cause(error).plain();
    assert_eq!((error.number(), error.cause().unwrap().kind()), (0, &OUTER));
}

#[test]
fn what_is_kept_lies_in_one_block_of_the_subsystem() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    let inner = Error::with_number(&INNER, 9);
    let middle = Error::build(&MIDDLE).cause(inner).keep(&part);
    let before = part.figures().live;
    let outer = Error::build(&OUTER).number(7).cause(middle).message(&part, format_args!("in {} of {:?}", 2, "x"));
    assert_eq!(part.figures().live - before, before + outer.message().len());
    assert_eq!(format!("{outer}"), "outer: in 2 of \"x\" (7)");
    assert_eq!(format!("{outer:#}"), "outer: in 2 of \"x\" (7): middle: inner (9)");
    let (mut texts, mut next) = (Vec::new(), Some(&outer as &dyn core::error::Error));
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    assert_eq!(texts, ["outer: in 2 of \"x\" (7)", "middle", "inner (9)"]);
    let copy = outer.clone();
    assert_eq!(part.figures().live - before, before + copy.message().len(), "a reference allocates nothing");
    drop(outer);
    let cause = copy.cause().unwrap();
    drop(copy);
    assert_eq!((cause.kind(), cause.cause().unwrap().number()), (&MIDDLE, 9));
    drop(cause);
    assert_eq!(part.figures().live, 0);
    let plain = Error::build(&OUTER).number(3).keep(&part);
    assert!(plain.is_plain() && part.figures().peak > 0 && part.figures().live == 0, "nothing to keep");
}

#[test]
fn without_memory_an_error_is_plain_at_every_allocation_that_fails() {
    // The first of the two has no memory, then the second.
    for allowed in 0..3usize {
        let part = Shared::new(Subsystem::new("part", Global)).unwrap();
        let (mut size, mut made) = (0, 0);
        let mut raise = |kind, cause: Option<Error<'static>>| {
            part.set_budget(if made < allowed { usize::MAX } else { size });
            let mut builder = Error::build(kind).number(11);
            if let Some(cause) = cause {
                builder = builder.cause(cause);
            }
            let error = builder.message(&part, format_args!("number {made}"));
            size = part.figures().live;
            made += 1;
            error
        };
        let inner = raise(&INNER, None);
        let outer = raise(&OUTER, Some(inner));
        let expected = match allowed {
            0 => "outer: inner",
            1 => "outer: inner",
            _ => "outer: number 1 (11): inner: number 0 (11)",
        };
        assert_eq!(format!("{outer:#}"), expected);
        assert_eq!((outer.is_plain(), outer.is_cut()), (allowed < 2, allowed < 2));
        drop(outer);
        assert_eq!(part.figures().live, 0);
    }
}

#[test]
fn an_error_borrows_what_a_borrowed_subsystem_keeps() {
    let heap = Local::new(SizeClassAllocator::with_source(TestMemory::new(4)));
    let part = Subsystem::new("part", &heap);
    let owned = Shared::new(Subsystem::new("owned", &heap)).unwrap();
    let inner = Error::build(&INNER).message(&part, format_args!("borrowed"));
    let outer = Error::build(&OUTER).cause(inner).message(&owned, format_args!("owned"));
    drop(owned);
    assert_eq!(format!("{outer:#}"), "outer: owned: inner: borrowed");
    drop(outer);
    part.close().unwrap();
}

#[test]
fn a_chain_longer_than_the_stack_is_deep() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    let mut error = Error::new(&INNER);
    for number in 0..if cfg!(miri) { 100 } else { 200_000 } {
        error = Error::build(&MIDDLE).number(number).cause(error).keep(&part);
    }
    drop(error);
    assert_eq!(part.figures().live, 0);
}

/// Writes more, less, or nothing valid the second time.
struct Moody<'a>(&'a core::cell::Cell<u32>, [&'a str; 2], bool);

impl fmt::Display for Moody<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let turn = self.0.replace(self.0.get() + 1) as usize % 2;
        f.write_str(self.1[turn])?;
        if self.2 { Err(fmt::Error) } else { Ok(()) }
    }
}

#[test]
fn a_formatter_that_changes_its_mind_does_no_harm() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    let turn = core::cell::Cell::new(0);
    for (texts, fails, message, cut) in [
        (["four", "eight letters"], false, "eigh", true),
        (["eight letters", "four"], false, "four", false),
        (["four", "dré€"], false, "dré", true),
        (["abc", "a€"], false, "a", true),
        (["four", "four"], true, "four", false),
        (["", "x"], false, "", true),
    ] {
        turn.set(0);
        let error = Error::build(&OUTER).message(&part, format_args!("{}", Moody(&turn, texts, fails)));
        assert_eq!((error.message(), error.is_cut(), error.is_plain()), (message, cut, false));
    }
    assert_eq!(part.figures().live, 0);
}

#[test]
fn a_cut_error_is_as_good_as_any() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    let cause = Error::build(&INNER).message(&part, format_args!("kept")).into_cut();
    let error = Error::build(&OUTER).number(3).cause(cause).message(&part, format_args!("cut")).into_cut();
    drop(part);
    let copy = error.clone();
    let (_, raw) = error.into_raw();
    assert_eq!(
        (copy.is_cut(), copy.is_plain(), format!("{copy:#}")),
        (true, false, "outer: cut (3): inner: kept".into())
    );
    assert!(copy.cause().unwrap().is_cut());
    drop(copy);
    // SAFETY: taken back once.
    let error: Error<'static> = unsafe { Error::from_raw(raw) };
    assert_eq!((error.is_cut(), error.message(), error.cause().unwrap().message()), (true, "cut", "kept"));
}

/// Panics when it is written for the so-manyeth time.
struct Panics<'a>(&'a core::cell::Cell<u32>);

impl fmt::Display for Panics<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.0.get();
        assert_ne!(left, 0, "as planned");
        self.0.set(left - 1);
        f.write_str("x")
    }
}

#[test]
fn a_formatter_that_panics_leaks_nothing() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    for left in 0..2 {
        let left = core::cell::Cell::new(left);
        let cause = Error::build(&INNER).message(&part, format_args!("kept"));
        let end = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            Error::build(&OUTER).cause(cause).message(&part, format_args!("{}", Panics(&left)))
        }));
        assert!(end.is_err());
        assert_eq!(part.figures().live, 0);
    }
}

#[test]
fn other_languages_hold_errors_by_address() {
    let part = Shared::new(Subsystem::for_threads("part", Global)).unwrap();
    let error = Error::build(&MIDDLE).number(4).message(&part, format_args!("kept"));
    let (code, raw) = error.clone().into_raw();
    assert_eq!(code.get(), -2);
    drop((error, part));
    // SAFETY: taken back once.
    let error: Error<'static> = unsafe { Error::from_raw(raw) };
    assert_eq!(error.to_string(), "middle: kept (4)");
    drop(error);

    let (code, raw) = Error::because_of(&OUTER, &INNER).into_raw();
    // SAFETY: taken back once.
    let error: Error<'static> = unsafe { Error::from_raw(raw) };
    assert_eq!((code.get(), error.kind(), error.cause().is_none()), (1, &OUTER, true));
    let constant = core::ptr::NonNull::from(&INNER).cast::<()>().map_addr(|address| address | 1);
    // SAFETY: the kind is a static.
    let error: Error<'static> = unsafe { Error::from_raw(constant) };
    assert_eq!(error.to_string(), "inner");
}

#[test]
fn errors_of_one_subsystem_from_many_threads() {
    let part = Shared::new(Subsystem::<_, ManyThreads>::for_threads("part", Global)).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let part = part.clone();
            scope.spawn(move || {
                for number in 0..if cfg!(miri) { 10 } else { 1_000 } {
                    let error = Error::build(&OUTER).number(number).message(&part, format_args!("{number}"));
                    assert_eq!(error.clone().message(), number.to_string());
                }
            });
        }
    });
    assert_eq!(part.close().unwrap().0.live, 0);
}

#[test]
fn text_that_somebody_else_formats() {
    let part = Shared::new(Subsystem::new("part", Global)).unwrap();
    for (text, len, message) in [
        (&b"plain"[..], 5, "plain"),
        (b"a\xffb\xc3", 4, "a?b?"),
        (b"", 0, ""),
        (b"ab\0\0", 4, "ab\0\0"),
        (b"more than it says", 4, "more"),
        (b"less", 1_000, "less\0\0\0"),
    ] {
        let room = text.len() + 3;
        let error = Error::build(&OUTER).number(1).message_by(&part, room, |into| {
            assert!(into.len() == room && into.iter().all(|byte| *byte == 0));
            into[..text.len()].copy_from_slice(text);
            len
        });
        assert_eq!((error.message(), error.number(), error.is_cut()), (message, 1, false));
    }
    // As much as there is room for, and the cause beside it.
    part.set_budget(600);
    let cause = Error::build(&INNER).message(&part, format_args!("kept"));
    let error = Error::build(&OUTER).cause(cause).message_by(&part, 500, |into| {
        into.fill(b'x');
        into.len()
    });
    assert_eq!((error.message().len(), error.is_cut(), error.cause().unwrap().message()), (256, true, "kept"));
    drop(error);
    let error = Error::build(&OUTER).message_by(&part, 600, |into| {
        into.chunks_mut(3).for_each(|into| into.copy_from_slice(&"€".as_bytes()[..into.len()]));
        into.len()
    });
    assert_eq!((error.message(), error.is_cut()), ("€".repeat(85).as_str(), true), "no part of a character");
    drop(error);
    part.set_budget(10);
    let error = Error::build(&OUTER).message_by(&part, 5, |_| panic!("there is no room"));
    assert!(error.is_cut() && error.is_plain());
    assert_eq!(part.figures().live, 0);
}

#[test]
fn a_cut_error_without_memory_stays_cut_in_other_languages() {
    let (_, raw) = Error::because_of(&OUTER, &INNER).into_cut().into_raw();
    // SAFETY: taken back once.
    let error: Error<'static> = unsafe { Error::from_raw(raw) };
    assert!(error.is_cut() && error.is_plain() && error.cause().is_none());
}

#[test]
fn an_error_for_threads_goes_anywhere_with_all_it_carries() {
    let part = Shared::new(Subsystem::for_threads("part", Global)).unwrap();
    let cause = Error::for_threads(&INNER).message(&part, format_args!("kept"));
    let error = Error::for_threads(&OUTER).number(3).cause(cause).message(&part, format_args!("told"));
    let copies: Vec<_> = (0..4).map(|_| error.clone()).collect();
    std::thread::scope(|scope| {
        for copy in copies {
            let error = &error;
            scope.spawn(move || {
                assert_eq!((error.message(), copy.cause().unwrap().message()), ("told", "kept"));
                drop(copy);
            });
        }
    });
    assert_eq!(part.figures().refused + part.figures().failed, 0);
    let moved = std::thread::spawn(move || {
        let plain = error.to_plain();
        assert_eq!((plain.is_plain(), plain.is_cut(), plain.kind()), (true, true, &OUTER));
        assert_eq!(plain.cause().unwrap().kind(), &INNER);
        error
    });
    drop(part);
    // Where it stays it is an error as any.
    let error: Error<'static> = moved.join().unwrap().into();
    assert_eq!(format!("{error:#}"), "outer: told (3): inner: kept");
    let plain = Error::with_number(&OUTER, 5).to_plain();
    assert_eq!((plain.number(), plain.is_cut(), plain.cause().is_none()), (5, false, true));
    let borrowed = Subsystem::for_threads("borrowed", Global);
    {
        let error = Error::for_threads(&OUTER).message(&borrowed, format_args!("borrowed"));
        std::thread::scope(|scope| {
            scope.spawn(move || assert_eq!(error.message(), "borrowed"));
        });
    }
    borrowed.close().unwrap();
}

#[test]
fn kinds_are_told_apart_by_the_address_of_their_category() {
    static OTHERS: Category = Category::new("tests");
    static SAME_NUMBER: Kind = Kind::new(&OTHERS, 1, "outer");
    assert_ne!(OUTER, SAME_NUMBER);
    assert_eq!(TESTS.name(), OTHERS.name());
    assert_eq!(OUTER, Kind::new(&TESTS, 1, "by another name"));
    assert_eq!((OUTER.text(), OUTER.code(), OUTER.category()), ("outer", 1, &TESTS));
}
