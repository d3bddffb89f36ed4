//! Decisions and the ledger that keeps them, made by number as the cases are. It must never need a daemon.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tribunal_core::hearing::{self, Hearing};
use tribunal_core::opinion::PanelId;
use tribunal_core::record::{Decided, DecisionId, Record};
use tribunal_ledger::{Ledger, PanelParts, PolicyParts};
use tribunal_ports::Ledger as _;

use super::made::case;
use super::native::{Natives, member};

/// The decision that a panel makes about the case of this number; now and then about held requests alone.
pub(crate) fn decided(number: u64, natives: &Natives) -> Decided {
    let case = Arc::new(case(number));
    let request = (number % 7 != 3).then(|| case.requests.last().unwrap().request.clone());
    let heard = match &request {
        Some(request) => hearing::judge(&natives.members, &case, &request.id, &mut &*natives),
        None => hearing::put_in_order(&natives.members, &case, &mut &*natives),
    };
    let Hearing { evaluations, enforcements, orders: _, decision } = heard;
    Decided {
        id: DecisionId::new(format!("18f3a-{number}")),
        at: case.now,
        user: case.subject.name.clone(),
        request,
        reason: decision.as_ref().map(|decision| decision.because.reason()).unwrap_or_default(),
        decision,
        evaluations,
        enforcements,
        locks: Vec::new(),
        releases: Vec::new(),
        panel: None,
        case: Some(case),
        dry_run: false,
    }
}

/// The parts of a panel of the reference policies, as a ledger keeps them: name and settings.
pub(crate) fn parts(policies: &[(&str, &str)]) -> PanelParts {
    let wasm = |name: &str| match name {
        "cap" => tribunal_plugins::CAP.to_vec(),
        _ => tribunal_plugins::SEPARATION.to_vec(),
    };
    let policies = policies.iter().map(|(name, settings)| PolicyParts {
        member: member(name),
        version: "0.1.0".to_owned(),
        wasm: wasm(name),
        settings: (*settings).to_owned(),
        limits: BTreeMap::from([("deadline_ms".to_owned(), 50), ("memory_bytes_max".to_owned(), 16 * 1024 * 1024)]),
    });
    PanelParts { host: "0.1.0".to_owned(), policies: policies.collect() }
}

/// A new ledger in this directory, and the name of this panel in it.
pub(crate) fn open(directory: &Path, panel: PanelParts) -> (Ledger, PanelId) {
    let ledger = Ledger::open(directory).unwrap().0;
    let panel = ledger.store(panel).unwrap();
    (ledger, panel)
}

/// Writes decisions of this panel, many at once.
pub(crate) async fn write(ledger: &Ledger, panel: &PanelId, decisions: impl Iterator<Item = Decided>) {
    let mut under_way = std::collections::VecDeque::new();
    for decided in decisions {
        under_way
            .push_back(ledger.append(Record::Decided(Box::new(Decided { panel: Some(panel.clone()), ..decided }))));
        if under_way.len() >= 2_048 {
            under_way.pop_front().unwrap().await.unwrap();
        }
    }
    for append in under_way {
        append.await.unwrap();
    }
}
