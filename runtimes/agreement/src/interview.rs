//! What ledgers are asked: about blocks, about making them, about everything else.

use crate::{
    chain::{self, EXISTENTIAL_DEPOSIT, Extrinsic, Header},
    metadata,
    model::{self, Ledger, Stop},
    question::{Answer, Expected, Prepared, Question},
    scene::{Draft, Scene},
    spoiled::{Fault, Garbled, Spoil},
};
use codec::{Compact, Encode};
use rand::{Rng, seq::SliceRandom};
use sp_core::H256;
use sp_runtime::{AccountId32, transaction_validity::TransactionValidityError};
use std::{collections::BTreeMap, rc::Rc};

/// A way to spoil a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// The block.
    Block(Spoil),
    /// An extrinsic that is refused.
    Fault(Fault),
    /// An extrinsic that does not decode.
    Garbled(Garbled),
    /// Bytes changed anywhere: what comes of it is only known to be the same for all.
    Mutated,
}

impl Way {
    /// All ways.
    pub fn all() -> Vec<Way> {
        let blocks = Spoil::ALL.iter().copied().map(Way::Block);
        let faults = Fault::ALL.iter().copied().map(Way::Fault);
        let garbled = Garbled::ALL.iter().copied().map(Way::Garbled);
        blocks.chain(faults).chain(garbled).chain([Way::Mutated]).collect()
    }
}

fn returned(bytes: Vec<u8>, root: H256) -> Expected {
    Expected::Exactly(Answer::Output { bytes, root })
}

fn ended(message: impl Into<String>) -> Expected {
    Expected::Exactly(Answer::Refused(message.into()))
}

fn garbled(entry: &str) -> Expected {
    ended(format!("{entry}: the input does not decode"))
}

/// A state and what is asked on it.
struct On {
    state: Rc<Prepared>,
    root: H256,
}

impl On {
    fn new(ledger: &Ledger) -> Self {
        On { root: ledger.root(), state: Prepared::new(ledger.clone()) }
    }

    fn ask(&self, about: impl Into<String>, entry: &'static str, input: Vec<u8>, expected: Expected) -> Question {
        Question { about: about.into(), entry, input, state: Rc::clone(&self.state), expected }
    }

    /// A call that changes nothing.
    fn read(&self, about: impl Into<String>, entry: &'static str, input: Vec<u8>, output: impl Encode) -> Question {
        self.ask(about, entry, input, returned(output.encode(), self.root))
    }
}

/// That a block is executed.
pub fn valid(scene: &Scene, draft: &Draft) -> Question {
    let about = format!("block {} of {} extrinsics", draft.header.number, draft.extrinsics.len());
    let expected = returned(vec![], draft.header.state_root);
    On::new(&scene.ledger).ask(about, "Core_execute_block", draft.encode(), expected)
}

