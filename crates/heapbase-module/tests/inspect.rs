//! One module, one flaw: every `.wat` below `inspect/` says in lines that begin with `;;!` what `inspect` has to say.
//!
//! `HEAPBASE_BLESS=1 cargo test -p heapbase-module --test inspect` writes those lines anew.

use heapbase_module::{Report, inspect};
use std::fs;
use std::path::{Path, PathBuf};

/// What a report says, in the words of the `.wat` files.
fn summary(report: &Report) -> Vec<String> {
    let verdict = if report.conforms { "conforms" } else { "does not conform" };
    let mut lines = vec![format!("{}, {verdict}", report.spec)];
    if let Some(memory) = &report.memory {
        let max = memory.max.map(|max| format!(" to {max}")).unwrap_or_default();
        lines.push(format!("memory {:?}, {}{max} pages", memory.kind, memory.min).to_lowercase());
    }
    for (what, value) in [("heap base", report.heap_base.map(u64::from)), ("data end", report.data_end)] {
        lines.extend(value.map(|value| format!("{what} {value:#x}")));
    }
    lines.extend(report.runtime_version.as_ref().map(|version| format!("{version:?}")));
    lines.extend(report.runtime_apis.iter().map(|api| format!("API {} {:?} {}", api.id, api.name, api.version)));
    for used in &report.features {
        let verdict = if used.stock_nodes { "accepted" } else { "refused" };
        assert!(used.offsets.is_sorted() && used.offsets.first() == Some(&used.first_offset), "{used:?}");
        assert_eq!(used.offsets.len() as u64, used.count, "{used:?}");
        lines.push(format!("feature {} {} times from {:#x}, {verdict}", used.name, used.count, used.first_offset));
    }
    for problem in &report.problems {
        let place = &problem.place;
        let section = place.section.map(|section| format!(" section {section}"));
        let name = place.name.as_ref().map(|name| format!(" {name}"));
        let offset = place.offset.map(|offset| format!(" {offset:#x}"));
        let place: String = [section, name, offset].into_iter().flatten().collect();
        let severity = format!("{:?}", problem.severity()).to_lowercase();
        lines.push(format!("{severity} {}:{place}: {}", problem.code(), problem.flaw));
    }
    lines
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "wat") {
            found.push(path);
        }
    }
}

#[test]
fn every_module_gets_the_words_in_its_head() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inspect");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    paths.sort();
    assert!(paths.len() >= 89, "found only {} modules", paths.len());
    let bless = std::env::var_os("HEAPBASE_BLESS").is_some();
    let mut wrong = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (expected, rest): (Vec<_>, Vec<_>) = text.lines().partition(|line| line.starts_with(";;!"));
        let wasm = wat::parse_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let lines = match inspect(&wasm) {
            Ok(report) => {
                let sections: u64 = report.sections.iter().map(|section| section.size).sum();
                assert_eq!(sections + 8, report.size, "{}: sections and header are the module", path.display());
                summary(&report)
            }
            Err(error) => vec![format!("cannot be read: {error}")],
        };
        let actual: Vec<String> = lines.iter().map(|line| format!(";;! {line}")).collect();
        if bless {
            let (comment, body): (Vec<_>, Vec<_>) = rest.into_iter().partition(|line| line.starts_with(";;"));
            let all = comment.into_iter().chain(actual.iter().map(String::as_str)).chain(body);
            fs::write(&path, all.flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
        } else if actual != expected {
            let (expected, actual) = (expected.join("\n"), actual.join("\n"));
            wrong.push(format!("{}\nexpected\n{expected}\nfound\n{actual}\n", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{} modules differ:\n\n{}", wrong.len(), wrong.join("\n"));
}

/// Each use has its place, and a module of nothing else does not fill the machine's memory with places.
#[test]
fn every_use_of_a_feature_has_its_offset() {
    let text = |times: usize| {
        format!("(module (func (drop {}(i32.const 0){})))", "(i32.extend8_s ".repeat(times), ")".repeat(times))
    };
    for times in [3, heapbase_module::inspect::MOST_OFFSETS + 7] {
        let wasm = wat::parse_str(text(times)).unwrap();
        let report = inspect(&wasm).unwrap();
        let [used] = &report.features[..] else { panic!("{:?}", report.features) };
        assert_eq!((used.count, used.offsets.len()), (times as u64, times.min(heapbase_module::inspect::MOST_OFFSETS)));
        // `i32.extend8_s` is one byte.
        assert!(used.offsets.iter().all(|offset| wasm[*offset as usize] == 0xc0));
        assert!(used.offsets.windows(2).all(|pair| pair[0] + 1 == pair[1]));
    }
}
