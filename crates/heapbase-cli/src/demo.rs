//! `heapbase demo`: block 1 of Polkadot and of Kusama, on the states that light clients ship.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use clap::Args;
use heapbase_host::{Case, State};
use heapbase_module::{Spec, convert::Options};

use crate::{
    block::{self, Executed},
    exit::{self, Exit},
    result,
    run::HostOptions,
};

const EXAMPLES: &str = "Needs npm and a network the first time; afterwards what it fetched is cached.

Exit status: 0 every block gave the state root of its header; 1 one did not.";

/// Execute block 1 of Polkadot and of Kusama three ways, and show what each took: the runtime as it is (legacy), and converted in
/// memory to v1 and to local.
///
/// The genesis states come from the npm package @substrate/connect, which light clients in browsers use.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    #[command(flatten)]
    host: HostOptions,
    /// Fetch nothing: run the embedded block of a small runtime.
    #[arg(long)]
    offline: bool,
}

/// The package with the genesis states.
const PACKAGE: &str = "@substrate/connect@0.3.18";

/// Blocks whose state is in the package: the chain's file, and the block.
const BLOCKS: [(&str, &str); 2] = [
    ("polkadot.json", include_str!("../cases/polkadot-1.json")),
    ("kusama.json", include_str!("../cases/kusama-1.json")),
];

/// A runtime of one page and a block for it.
const SMALL_RUNTIME: &str = include_str!("../demo/ledger.wat");

/// What the runtime is converted to, one after the other; nothing first.
const WAYS: [Option<Spec>; 3] = [None, Some(Spec::V1), Some(Spec::Local)];

/// How often each block is executed; the table shows the median.
const REPEAT: u32 = 20;

impl Demo {
    pub(crate) fn run(self) -> Result<Exit> {
        let cases = if self.offline {
            vec![small_case()?]
        } else {
            match real_cases() {
                Ok(cases) => cases,
                Err(reason) => {
                    use owo_colors::OwoColorize;
                    anstream::eprintln!(
                        "{} cannot fetch the genesis states of Polkadot and Kusama: {reason:#}\n\
                         running the embedded block of a small runtime instead",
                        "note:".cyan().bold()
                    );
                    vec![small_case()?]
                }
            }
        };
        let bar = block::progress((cases.len() * WAYS.len()) as u64 * u64::from(REPEAT), false);
        let mut executed = Vec::new();
        for case in &cases {
            for to in WAYS {
                let way = to.map_or_else(|| "legacy".to_owned(), |to| format!("converted to {to}"));
                bar.set_message(format!("{}, {way}: compiling, executing", case.name));
                let options = to.map(Options::new);
                executed.push(block::execute(case, None, options.as_ref(), &self.host, REPEAT, true, || bar.inc(1))?);
            }
        }
        bar.finish_and_clear();
        show(&executed)
    }
}

fn show(executed: &[Executed]) -> Result<Exit> {
    let mut table = result::table(&[
        "block",
        "runtime",
        "heap owner",
        "engine",
        "time",
        "memory",
        "host allocations",
        "host calls",
        "state root",
    ]);
    let mut worst = Exit::Success;
    for Executed { result, exit, version, host_calls } in executed {
        let mut row = block::row(result);
        let owner = match result.spec {
            Some("v1") => "runtime (v1)",
            Some("local") => "both (local)",
            Some(_) => "host (legacy)",
            None => "",
        };
        row[1] = owner.to_owned();
        row.insert(1, version.clone());
        if let Some(root) = row.last_mut() {
            *root = shorten(root);
        }
        row.insert(row.len() - 1, host_calls.map(|calls| calls.to_string()).unwrap_or_default());
        table.add_row(row);
        worst = worst.max(*exit);
    }
    result::print(&table)?;
    if executed.iter().any(|executed| executed.result.touched_bytes.is_some()) {
        anstream::println!(
            "\nMemory is what a block wrote of it at its peak: data, stack and heap, whoever owns that. Host calls are those of \
             all host functions, the allocator's among them."
        );
    }
    for Executed { result, .. } in executed {
        if let Some(error) = &result.error {
            exit::report(&anyhow::anyhow!("{}: {error}", result.name));
        }
    }
    Ok(worst)
}

