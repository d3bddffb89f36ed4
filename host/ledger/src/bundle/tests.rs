//! What goes into a bundle, and how much. They must never write one.
#![expect(clippy::unwrap_used, reason = "tests")]

use tribunal_core::Timestamp;
use tribunal_core::record::{Lifecycle, Record};
use tribunal_ports::Ledger as _;

use super::write::choose;
use super::*;
use crate::Ledger;

#[tokio::test]
async fn more_records_than_a_bundle_has_are_refused_before_anything_is_written() {
    let root = tempfile::tempdir().unwrap();
    let (ledger, _) = Ledger::open(root.path()).unwrap();
    for minute in 0..5 {
        let at = Timestamp::from_millis(1_772_357_400_000 + minute * 60_000);
        let record = Record::Lifecycle { at, what: Lifecycle::Started, detail: String::new() };
        ledger.append(record).await.unwrap();
    }
    let everything = Question::default();
    assert_eq!(choose(root.path(), &everything, 5).unwrap().len(), 5);
    let refused = choose(root.path(), &everything, 4).err().unwrap();
    assert!(matches!(refused, BundleError::TooMany { count: 5, max: 4 }), "{refused}");
    assert_eq!(refused.to_string(), "5 records fit, and a bundle has at most 4: ask for less time");
}
