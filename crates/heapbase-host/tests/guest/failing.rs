//! Calls that fail, and the calls after them.

use crate::subjects::{Subject, each};
use codec::Encode;
use heapbase_host::{CallError, Cause, Engine, Error, HeapPages, Spec, State};

fn assert_usable(subject: &Subject) {
    assert_eq!(subject.get::<u32>("panic_if", false), 42, "{}: the call after a failure", subject.name);
}

/// wasmi keeps no backtrace.
fn assert_frame(error: &CallError, subject: &Subject, name: &str) {
    if subject.runtime.engine() == Engine::Wasmtime {
        let found = error.backtrace.iter().any(|frame| frame.name.as_deref().is_some_and(|frame| frame.contains(name)));
        assert!(found, "{}: no `{name}` in {:#?}", subject.name, error.backtrace);
    }
}

#[test]
fn a_panic_carries_its_message() {
    each(|subject| {
        for message in ["the message of the panic", "", "zwölf Boxkämpfer 🥊", &"long ".repeat(200)] {
            let error = subject.error("panic_with", message);
            let said = error.panic_message.as_deref().unwrap_or_default();
            assert!(said.contains(message), "{}: {said}", subject.name);
            assert!(said.contains("failing.rs"), "{}: where it panicked: {said}", subject.name);
            assert!(matches!(error.cause, Cause::Trap(_)), "{}: {error:?}", subject.name);
            assert_eq!(error.entry, "panic_with");
            assert_frame(&error, subject, "the_function_that_panics");
            assert_frame(&error, subject, "panic_with");
            assert!(error.to_string().contains(message.trim()), "{error}");
        }
        assert_usable(subject);
    });
}

#[test]
fn a_panic_does_not_poison_the_next_call() {
    each(|subject| {
        for round in 0..20 {
            if round % 3 == 0 {
                let error = subject.error("panic_if", true);
                assert!(error.panic_message.is_some_and(|message| message.contains("panicked as asked")));
            } else {
                assert_usable(subject);
            }
        }
    });
}

#[test]
fn checks_of_the_language_and_of_the_engine() {
    each(|subject| {
        assert_eq!(subject.get::<u8>("index_out_of_bounds", 2u32), 3);
        let error = subject.error("index_out_of_bounds", 3u32);
        assert!(error.panic_message.is_some_and(|message| message.contains("the len is 3 but the index is 3")));

        let error = subject.error("load_out_of_bounds", ());
        assert!(
            matches!(&error.cause, Cause::Trap(what) if what.contains("out of bounds")),
            "{}: {error:?}",
            subject.name
        );
        assert_eq!(error.panic_message, None);
        assert_frame(&error, subject, "load_out_of_bounds");

        let error = subject.error("unreachable_instruction", ());
        assert!(
            matches!(&error.cause, Cause::Trap(what) if what.contains("unreachable")),
            "{}: {error:?}",
            subject.name
        );
        assert_eq!(error.panic_message, None, "{}", subject.name);

        // Arguments that do not decode.
        let error = subject.runtime.call("panic_if", &[1, 2, 3]).on(&State::default());
        let error = error.expect_err("three bytes are no truth value").to_string();
        assert!(error.contains("the input is the encoded arguments"), "{}: {error}", subject.name);
        assert_usable(subject);
    });
}

#[test]
fn an_abort_carries_its_message() {
    each(|subject| {
        let error = subject.error("abort_with", "the message of the abort");
        assert_eq!(error.panic_message.as_deref(), Some("the message of the abort"), "{}", subject.name);
        assert!(error.to_string().contains("the message of the abort"), "{error}");
        assert_usable(subject);
    });
}

#[test]
fn a_stack_that_is_used_up() {
    each(|subject| {
        let error = subject.error("stack_overflow", ());
        assert!(matches!(error.cause, Cause::Trap(_)), "{}: {error:?}", subject.name);
        assert_usable(subject);
        // The same on a thread with little more stack than the limit of the guest's.
        let small = std::thread::Builder::new().stack_size((1 << 20) + (384 << 10));
        std::thread::scope(|scope| {
            let thread = small.spawn_scoped(scope, || subject.error("stack_overflow", ()).cause).expect("a thread");
            assert!(matches!(thread.join(), Ok(Cause::Trap(_))), "{}", subject.name);
        });
    });
}

#[test]
fn a_heap_that_is_used_up() {
    each(|subject| {
        let small = subject.with(|config| config.heap_pages = HeapPages::Fixed(128));
        let error = small.error("exhaust", ());
        match small.spec() {
            // The host refuses and ends the call.
            Spec::Legacy => {
                assert_eq!(error.cause, Cause::OutOfMemory { requested: 1 << 20 }, "{}", small.name);
                assert!(error.host_function.as_deref().is_some_and(|name| name.contains("malloc")), "{error:?}");
                assert_eq!(error.refused_growth, None, "{}", small.name);
            }
            // The runtime's own allocator gives up, in a trap of its own choice, and the host says what it was refused.
            _ => {
                assert!(matches!(error.cause, Cause::Trap(_)), "{}: {error:?}", small.name);
                let refused = error.refused_growth.expect("memory that was refused");
                assert_eq!(refused.pages, error.statistics.peak_pages, "{}", small.name);
                assert!(refused.pages + refused.additional > refused.limit, "{}: {refused:?}", small.name);
                assert!(error.to_string().contains("out of memory: of "), "{error}");
            }
        }
        assert!(error.statistics.peak_pages >= 100, "{}: {:?}", small.name, error.statistics);
        let later = small.error("panic_if", true);
        assert_eq!(later.refused_growth, None, "{}: of an earlier call", small.name);
        assert_usable(&small);
        assert_eq!(small.get::<u64>("vec_growth", 1_000_000u32), subject.get::<u64>("vec_growth", 1_000_000u32));
    });
}