/// The first and last digits of a root, enough to compare with a block explorer.
fn shorten(root: &str) -> String {
    match root.strip_suffix(" ✓") {
        Some(digits) if digits.len() == 66 => format!("{}…{} ✓", &digits[..8], &digits[60..]),
        _ => root.to_owned(),
    }
}

fn real_cases() -> Result<Vec<Case>> {
    let folder = specifications()?;
    BLOCKS
        .iter()
        .map(|(file, block)| {
            let path = folder.join(file);
            let json = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let mut case = Case::from_json(block.as_bytes())?;
            case.state = Some(State::from_json(&json).with_context(|| path.display().to_string())?);
            Ok(case)
        })
        .collect()
}

/// The folder with the chain specifications, fetched where it is not there yet.
fn specifications() -> Result<PathBuf> {
    let cache =
        heapbase_host::Cache::Standard.folder().context("there is no folder for cached files; set HEAPBASE_CACHE")?;
    let folder = cache.join("substrate-connect-0.3.18");
    if BLOCKS.iter().all(|(file, _)| folder.join(file).is_file()) {
        return Ok(folder);
    }
    fs::create_dir_all(&cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // Unpacked beside and renamed when complete, so that an interrupted download leaves nothing half done.
    let unpacked = tempfile::Builder::new().prefix(".demo-").tempdir_in(&cache)?;
    let tarball = pack(unpacked.path())?;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(&tarball)?));
    let ready = unpacked.path().join("specs");
    fs::create_dir(&ready)?;
    for entry in archive.entries().context("the package is not a tar archive")? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let wanted = BLOCKS.iter().find(|(file, _)| path == Path::new("package/dist/specs").join(file));
        if let Some((file, _)) = wanted {
            io::copy(&mut entry, &mut File::create(ready.join(file))?)?;
        }
    }
    if let Err(error) = fs::rename(&ready, &folder) {
        // Another process may have been faster.
        if !folder.is_dir() {
            return Err(error).with_context(|| format!("cannot make {}", folder.display()));
        }
    }
    match BLOCKS.iter().find(|(file, _)| !folder.join(file).is_file()) {
        Some((file, _)) => bail!("{PACKAGE} has no dist/specs/{file}"),
        None => Ok(folder),
    }
}

/// Lets npm fetch the package into `folder`; the archive's path.
fn pack(folder: &Path) -> Result<PathBuf> {
    let output = Command::new("npm")
        .args(["pack", "--silent", "--pack-destination"])
        .arg(folder)
        .arg(PACKAGE)
        .current_dir(folder)
        .output();
    let output = match output {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("npm is not installed; install Node.js, which brings it")
        }
        Err(error) => return Err(error).context("cannot start npm"),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no network?").to_owned();
        bail!("npm cannot fetch {PACKAGE}: {last}");
    }
    fs::read_dir(folder)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "tgz"))
        .context("npm said that it fetched the package, but there is no archive")
}

/// A block that adds to a ledger: the parent's root is in the state by construction, the root after is in the header.
fn small_case() -> Result<Case> {
    let code = wat::parse_str(SMALL_RUNTIME).context("the embedded runtime")?;
    let json = serde_json::json!({
        "top": { "0x3a636f6465": hex::encode(code), hex::encode("balance/alice"): "64", hex::encode("balance/bob"): "00" },
        "state_version": 1,
    });
    let state = State::from_json(json.to_string().as_bytes())?;
    let mut after = state.clone();
    after.insert(b"balance/alice", &[70]);
    after.insert(b"balance/bob", &[30]);
    let expected = after.root();
    // A header of its state root alone, then one transfer of 30.
    let mut input = expected.as_bytes().to_vec();
    input.push(30);
    Ok(Case {
        name: "small ledger".to_owned(),
        entry: "Core_execute_block".to_owned(),
        input,
        parent_state_root: None,
        expected_state_root: Some(expected),
        state: Some(state),
    })
}
