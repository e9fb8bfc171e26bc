//! Buffers that go in and out, the heap between them, and memory that is fresh for each call.

use crate::subjects::each;
use codec::{DecodeAll, Encode};
use heapbase_host::{HeapPages, NODE_HEAP_PAGES, Spec, State, WASM_PAGE};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_le_bytes()[3]).collect()
}

#[test]
fn inputs_of_all_sizes_come_back() {
    each(|subject| {
        for size in [0, 1, 7, 8, 9, 63, 64, 1_000, 65_535, 65_536, 65_537, 1 << 20, 3 << 20] {
            let data = bytes(size);
            assert!(subject.get::<Vec<u8>>("echo", &data) == data, "{}: {size} bytes", subject.name);
            let raw = subject.raw("output_input", &data, &State::default()).output;
            assert!(raw == data, "{}: {size} bytes in place", subject.name);
        }
    });
}

#[test]
fn the_input_is_never_at_address_0() {
    each(|subject| {
        let seen = |input: &[u8]| {
            let output = subject.raw("input_seen", input, &State::default()).output;
            <(u32, u32)>::decode_all(&mut &output[..]).expect("two numbers")
        };
        for input in [&b""[..], b"x", &[0; 1000]] {
            let (ptr, len) = seen(input);
            assert_ne!(ptr, 0, "{}", subject.name);
            assert_eq!((ptr % 8, len as usize), (0, input.len()), "{}: at {ptr:#x}", subject.name);
        }
        if subject.spec() == Spec::V1 {
            assert_eq!(seen(b""), (8, 0), "{}: nothing is allocated for nothing", subject.name);
        }
        subject.get::<()>("nothing", ());
    });
}

#[test]
fn results_wherever_they_lie() {
    each(|subject| {
        let output = |entry: &str| subject.raw(entry, b"", &State::default()).output;
        assert_eq!(output("output_empty"), b"", "{}", subject.name);
        assert_eq!(output("output_null"), b"", "{}", subject.name);
        assert_eq!(output("output_static"), b"heapbase", "{}", subject.name);
        assert_eq!(output("output_last_byte"), b"\0", "{}", subject.name);
        for size in [0u32, 1, 70_000, 5 << 20] {
            let large: Vec<u8> = subject.get("large_output", size);
            assert!(large.len() == size as usize, "{}: {size} bytes", subject.name);
            assert!(large.iter().enumerate().all(|(at, byte)| *byte == at as u8), "{}: {size} bytes", subject.name);
        }
    });
}

#[test]
fn large_buffers_of_host_functions() {
    each(|subject| {
        for size in [1usize << 16, 3 << 20] {
            let value = bytes(size);
            let mut state = State::default();
            subject.commit::<()>(&mut state, "storage_set", vec![("key", &value)]);
            let read: Option<Vec<u8>> = subject.on(&state, "storage_get", "key").0;
            assert!(read.as_ref() == Some(&value), "{}: {size} bytes", subject.name);
        }
    });
}

#[test]
fn random_allocations_keep_their_contents() {
    each(|subject| {
        for seed in 0..8u64 {
            let done = subject.get::<u32>("churn", (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15), 4_000u32));
            assert_eq!(done, 4_000, "{}: seed {seed}", subject.name);
        }
    });
}

#[test]
fn collections() {
    each(|subject| {
        let sum: u64 = (0..200_000u32).map(|number| u64::from(number.wrapping_mul(2_654_435_761))).sum();
        assert_eq!(subject.get::<u64>("vec_growth", 200_000u32), sum, "{}", subject.name);

        let mut expected: std::collections::BTreeMap<String, Vec<u8>> =
            (0..3_000u32).map(|n| (format!("key {n}"), vec![n as u8; n as usize % 97])).collect();
        expected.retain(|key, _| key[4..].parse::<u32>().is_ok_and(|n| n % 3 != 0));
        let left: Vec<(String, Vec<u8>)> = subject.get("collections", 3_000u32);
        assert_eq!(left, expected.into_iter().collect::<Vec<_>>(), "{}", subject.name);
    });
}