#[test]
fn an_input_that_does_not_fit() {
    each(|subject| {
        let small = subject.with(|config| config.heap_pages = HeapPages::Fixed(16));
        let input = vec![7u8; 2 << 20].encode();
        match small.runtime.call("echo", &input).on(&State::default()) {
            Err(Error::Call(error)) => {
                let requested = input.len() as u32;
                assert_eq!(error.cause, Cause::OutOfMemory { requested }, "{}", small.name);
            }
            other => panic!("{}: {other:?}", small.name),
        }
        assert_usable(&small);
    });
}

#[test]
fn a_buffer_of_a_host_function_that_does_not_fit() {
    each(|subject| {
        let mut state = State::default();
        subject.commit::<()>(&mut state, "storage_set", vec![("key", vec![7u8; 2 << 20])]);
        let small = subject.with(|config| config.heap_pages = HeapPages::Fixed(16));
        match small.runtime.call("storage_get", &"key".encode()).on(&state) {
            Err(Error::Call(error)) => {
                assert!(
                    matches!(error.cause, Cause::OutOfMemory { requested: 0x20_0000.. }),
                    "{}: {error:?}",
                    small.name
                );
                assert!(error.host_function.as_deref().is_some_and(|name| name.contains("storage_get")), "{error:?}");
            }
            other => panic!("{}: {other:?}", small.name),
        }
        assert_usable(&small);
    });
}

#[test]
fn a_block_that_is_too_large() {
    each(|subject| {
        let subject = &subject.with(|config| config.heap_pages = HeapPages::NodeDefault);
        assert_ne!(subject.get::<u32>("allocate", 32u32 << 20), 0, "{}: 32 MiB fit", subject.name);
        // More than the host's allocator gives in one piece; the runtime's own has no such bound.
        for size in [(32u32 << 20) + 1, 64 << 20, u32::MAX >> 1] {
            let result = subject.runtime.call("allocate", &size.encode()).on(&State::default());
            match (subject.spec(), result) {
                (Spec::Legacy, Err(Error::Call(error))) => {
                    assert_eq!(error.cause, Cause::OutOfMemory { requested: size }, "{}", subject.name);
                }
                (Spec::V1, Ok(_)) => assert!(size <= 64 << 20, "{}: {size} bytes in 128 MiB", subject.name),
                (Spec::V1, Err(Error::Call(error))) => {
                    assert!(size > 64 << 20, "{}: {size}: {error}", subject.name);
                }
                (_, other) => panic!("{}: {other:?}", subject.name),
            }
        }
        assert_usable(subject);
    });
}

#[test]
fn fuel_ends_what_never_ends() {
    each(|subject| {
        let fuelled = subject.with(|config| config.limits.fuel = Some(20_000_000));
        for entry in ["endless", "endless_calls"] {
            let error = fuelled.error(entry, ());
            assert_eq!(error.cause, Cause::OutOfFuel, "{}: {entry}", fuelled.name);
        }
        assert_usable(&fuelled);
        assert_eq!(fuelled.get::<u64>("rounds", 1_000u64), 499_500, "{}", fuelled.name);
        let error = fuelled.error("rounds", u64::MAX);
        assert_eq!(error.cause, Cause::OutOfFuel, "{}", fuelled.name);
    });
}

#[test]
fn results_that_are_no_blocks() {
    each(|subject| {
        for entry in ["output_past_end", "output_wraps", "output_huge"] {
            let error = subject.error(entry, ());
            assert!(matches!(error.cause, Cause::OutputOutOfBounds { .. }), "{}: {entry}: {error:?}", subject.name);
        }
        assert_usable(subject);
    });
}

#[test]
fn entry_points_that_are_none() {
    each(|subject| {
        let call = |name: &str| subject.runtime.call(name, b"").on(&State::default());
        assert!(matches!(call("no_such_entry"), Err(Error::NoEntry { name, .. }) if name == "no_such_entry"));
        assert!(matches!(call(""), Err(Error::NoEntry { .. })));
        assert!(matches!(call("echo\0"), Err(Error::NoEntry { .. })));
        assert!(matches!(call("memory"), Err(Error::NoEntry { .. } | Error::NotAnEntry { .. })));
        assert!(matches!(call("__heap_base"), Err(Error::NoEntry { .. } | Error::NotAnEntry { .. })));
        if subject.spec() == Spec::V1 {
            assert!(matches!(call("alloc"), Err(Error::NotAnEntry { name, .. }) if name == "alloc"));
        }
        assert!(subject.runtime.entry_points().any(|name| name == "echo"));
        assert!(subject.runtime.entry_points().all(|name| name != "alloc" && name != "v1"));
    });
}

/// A host that knows no v1 has a heap of its own where the runtime's begins: it must not go unnoticed.
#[test]
fn a_host_that_knows_no_v1_ends_the_call() {
    each(|subject| {
        if subject.spec() != Spec::V1 {
            return;
        }
        // What such a host makes of the runtime: the marker says nothing to it.
        let marker = b"\x02v1\x00";
        let at = subject.wasm.windows(marker.len()).position(|bytes| bytes == marker).expect("an exported function v1");
        let mut wasm = subject.wasm.clone();
        wasm[at + 1] = b'w';
        let unaware = subject.with_wasm(wasm);
        assert_eq!(unaware.spec(), Spec::Legacy);
        let error = unaware.error("collections", 10_u32);
        assert!(matches!(&error.cause, Cause::Trap(what) if what.contains("unreachable")), "{}: {error}", subject.name);
        assert_frame(&error, &unaware, "another_heap_begins_at_heap_base");
    });
}