/// That a block which is spoiled in this way is refused; nothing where the block has not what it takes.
pub fn spoiled(scene: &mut Scene, draft: &Draft, way: Way) -> Option<Question> {
    const ENTRY: &str = "Core_execute_block";
    let about = format!("block {}, {way:?}", draft.header.number);
    let on = |scene: &Scene| On::new(&scene.ledger);
    // Where an extrinsic goes that is not right.
    let position = scene.random.gen_range(1..=draft.extrinsics.len());
    Some(match way {
        Way::Block(spoil) => {
            let spoiled = spoil.make(scene, draft)?;
            let on = spoiled.ledger.as_ref().map_or_else(|| on(scene), On::new);
            on.ask(about, ENTRY, spoiled.input, ended(spoiled.message))
        }
        Way::Fault(fault) => {
            let mut before = scene.ledger.clone();
            before.initialise(&draft.header).expect("the draft is right");
            draft.extrinsics[..position].iter().for_each(|right| before.apply(right).expect("the draft is right"));
            let mut draft = draft.clone();
            let extrinsic = fault.make(scene, &before)?;
            let refused = before.apply(&extrinsic).expect_err("is refused").at(position);
            let message = format!("extrinsic {position}: {}", fault.reason());
            assert_eq!(refused, message, "{fault:?}: what the model says");
            draft.extrinsics.insert(position, extrinsic);
            on(scene).ask(about, ENTRY, draft.encode(), ended(message))
        }
        Way::Garbled(kind) => {
            let mut extrinsics: Vec<Vec<u8>> = draft.extrinsics.iter().map(Encode::encode).collect();
            extrinsics.insert(position, kind.bytes());
            let count = Compact(extrinsics.len() as u32);
            let input = [draft.header.encode(), count.encode(), extrinsics.concat()].concat();
            on(scene).ask(about, ENTRY, input, garbled(ENTRY))
        }
        Way::Mutated => {
            let mut input = draft.encode();
            for _ in 0..scene.random.gen_range(1..4) {
                let at = scene.random.gen_range(0..input.len());
                match scene.random.gen_range(0..4) {
                    0 => _ = input.remove(at),
                    1 => input.insert(at, scene.random.r#gen()),
                    _ => input[at] = scene.random.r#gen(),
                }
            }
            on(scene).ask(about, ENTRY, input, Expected::Agreement)
        }
    })
}

/// How a block comes to be: begun, filled extrinsic by extrinsic, with refused ones between, and ended.
pub fn building(scene: &mut Scene, draft: &Draft) -> Vec<Question> {
    const APPLY: &str = "BlockBuilder_apply_extrinsic";
    let number = draft.header.number;
    let mut ledger = scene.ledger.clone();
    let mut questions = Vec::new();
    // The author does not know the roots yet.
    let header = Header { state_root: H256::zero(), extrinsics_root: H256::zero(), ..draft.header.clone() };
    let before = On::new(&ledger);
    ledger.initialise(&header).expect("the draft is right");
    let begun = returned(vec![0], ledger.root());
    questions.push(before.ask(format!("beginning block {number}"), "Core_initialize_block", header.encode(), begun));
    let wrong = Header { parent_hash: H256::repeat_byte(1), ..header };
    let message = ended("block: the parent is another block");
    questions.push(before.ask("beginning on another parent", "Core_initialize_block", wrong.encode(), message));

    let missing = ended("block: the timestamp is missing");
    questions.push(On::new(&ledger).ask("ending too early", "BlockBuilder_finalize_block", vec![], missing));
    let mut faults = Fault::ALL.to_vec();
    faults.shuffle(&mut scene.random);
    for (index, extrinsic) in draft.extrinsics.iter().enumerate() {
        let before = On::new(&ledger);
        if index > 0
            && let Some(fault) = faults.pop()
            && let Some(refused) = fault.make(scene, &ledger)
        {
            let Err(Stop::Refused(reason, error)) = ledger.clone().apply(&refused) else {
                panic!("{fault:?} is not refused");
            };
            assert_eq!(reason, fault.reason(), "{fault:?}");
            questions.push(before.read(
                format!("{fault:?} for block {number}"),
                APPLY,
                refused.encode(),
                failed(error),
            ));
        }
        ledger.apply(extrinsic).expect("the draft is right");
        let expected = returned(vec![0, 0], ledger.root());
        questions.push(before.ask(format!("extrinsic {index} of block {number}"), APPLY, extrinsic.encode(), expected));
    }
    let kind = *Garbled::ALL.choose(&mut scene.random).expect("is not empty");
    questions.push(On::new(&ledger).ask(format!("{kind:?}"), APPLY, kind.bytes(), garbled(APPLY)));
    let before = On::new(&ledger);
    let made = ledger.finalise().expect("the draft is right");
    let expected = returned(made.encode(), ledger.root());
    questions.push(before.ask(format!("ending block {number}"), "BlockBuilder_finalize_block", vec![], expected));
    questions
}

/// `ApplyExtrinsicResult` of what is refused.
fn failed(error: TransactionValidityError) -> Result<Result<(), ()>, TransactionValidityError> {
    Err(error)
}

/// What a pool of transactions and an author ask on the state after a block.
pub fn around(scene: &mut Scene, draft: &Draft) -> Vec<Question> {
    const VALIDATE: &str = "TaggedTransactionQueue_validate_transaction";
    let ledger = scene.ledger.clone();
    let on = On::new(&ledger);
    let hash = ledger.last_hash().expect("the model has written it");
    let mut questions = Vec::new();

    let mut pool: Vec<(String, Extrinsic)> = Vec::new();
    pool.extend(scene.transfer(&ledger).map(|extrinsic| ("a transfer".into(), extrinsic)));
    for fault in Fault::ALL {
        pool.extend(fault.make(scene, &ledger).map(|extrinsic| (format!("{fault:?}"), extrinsic)));
    }
    pool.extend(draft.extrinsics.iter().map(|extrinsic| ("an extrinsic of the next block".into(), extrinsic.clone())));
    for (about, extrinsic) in pool {
        let validity = ledger.validate(&extrinsic, hash).expect("the state is right");
        let input = (scene.random.gen_range(0..3u8), &extrinsic, hash).encode();
        questions.push(on.read(format!("{about} in the pool"), VALIDATE, input, validity));
    }
    let extrinsic = &draft.extrinsics[0];
    questions.push(on.ask("an unknown source", VALIDATE, (3u8, extrinsic, hash).encode(), garbled(VALIDATE)));
    questions.push(on.ask("no hash", VALIDATE, (1u8, extrinsic).encode(), garbled(VALIDATE)));
    let kind = *Garbled::ALL.choose(&mut scene.random).expect("is not empty");
    let input = [&[1][..], &kind.bytes(), &hash.0].concat();
    questions.push(on.ask(format!("{kind:?} in the pool"), VALIDATE, input, garbled(VALIDATE)));

    for key in scene.keys.choose_multiple(&mut scene.random, 3) {
        let nonce = ledger.account(&key.id).expect("the model has written it").nonce;
        questions.push(on.read("a nonce", "AccountNonceApi_account_nonce", key.id.encode(), nonce));
    }

    let last = ledger.now().expect("the model has written it");
    for (about, now) in [("an earlier time", last), ("a later time", last + 5), ("the latest time", u64::MAX)] {
        let set = Extrinsic::new_bare_legacy(chain::set_timestamp(now.max(last + 1)));
        let data = inherent_data(Some(now.encode()));
        questions.push(on.read(about, "BlockBuilder_inherent_extrinsics", data, vec![set]));
    }
    let chain::RuntimeCall::Timestamp(chain::timestamp::Call::set { now }) = extrinsic.function else {
        panic!("the first extrinsic is the timestamp");
    };
    for (drift, fits) in [(30_000, true), (30_001, false), (u64::MAX, false)] {
        let data = inherent_data(Some(now.saturating_sub(drift).encode()));
        // A block of an early time cannot be far ahead.
        let fits = fits || now - now.saturating_sub(drift) <= 30_000;
        let result: &[u8] = if fits { b"\x01\x00\x00" } else { b"\x00\x01\x04timstap0\x04\x01" };
        let expected = returned(result.to_vec(), on.root);
        let input = [draft.encode(), data].concat();
        questions.push(on.ask(format!("{drift} ms ahead"), "BlockBuilder_check_inherents", input, expected));
    }
    let mut late = draft.clone();
    late.extrinsics.remove(0);
    let input = [late.encode(), inherent_data(Some(0u64.encode()))].concat();
    let expected = returned(vec![1, 0, 0], on.root);
    questions.push(on.ask("a block without a time", "BlockBuilder_check_inherents", input, expected));
    for (about, time) in [("no time", None), ("a time of 7 bytes", Some(vec![0; 7]))] {
        let data = inherent_data(time);
        let said = |entry: &str| ended(format!("{entry}: no timestamp among the inherent data"));
        let check = [draft.encode(), data.clone()].concat();
        let entry = "BlockBuilder_inherent_extrinsics";
        questions.push(on.ask(about, entry, data, said(entry)));
        let entry = "BlockBuilder_check_inherents";
        questions.push(on.ask(about, entry, check, said(entry)));
    }
    questions
}

fn inherent_data(time: Option<Vec<u8>>) -> Vec<u8> {
    let mut data = BTreeMap::from([(*b"auraslot", vec![1, 2, 3]), (*b"zzzzzzzz", vec![])]);
    data.extend(time.map(|time| (*b"timstap0", time)));
    data.encode()
}

/// What is the same on every state, and the first state.
pub fn once() -> Vec<Question> {
    let empty = On::new(&Ledger::default());
    let encoded = |version| metadata::encoded(version);
    let mut questions = vec![
        empty.read("the version", "Core_version", vec![], model::version()),
        empty.read("the metadata", "Metadata_metadata", vec![], encoded(14)),
        empty.read("its versions", "Metadata_metadata_versions", vec![], metadata::VERSIONS.to_vec()),
        empty.read("the presets", "GenesisBuilder_preset_names", vec![], vec!["development"]),
    ];
    for version in [0, 13, 14, 15, 16, u32::MAX] {
        let expected = metadata::VERSIONS.contains(&version).then(|| encoded(version));
        let about = format!("the metadata, version {version}");
        questions.push(empty.read(about, "Metadata_metadata_at_version", version.encode(), expected));
    }
    let development = include_bytes!("../../ledger/development.json").to_vec();
    let default = br#"{"scale":"0x00"}"#.to_vec();
    for (name, expected) in [
        (None, Some(default)),
        (Some("development"), Some(development.clone())),
        (Some("developmen"), None),
        (Some(""), None),
    ] {
        questions.push(empty.read(format!("preset {name:?}"), "GenesisBuilder_get_preset", name.encode(), expected));
    }
    questions.extend(genesis(&empty, development));
    questions.extend(not_decoded(&empty));
    questions
}

fn genesis(empty: &On, development: Vec<u8>) -> Vec<Question> {
    const ENTRY: &str = "GenesisBuilder_build_state";
    let id = |byte: u8| AccountId32::new([byte; 32]);
    let text = |scale: &[u8]| format!(r#"{{"scale":"0x{}"}}"#, hex::encode(scale)).into_bytes();
    let list = |accounts: &[(u8, u128)]| {
        text(&accounts.iter().map(|(byte, free)| (id(*byte), *free)).collect::<Vec<_>>().encode())
    };
    let built = |accounts: BTreeMap<AccountId32, u128>| returned(vec![0], Ledger::genesis(&accounts).root());
    let mut questions = Vec::new();
    let mut ask =
        |about: &str, text: Vec<u8>, expected| questions.push(empty.ask(about, ENTRY, text.encode(), expected));

    let well_known = sp_well_known().into_iter().map(|id| (id, 1_000_000_000_000_000_000)).collect();
    ask("the development state", development, built(well_known));
    ask("the state of nobody", text(&[0]), built(BTreeMap::new()));
    let most = u128::MAX - EXISTENTIAL_DEPOSIT;
    let two = [(1, EXISTENTIAL_DEPOSIT), (2, most)];
    ask("as much as can be", list(&two), built(two.map(|(byte, free)| (id(byte), free)).into()));
    let upper = String::from_utf8(list(&[(0xab, 0xabcdef)])).expect("is text").replace("ab", "AB");
    ask("upper case", upper.into_bytes(), built([(id(0xab), 0xabcdef)].into()));

    let error = |message: &str| returned(Err::<(), _>(message).encode(), empty.root);
    let form = || error(r#"genesis: not {"scale":"0x..."}"#);
    for other in ["", "{}", r#"{"scale":""}"#, r#"{"scale":"0x0"}"#, r#"{"scale":"0x0g"}"#, r#"{ "scale":"0x00"}"#] {
        ask(&format!("`{other}`"), other.into(), form());
    }
    ask("a line break", b"{\"scale\":\"0x00\"}\n".to_vec(), form());
    for scale in [&[][..], &[4], &[0, 0], &[1, 0], &[3, 255, 255, 255, 255]] {
        ask(&format!("SCALE {scale:?}"), text(scale), error("genesis: the SCALE does not decode"));
    }
    let order = || error("genesis: the accounts are not in ascending order");
    ask("twice the same", list(&[(1, 5_000), (1, 5_000)]), order());
    ask("descending", list(&[(2, 5_000), (1, 5_000)]), order());
    ask("descending and too little", list(&[(2, 5_000), (1, 1)]), order());
    let little = || error("genesis: a balance is below the existential deposit");
    ask("too little", list(&[(1, 5_000), (2, EXISTENTIAL_DEPOSIT - 1)]), little());
    ask("too little, then too much", list(&[(1, 999), (2, u128::MAX), (3, u128::MAX)]), little());
    let overflow = || error("genesis: the balances overflow");
    ask("too much", list(&[(1, EXISTENTIAL_DEPOSIT), (2, most + 1)]), overflow());
    ask("too much, then descending", list(&[(2, u128::MAX), (3, u128::MAX), (1, 5)]), overflow());
    questions
}

/// Alice, Bob, Charlie and Dave with their Sr25519 keys.
fn sp_well_known() -> [AccountId32; 4] {
    ["//Alice", "//Bob", "//Charlie", "//Dave"].map(|uri| {
        let pair = <sp_core::sr25519::Pair as sp_core::Pair>::from_string(uri, None).expect("is a known key");
        AccountId32::new(sp_core::Pair::public(&pair).0)
    })
}

/// Every entry, with a byte too many, and with none where it takes any.
fn not_decoded(on: &On) -> Vec<Question> {
    const WITHOUT: [&str; 5] = [
        "Core_version",
        "BlockBuilder_finalize_block",
        "Metadata_metadata",
        "Metadata_metadata_versions",
        "GenesisBuilder_preset_names",
    ];
    let header = Header {
        parent_hash: H256::zero(),
        number: 1,
        state_root: H256::zero(),
        extrinsics_root: H256::zero(),
        digest: Default::default(),
    };
    let timestamp = Extrinsic::new_bare_legacy(chain::set_timestamp(1));
    let data = inherent_data(Some(1u64.encode()));
    let block = (&header, vec![&timestamp]).encode();
    let with: [(&'static str, Vec<u8>); 10] = [
        ("Core_execute_block", block.clone()),
        ("Core_initialize_block", header.encode()),
        ("BlockBuilder_apply_extrinsic", timestamp.encode()),
        ("BlockBuilder_inherent_extrinsics", data.clone()),
        ("BlockBuilder_check_inherents", [block, data].concat()),
        ("Metadata_metadata_at_version", 14u32.encode()),
        ("TaggedTransactionQueue_validate_transaction", (0u8, &timestamp, H256::zero()).encode()),
        ("AccountNonceApi_account_nonce", vec![1; 32]),
        ("GenesisBuilder_build_state", b"{}".to_vec().encode()),
        ("GenesisBuilder_get_preset", Some("development").encode()),
    ];
    let mut questions: Vec<Question> =
        WITHOUT.iter().map(|entry| on.ask("a byte too many", entry, vec![0], garbled(entry))).collect();
    for (entry, input) in with {
        let shorter = input[..input.len() - 1].to_vec();
        let longer = [&input[..], &[0]].concat();
        for (about, input) in [("nothing", vec![]), ("a byte too few", shorter), ("a byte too many", longer)] {
            questions.push(on.ask(about, entry, input, garbled(entry)));
        }
    }
    questions.push(on.ask("option 2", "GenesisBuilder_get_preset", vec![2, 0], garbled("GenesisBuilder_get_preset")));
    questions
}