#[test]
fn nothing_leaks_into_the_next_call() {
    each(|subject| {
        for keep_resident in [0, 16 << 20] {
            let subject = subject.with(|config| config.keep_resident = keep_resident);
            for round in 0..6 {
                let name = format!("{}, {keep_resident} bytes kept, round {round}", subject.name);
                let counters = subject.raw("counters", b"", &State::default()).output;
                assert_eq!(counters, (33u64, 1u64).encode(), "{name}: statics");
                let kept = subject.raw("heap_kept", b"", &State::default()).output;
                assert_eq!(kept, 0u32.encode(), "{name}: a pointer to the heap");
                assert_eq!(subject.get::<u32>("dirty", 300_000u32), 0, "{name}: the heap");
                // A call that traps leaves as little behind as one that returns.
                subject.error("panic_with", "between");
            }
        }
    });
}

#[test]
fn nothing_leaks_between_threads() {
    each(|subject| {
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                scope.spawn(move || {
                    for round in 0..10u32 {
                        assert_eq!(subject.get::<u32>("dirty", 100_000 + round), 0, "{}", subject.name);
                        let data = bytes((thread * 10_000 + round) as usize);
                        assert!(subject.get::<Vec<u8>>("echo", &data) == data, "{}", subject.name);
                        let done = subject.get::<u32>("churn", (u64::from(thread * 100 + round), 300u32));
                        assert_eq!(done, 300, "{}", subject.name);
                    }
                });
            }
        });
    });
}

#[test]
fn memory_has_limits() {
    each(|subject| {
        let small = subject.with(|config| config.heap_pages = HeapPages::Fixed(100));
        let (before, grown, after): (u32, u32, u32) = small.get("grow_by", 1u32);
        match small.spec() {
            // The whole heap is there from the start and never grows.
            Spec::Legacy => assert_eq!((grown, after), (u32::MAX, before), "{}", small.name),
            _ => assert_eq!((grown, after), (before, before + 1), "{}", small.name),
        }
        let (before, grown, after): (u32, u32, u32) = small.get("grow_by", 101u32);
        assert_eq!((grown, after), (u32::MAX, before), "{}: past the limit", small.name);
        let outcome = small.raw("grow_to_limit", b"", &State::default());
        let limit = u32::decode_all(&mut &outcome.output[..]).expect("a number");
        let minimum = limit - 100;
        assert!((17..30).contains(&minimum), "{}: {minimum} pages declared", small.name);

        let statistics = outcome.statistics;
        match small.spec() {
            Spec::Legacy => assert!(statistics.peak_pages < 30, "{}: {statistics:?}", small.name),
            _ => assert_eq!(statistics.peak_pages, limit, "{}", small.name),
        }
        // What one call grew is not there in the next.
        assert_eq!(small.get::<(u32, u32, u32)>("grow_by", 101u32).0, before, "{}", small.name);
    });
}

#[test]
fn someone_else_grows_memory() {
    each(|subject| {
        for by in [1u32, 2, 7] {
            let hit: u32 = subject.get("grow_between", by);
            assert_eq!(hit, 0, "{}: the heap took pages that are not its own", subject.name);
        }
    });
}

#[test]
fn heap_pages_of_the_call_and_of_the_state() {
    each(|subject| {
        let limit = |state: &State, pages: Option<u32>, importing: bool| {
            let from_state = subject.with(|config| config.heap_pages = HeapPages::FromState);
            let mut call = from_state.runtime.call("grow_to_limit", b"");
            if let Some(pages) = pages {
                call = call.heap_pages(pages);
            }
            if importing {
                call = call.importing();
            }
            let output = call.on(state).unwrap_or_else(|error| panic!("{}: {error}", subject.name)).output;
            u32::decode_all(&mut &output[..]).expect("a number")
        };
        let with_pages = |pages: &[u8]| {
            let mut storage = sp_core::storage::Storage::default();
            storage.top.insert(b":heappages".to_vec(), pages.to_vec());
            State::new(storage, sp_core::storage::StateVersion::V1)
        };
        let minimum = limit(&State::default(), Some(0), false);
        assert_eq!(limit(&State::default(), Some(50), false), minimum + 50, "{}", subject.name);
        assert_eq!(limit(&State::default(), None, false), minimum + NODE_HEAP_PAGES, "{}", subject.name);
        assert_eq!(limit(&with_pages(&64u64.encode()), None, false), minimum + 64, "{}", subject.name);
        assert_eq!(limit(&with_pages(&64u64.encode()), None, true), minimum + 128, "{}", subject.name);
        assert_eq!(limit(&with_pages(&64u64.encode()), Some(3), false), minimum + 3, "{}", subject.name);
        // A value that is no number counts as none.
        assert_eq!(limit(&with_pages(b"x"), None, false), minimum + NODE_HEAP_PAGES, "{}", subject.name);
        // One that is too large is an error, not an attempt.
        let from_state = subject.with(|config| config.heap_pages = HeapPages::FromState);
        let huge = with_pages(&u64::MAX.encode());
        match (subject.spec(), from_state.runtime.call("nothing", b"").on(&huge)) {
            (Spec::Legacy, Err(heapbase_host::Error::MemoryTooLarge { .. })) => {}
            // Under v1 they bound what the runtime may grow into, and so does 32 bits.
            (Spec::V1, Ok(_)) => {}
            (_, other) => panic!("{}: {other:?}", subject.name),
        }
    });
}

