//! The ledgers of `runtimes/` on hosts that know nothing of heapbase: the same blocks, states and refusals as everywhere.
//!
//! sc-executor is asked everything. smoldot, whose interface shows no state, executes the blocks: it computes the state's
//! root for the runtime, which compares it with the header's.

use anyhow::{Context, Result, bail};
use bench_common::{Request, Work, material::Runtime, stats::Clock};
use bench_host::{contestants::peer, runners::Peer, state};
use codec::Encode;
use ledger_agreement::{
    languages::{LANGUAGES, Language},
    question::{Answer, Expected, Question},
    session::Session,
};
use sc_executor::{WasmExecutor, error::Error};
use sp_core::{
    Blake2Hasher,
    storage::{StateVersion, Storage},
    traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
};
use sp_externalities::Extensions;
use sp_state_machine::{Ext, InMemoryBackend, OverlayedChanges};
use std::{
    cell::RefCell,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// The allocator spec that runs on every host.
const SPEC: &str = "local";
/// What smoldot is asked, beside the blocks that are right, in the same order as everyone.
const EXECUTE: &str = "Core_execute_block";
/// After so many differences the rest is only counted.
const SHOWN: usize = 20;

/// A ledger on both hosts.
struct Subject {
    language: Language,
    file: PathBuf,
    runtime: Runtime,
    theirs: WasmExecutor<sp_io::SubstrateHostFunctions>,
    smoldot: Option<RefCell<Peer>>,
}

impl Subject {
    fn load(language: Language, smoldot: Option<&Path>) -> Result<Self> {
        let file = language.file(SPEC);
        let runtime =
            Runtime::read(&file).with_context(|| format!("build it with runtimes/{}/build", language.folder))?;
        let smoldot = smoldot.map(|program| Peer::start("smoldot", Command::new(program).args(["serve", "wasmtime"])));
        Ok(Subject {
            language,
            file,
            runtime,
            theirs: peer::sc_executor(None),
            smoldot: smoldot.transpose()?.map(RefCell::new),
        })
    }

    /// Asks sc-executor.
    fn ask(&self, question: &Question, backend: &InMemoryBackend<Blake2Hasher>) -> Answer {
        let fetcher = WrappedRuntimeCode(self.runtime.code.as_slice().into());
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.runtime.hash.to_vec() };
        let mut overlay = OverlayedChanges::<Blake2Hasher>::default();
        let mut extensions = Extensions::default();
        let mut ext = Ext::new(&mut overlay, backend, Some(&mut extensions));
        let context = CallContext::Onchain { import: true };
        let (answer, _) = self.theirs.call(&mut ext, &code, question.entry, &question.input, context);
        match answer {
            Ok(bytes) => match overlay.drain_storage_changes(backend, StateVersion::V1) {
                Ok(changes) => Answer::Output { bytes, root: changes.transaction_storage_root },
                Err(error) => Answer::Broken(error),
            },
            Err(Error::AbortedDueToPanic(error)) => Answer::Refused(error.message),
            Err(error) => Answer::Broken(error.to_string()),
        }
    }

    /// Asks smoldot for a block; nothing where it answers as it has to.
    fn ask_smoldot(&self, question: &Question, case: &Path, backend: &InMemoryBackend<Blake2Hasher>) -> Option<String> {
        let smoldot = self.smoldot.as_ref()?;
        let request = Request {
            work: Work::Block {
                case: case.to_owned(),
                runtime: Some(self.file.clone()),
                parent_state_root: backend.root().0,
                proof: case.with_extension("proof"),
            },
            calls: 1,
            fresh: false,
            clock: Clock::Wall,
            processor: None,
        };
        let answer = smoldot.borrow_mut().run(&request);
        match (&question.expected, answer) {
            (Expected::Exactly(Answer::Output { .. }), Ok(_)) => None,
            (Expected::Exactly(Answer::Refused(message)), Err(words)) if words.contains(message.as_str()) => None,
            (expected, answer) => Some(format!("{answer:?}; expected: {expected:?}")),
        }
    }
}

/// Asks every ledger on both hosts, and says where one of them does not answer as it has to.
///
/// # Errors
/// A ledger was not built, or smoldot's process ends.
pub fn run(session: Session, smoldot: Option<&Path>) -> Result<ExitCode> {
    let subjects =
        LANGUAGES.into_iter().map(|language| Subject::load(language, smoldot)).collect::<Result<Vec<_>>>()?;
    let scratch = tempfile::tempdir()?;
    let (mut asked, mut asked_smoldot, mut differences) = (0_usize, 0_usize, 0_usize);
    let summary = session.run(|question| -> Result<()> {
        let storage = Storage { top: question.state.ledger.storage.clone(), ..Storage::default() };
        let backend = InMemoryBackend::<Blake2Hasher>::from((storage, StateVersion::V1));
        let for_smoldot = smoldot.is_some() && question.entry == EXECUTE && question.expected != Expected::Agreement;
        let case = scratch.path().join(format!("{asked}.json"));
        if for_smoldot {
            write_case(question, &case)?;
            std::fs::write(case.with_extension("proof"), state::full_proof(&backend))?;
        }
        let mut first = None;
        for subject in &subjects {
            asked += 1;
            let answer = subject.ask(question, &backend);
            let first = first.get_or_insert_with(|| answer.clone());
            let mut faults = vec![("sc-executor", question.fault(&answer, first))];
            if for_smoldot {
                asked_smoldot += 1;
                faults.push(("smoldot", subject.ask_smoldot(question, &case, &backend)));
            }
            for (host, fault) in faults {
                let Some(fault) = fault else { continue };
                differences += 1;
                if differences <= SHOWN {
                    println!("{} on {host}: {}: {}:\n  {fault}", subject.language.name, question.entry, question.about);
                }
            }
        }
        if for_smoldot {
            std::fs::remove_file(&case)?;
            std::fs::remove_file(case.with_extension("proof"))?;
        }
        Ok(())
    })?;
    if asked == 0 || smoldot.is_some() && asked_smoldot == 0 {
        bail!("nothing was asked");
    }
    println!(
        "{} ledgers under {SPEC}: {} transfers, {} ways to spoil a block; {asked} calls of sc-executor, {asked_smoldot} blocks on \
         smoldot, {differences} differences",
        subjects.len(),
        summary.transfers,
        summary.tried.len(),
    );
    Ok(if differences == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The question in a case's form.
fn write_case(question: &Question, file: &Path) -> Result<()> {
    let hexed = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
    let top: serde_json::Map<String, serde_json::Value> =
        question.state.ledger.storage.iter().map(|(key, value)| (hexed(key), hexed(value).into())).collect();
    let root = match &question.expected {
        Expected::Exactly(Answer::Output { root, .. }) => root.encode(),
        _ => vec![0; 32],
    };
    let case = serde_json::json!({
        "entry": question.entry,
        "input": hexed(&question.input),
        "state_version": 1,
        "expected_state_root": hexed(&root),
        "top": top,
    });
    Ok(std::fs::write(file, serde_json::to_vec(&case)?)?)
}
