//! Prints a block and its events, for clients to read: JSON with hexadecimal header, extrinsics and events.

use codec::Encode;
use ledger_agreement::{model::key, scene::Scene};

fn main() {
    let mut scene = Scene::new(11);
    let draft = scene.draft(20);
    scene.follow(&draft);
    let hexed = |bytes: &[u8]| format!("\"0x{}\"", hex::encode(bytes));
    let extrinsics: Vec<String> = draft.extrinsics.iter().map(|extrinsic| hexed(&extrinsic.encode())).collect();
    println!(
        "{{\"header\": {}, \"extrinsics\": [{}], \"events\": {}}}",
        hexed(&draft.header.encode()),
        extrinsics.join(", "),
        hexed(&scene.ledger.storage[&key("System", "Events")])
    );
}