#[test]
fn statistics_tell_who_allocated() {
    each(|subject| {
        let outcome = subject.raw("storage_keys", &b"".to_vec().encode(), &State::default());
        let statistics = &outcome.statistics;
        assert!(u64::from(statistics.peak_pages) * WASM_PAGE >= 1 << 20, "{}: {statistics:?}", subject.name);
        match subject.spec() {
            Spec::Legacy => {
                assert_eq!(statistics.guest_allocations, 0, "{}: {statistics:?}", subject.name);
                assert!(statistics.host_allocations > 0);
                assert!(statistics.host_bytes_given > statistics.host_bytes_asked);
                assert!(statistics.host_bytes_peak > 0 && statistics.host_bytes_peak <= statistics.host_bytes_given);
            }
            _ => {
                assert_eq!(statistics.host_allocations, 0, "{}: {statistics:?}", subject.name);
                assert_eq!(statistics.host_bytes_asked, 0);
                // The input, and the answer of `next_key`.
                assert_eq!(statistics.guest_allocations, 2, "{}: {statistics:?}", subject.name);
            }
        }
        let counted = subject.runtime.call("storage_keys", &[0]).count_host_calls().on(&State::default());
        let calls = counted.unwrap_or_else(|error| panic!("{}: {error}", subject.name)).statistics.host_calls;
        assert_eq!(calls.get("ext_storage_next_key_version_1"), Some(&1), "{}: {calls:?}", subject.name);
        assert!(!calls.contains_key("ext_storage_set_version_1"), "{}: {calls:?}", subject.name);
        assert_eq!(calls.contains_key("ext_allocator_malloc_version_1"), subject.spec() == Spec::Legacy);
    });
}

#[test]
fn floating_point_is_the_same_everywhere() {
    let specials =
        [0.0, -0.0, 1.0, -1.5, f64::MIN_POSITIVE, 5e-324, f64::MAX, f64::INFINITY, f64::NEG_INFINITY, 0.1, 1e300];
    let numbers: Vec<(u64, u64)> =
        specials.iter().flat_map(|left| specials.map(|right| (left.to_bits(), right.to_bits()))).collect();
    let expected: Vec<[u64; 4]> = numbers
        .iter()
        .map(|(left, right)| {
            let (left, right) = (f64::from_bits(*left), f64::from_bits(*right));
            [left + right, left - right, left * right, left / right].map(f64::to_bits)
        })
        .collect();
    // The bits of what is not a number are the engine's choice.
    let plain = |results: &[[u64; 4]]| -> Vec<[Option<u64>; 4]> {
        results.iter().map(|row| row.map(|bits| (!f64::from_bits(bits).is_nan()).then_some(bits))).collect()
    };
    each(|subject| {
        let results: Vec<[u64; 4]> = subject.get("floating_point", &numbers);
        assert_eq!(plain(&results), plain(&expected), "{}", subject.name);

        let single = [0.0f32, -0.0, 1.0, 0.1, f32::MAX, f32::MIN_POSITIVE, 1e-45, f32::INFINITY];
        let numbers: Vec<(u32, u32)> =
            single.iter().flat_map(|left| single.map(|right| (left.to_bits(), right.to_bits()))).collect();
        let results: Vec<[u32; 4]> = subject.get("floating_point_single", &numbers);
        for ((left, right), row) in numbers.iter().zip(results) {
            let (left, right) = (f32::from_bits(*left), f32::from_bits(*right));
            for (bits, expected) in row.iter().zip([left + right, left - right, left * right, left / right]) {
                let same = *bits == expected.to_bits() || (expected.is_nan() && f32::from_bits(*bits).is_nan());
                assert!(same, "{}: {left} and {right}", subject.name);
            }
        }
    });
}
