//! What a row runs: a contestant in its own process, or a new process for every run.

use anyhow::{Context, Result, bail};
use bench_common::{
    Hello, Reply, Request, Work,
    stats::{Clock, Sample, sample},
};
use std::{
    cell::RefCell,
    ffi::OsString,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    rc::Rc,
};

/// What one run gave: the mean cost of one call, and the answer of the last.
pub type Ran = Result<(Sample, Vec<u8>), String>;

/// Does a row's work that often.
pub type Run<'a> = Box<dyn FnMut(u32) -> Ran + 'a>;

/// One contestant's way to do a row's work.
pub struct Runner<'a> {
    /// The column.
    pub name: String,
    /// Does the work that often.
    pub run: Run<'a>,
}

impl<'a> Runner<'a> {
    /// Fails where the answer is not this root.
    pub fn expecting(self, root: [u8; 32]) -> Self {
        let mut run = self.run;
        let run = move |calls| match run(calls) {
            Ok((_, found)) if found != root => {
                Err(format!("root 0x{}, expected 0x{}", hex::encode(found), hex::encode(root)))
            }
            ran => ran,
        };
        Runner { name: self.name, run: Box::new(run) }
    }
}

/// A contestant's process, kept for the whole run.
pub struct Peer {
    name: String,
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    /// What it is made of.
    pub hello: Hello,
}

impl Peer {
    /// Starts the program, which must serve requests.
    ///
    /// # Errors
    /// It does not start or does not say hello.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().with_context(|| format!("starting {name}"))?;
        let requests = process.stdin.take().context("its standard input")?;
        let mut replies = BufReader::new(process.stdout.take().context("its standard output")?);
        let hello = read(&mut replies).with_context(|| format!("{name} says no hello"))?;
        Ok(Self { name: name.to_owned(), process, requests, replies, hello })
    }

    /// Has the process do what is asked.
    ///
    /// # Errors
    /// The contestant's own words, or that its process ended.
    pub fn run(&mut self, request: &Request) -> Ran {
        match self.ask(request) {
            Ok(Reply::Done { sample, output }) => Ok((sample, output)),
            Ok(Reply::Failed(error)) => Err(error),
            Err(error) => Err(format!("{error:#}")),
        }
    }

    fn ask(&mut self, request: &Request) -> Result<Reply> {
        serde_json::to_writer(&mut self.requests, request)?;
        self.requests.write_all(b"\n")?;
        self.requests.flush()?;
        read(&mut self.replies).with_context(|| format!("{}: {:?}", self.name, self.process.try_wait()))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It also ends by itself when its standard input closes; a kill only spares the wait.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read<T: serde::de::DeserializeOwned>(from: &mut impl BufRead) -> Result<T> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        bail!("the process has ended");
    }
    Ok(serde_json::from_str(&line)?)
}

/// A runner that has `peer` do `work`, with a new executor each time where `fresh` says so.
pub fn served<'a>(peer: &Rc<RefCell<Peer>>, work: &Work, fresh: bool) -> Runner<'a> {
    let name = peer.borrow().name.clone();
    let (peer, work) = (Rc::clone(peer), work.clone());
    let run = move |calls| {
        let request = Request { work: work.clone(), calls, fresh, clock: Clock::Wall, processor: None };
        peer.borrow_mut().run(&request)
    };
    Runner { name, run: Box::new(run) }
}

/// A runner that has `peer` do `work` in processor time, in one round on one processor and in the next on another: what a
/// contestant has beside it on the machine is in no figure, and where two processors are not alike, all get their share of
/// both. The first two runs, which may compile, are on all of them.
pub fn alternating<'a>(peer: &Rc<RefCell<Peer>>, work: &Work) -> Runner<'a> {
    let name = peer.borrow().name.clone();
    let (peer, work) = (Rc::clone(peer), work.clone());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let mut runs = 0;
    let run = move |calls| {
        runs += 1;
        let processor = (runs > 2).then_some(runs % processors);
        peer.borrow_mut().run(&Request { work: work.clone(), calls, fresh: false, clock: Clock::Processor, processor })
    };
    Runner { name, run: Box::new(run) }
}

/// A runner that starts a process and waits for its end each time. The process prints its answer as hex.
pub fn process<'a>(name: &str, program: &Path, arguments: Vec<OsString>) -> Runner<'a> {
    let program = program.to_owned();
    let run = move |calls| {
        let mut output = Vec::new();
        let sample = sample(calls, Clock::Wall, || {
            output = answer(Command::new(&program).args(&arguments))?;
            Ok::<(), anyhow::Error>(())
        });
        sample.map(|sample| (sample, output)).map_err(|error| format!("{error:#}"))
    };
    Runner { name: name.to_owned(), run: Box::new(run) }
}

fn answer(command: &mut Command) -> Result<Vec<u8>> {
    let done = command.output().context("starting the process")?;
    if !done.status.success() {
        bail!("{}: {}", done.status, String::from_utf8_lossy(&done.stderr).trim());
    }
    hex::decode(done.stdout.trim_ascii()).context("its answer")
}
