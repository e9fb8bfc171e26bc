//! Logs, prints and spans.

use crate::subjects::each;
use heapbase_host::LogLine;
use log::{Level, LevelFilter, Log, Metadata, Record};
use std::{cell::RefCell, sync::Once};

thread_local! {
    static LINES: RefCell<Vec<(Level, String, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the lines of each thread apart: tests run beside each other.
struct Keeper;

impl Log for Keeper {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if ["guest", "runtime"].contains(&record.target()) {
            let line = (record.level(), record.target().to_owned(), record.args().to_string());
            LINES.with_borrow_mut(|lines| lines.push(line));
        }
    }

    fn flush(&self) {}
}

/// What the calls made by `act` on this thread send to the process's log.
fn logged(act: impl FnOnce()) -> Vec<(Level, String, String)> {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&Keeper).expect("no other logger in this test");
        log::set_max_level(LevelFilter::Trace);
    });
    LINES.with_borrow_mut(Vec::clear);
    act();
    LINES.take()
}

fn line(level: Level, target: &str, message: &str) -> (Level, String, String) {
    (level, target.to_owned(), message.to_owned())
}

#[test]
fn every_level() {
    each(|subject| {
        let lines = logged(|| subject.get::<()>("log_all", "a message"));
        let expected = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace]
            .map(|level| line(level, "guest", "a message"));
        assert_eq!(lines, expected, "{}", subject.name);
        assert_eq!(subject.get::<u8>("log_max_level", ()), LevelFilter::Trace as u8, "{}", subject.name);
    });
}

#[test]
fn bytes_that_are_no_text() {
    each(|subject| {
        assert_eq!(logged(|| subject.get::<()>("log_bytes", vec![0xff_u8, 0xfe])), [], "{}", subject.name);
    });
}

#[test]
fn prints() {
    each(|subject| {
        let lines = logged(|| subject.get::<()>("print", (77u64, "text", vec![0xab_u8, 0xcd])));
        let expected = ["77", "text", "abcd"].map(|text| line(Level::Debug, "runtime", text));
        assert_eq!(lines, expected, "{}", subject.name);
    });
}

#[test]
fn an_error_carries_the_log() {
    each(|subject| {
        let error = subject.error("log_all_then_panic", "before the end");
        let levels: Vec<_> =
            error.log.iter().filter(|line| line.message == "before the end").map(|line| line.level).collect();
        assert_eq!(levels, [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace], "{}", subject.name);
        let last: &LogLine = error.log.last().unwrap_or_else(|| panic!("{}: no log", subject.name));
        assert!(last.message.contains("after logging"), "{}: {last:?}", subject.name);
        assert!(error.to_string().contains("before the end"), "{error}");
    });
}

#[test]
fn spans() {
    each(|subject| {
        // Nobody listens, so nothing is enabled; opening and closing must work all the same.
        for depth in [0u32, 1, 100] {
            assert!(!subject.get::<bool>("spans", depth), "{}", subject.name);
        }
    });
}
