//! A call, and what has to come of it.

use crate::{languages::Subject, model::Ledger};
use heapbase_host::{Error, State};
use sp_core::H256;
use std::{cell::OnceCell, fmt, rc::Rc};

/// A call on a state.
#[derive(Clone)]
pub struct Question {
    /// What is asked, in words.
    pub about: String,
    /// The entry point.
    pub entry: &'static str,
    /// Its input.
    pub input: Vec<u8>,
    /// The state it runs on.
    pub state: Rc<Prepared>,
    /// What has to come of it.
    pub expected: Expected,
}

/// A state, put into the host's form when it is first needed.
pub struct Prepared {
    /// As the model has it.
    pub ledger: Ledger,
    state: OnceCell<State>,
}

impl Prepared {
    /// A state for questions.
    pub fn new(ledger: Ledger) -> Rc<Self> {
        Rc::new(Prepared { ledger, state: OnceCell::new() })
    }

    /// In the host's form.
    pub fn state(&self) -> &State {
        self.state.get_or_init(|| self.ledger.state())
    }
}

/// What has to come of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This answer.
    Exactly(Answer),
    /// The same of all; what it is, is not known beforehand.
    Agreement,
}

/// What came of a call.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// It returned.
    Output {
        /// What it returned.
        bytes: Vec<u8>,
        /// The root of the state after it.
        root: H256,
    },
    /// It ended with this message.
    Refused(String),
    /// It ended otherwise. Never right, and in nobody's words.
    Broken(String),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Answer::Output { bytes, root } => {
                let text = hex::encode(bytes);
                let (shown, rest) = text.split_at(text.len().min(120));
                write!(f, "returned {shown}{} with the state's root {root:?}", if rest.is_empty() { "" } else { "…" })
            }
            Answer::Refused(message) => write!(f, "ended with \"{message}\""),
            Answer::Broken(error) => write!(f, "broke: {error}"),
        }
    }
}

impl Question {
    /// Asks a ledger on our host.
    pub fn ask(&self, subject: &Subject) -> Answer {
        match subject.runtime.call(self.entry, &self.input).on(self.state.state()) {
            Ok(outcome) => Answer::Output { root: outcome.state_root(), bytes: outcome.output },
            Err(Error::Call(error)) => match error.panic_message {
                Some(message) => Answer::Refused(message),
                None => Answer::Broken(error.to_string()),
            },
            Err(error) => Answer::Broken(error.to_string()),
        }
    }

    /// What is wrong with an answer, where something is; `first` is the answer of the first that was asked.
    pub fn fault(&self, answer: &Answer, first: &Answer) -> Option<String> {
        let expected = match &self.expected {
            Expected::Exactly(expected) => expected,
            Expected::Agreement => first,
        };
        match answer {
            Answer::Broken(error) => Some(error.clone()),
            _ if answer == expected => None,
            _ => Some(format!("{answer:?}; expected: {expected:?}")),
        }
    }
}
