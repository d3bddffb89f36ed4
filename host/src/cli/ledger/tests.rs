//! What people type to look into a ledger. It must never read a clock.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use clap::Parser;
use jiff::Timestamp;
use tribunal_ledger::Filter;

use super::super::args::{Cli, Command, LedgerAction, ListArgs};
use super::*;

fn parse(line: &str) -> Result<LedgerAction, clap::Error> {
    Cli::try_parse_from(line.split(' ')).map(|cli| {
        let Command::Ledger(args) = cli.command else { panic!("`{line}` is not `ledger`") };
        args.action
    })
}

fn list(line: &str) -> ListArgs {
    let LedgerAction::List(args) = parse(line).unwrap() else { panic!("`{line}` is not `list`") };
    args
}

fn filter(line: &str) -> anyhow::Result<Filter> {
    list::filter(&list(line).filter, "2026-03-08T12:00:00Z".parse::<Timestamp>().unwrap())
}

#[test]
fn times_are_days_points_and_so_long_ago() {
    for (text, expected) in [
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01T09:30:00Z", "2026-03-01T09:30:00.000Z"),
        ("2026-03-01T09:30:00+02:00", "2026-03-01T07:30:00.000Z"),
        ("24h", "2026-03-07T12:00:00.000Z"),
        ("7d", "2026-03-01T12:00:00.000Z"),
        ("1h30m", "2026-03-08T10:30:00.000Z"),
    ] {
        let since = filter(&format!("tribunal ledger list --since {text}")).unwrap().since.unwrap();
        assert_eq!(since.to_string(), expected, "{text}");
    }
    for text in ["yesterday", "-1h", "2026-13-01", "99999999999999d", "1"] {
        let error = filter(&format!("tribunal ledger list --since={text}")).unwrap_err().to_string();
        assert!(error.contains(&format!("`{text}` is no time")), "{error}");
    }
}

#[test]
fn a_number_is_a_record_and_anything_else_a_decision() {
    assert_eq!(wanted("41"), Wanted::Record(41));
    assert_eq!(wanted("18f3a-41"), Wanted::Decision("18f3a-41".to_owned()));
}

#[test]
fn a_proof_is_checked_with_a_key_and_without_a_ledger() {
    assert!(parse("tribunal ledger verify --proof p --key k").is_ok());
    for line in [
        "ledger verify --proof p",
        "ledger verify --proof p --key k --dir d",
        "ledger list --dir d --config c",
        "ledger show",
        "ledger",
    ] {
        assert!(parse(&format!("tribunal {line}")).is_err(), "{line}");
    }
}
