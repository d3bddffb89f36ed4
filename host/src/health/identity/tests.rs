//! Lives of identities, told by hand.

use super::*;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The so manieth identity, issued at `from` for `life` seconds.
fn identity(renewals: u64, from: u64, life: u64) -> Seen {
    Seen {
        user: "bot-tribunal".to_owned(),
        // As Teleport does it.
        begins: Timestamp::from_secs(from - BACKDATED_SECS),
        expires: Timestamp::from_secs(from + life),
        renewals,
        problem: None,
    }
}

fn unusable(seen: &Seen) -> Seen {
    Seen { problem: Some("does not exist".to_owned()), ..seen.clone() }
}

/// What is said when a life is looked at after each of these seconds, all in one.
fn told<const N: usize>(state: &mut State, seen: &Seen, from: u64, after: [u64; N]) -> Vec<Told> {
    after.iter().flat_map(|secs| state.consider(seen, Timestamp::from_secs(from + secs))).collect()
}

fn soon(secs: u64) -> Told {
    Told::Soon(Duration::from_secs(secs))
}

#[test]
fn what_is_renewed_in_time_is_told_once_for_each_certificate() {
    let mut state = State::default();
    assert_eq!(told(&mut state, &identity(0, DAY, HOUR), DAY, [0, 60, 20 * MINUTE]), [Told::Fresh]);
    assert_eq!(told(&mut state, &identity(1, DAY + 1_200, HOUR), DAY, [1_200, 1_260]), [Told::Fresh]);
}

#[test]
fn what_is_not_renewed_is_told_at_each_threshold_and_when_it_expires() {
    let mut state = State::default();
    let seen = identity(0, DAY, HOUR);
    let before = [0, 49 * MINUTE];
    assert_eq!(told(&mut state, &seen, DAY, before), [Told::Fresh]);
    let after = [50 * MINUTE, 51 * MINUTE, 59 * MINUTE, 59 * MINUTE + 1];
    assert_eq!(told(&mut state, &seen, DAY, after), [soon(600), soon(60)]);
    assert_eq!(told(&mut state, &seen, DAY, [HOUR, 2 * HOUR, 30 * HOUR]), [Told::Expired], "once");
    assert_eq!(told(&mut state, &identity(1, 3 * DAY, HOUR), 3 * DAY, [0]), [Told::Fresh], "by itself");
}

#[test]
fn thresholds_suit_the_length_of_a_life() {
    for (life, expected) in [
        (365 * DAY, vec![7 * DAY, DAY, HOUR, 600, 60]),
        (30 * DAY, vec![7 * DAY, DAY, HOUR, 600, 60]),
        (DAY, vec![HOUR, 600, 60]),
        (HOUR, vec![600, 60]),
        (30 * MINUTE, vec![60]),
        // Short lives are not always nearly over.
        (20, vec![5]),
        (0, vec![0]),
    ] {
        let expected: Vec<Duration> = expected.into_iter().map(Duration::from_secs).collect();
        assert_eq!(identity(0, DAY, life).thresholds(), expected, "{life}");
    }
}

#[test]
fn each_threshold_is_told_when_it_is_reached_and_not_later() {
    let seen = identity(0, DAY, HOUR);
    let next = |secs| seen.next_told(Timestamp::from_secs(DAY + secs));
    assert_eq!(next(0), Timestamp::from_secs(DAY + 50 * MINUTE));
    assert_eq!(next(50 * MINUTE), Timestamp::from_secs(DAY + 59 * MINUTE));
    assert_eq!(next(59 * MINUTE), Timestamp::from_secs(DAY + HOUR));
    assert_eq!(next(HOUR), Timestamp::from_millis(u64::MAX), "it is over");
}

#[test]
fn a_start_late_in_a_life_is_told_at_once_and_only_the_most_urgent() {
    let mut state = State::default();
    let seen = identity(0, DAY, 30 * DAY);
    assert_eq!(told(&mut state, &seen, DAY, [30 * DAY - 2 * HOUR]), [Told::Fresh, soon(DAY)]);
    assert_eq!(told(&mut state, &seen, DAY, [30 * DAY - 30]), [soon(60)]);
}

#[test]
fn a_file_that_is_gone_for_a_while_is_told_once_and_the_certificate_of_before_counts() {
    let mut state = State::default();
    let seen = identity(0, DAY, HOUR);
    assert_eq!(told(&mut state, &seen, DAY, [0]), [Told::Fresh]);
    assert_eq!(told(&mut state, &unusable(&seen), DAY, [5, 10, 15]), [Told::Unusable("does not exist".to_owned())]);
    assert_eq!(told(&mut state, &seen, DAY, [20, 25]), [Told::Usable]);
    let ends = [soon(600), Told::Unusable("does not exist".to_owned()), soon(60), Told::Expired];
    assert_eq!(told(&mut state, &unusable(&seen), DAY, [51 * MINUTE, 59 * MINUTE, HOUR, 2 * HOUR]), ends);
    assert_eq!(
        told(&mut state, &identity(1, 2 * DAY, HOUR), 2 * DAY, [0, 1]),
        [Told::Fresh],
        "and nothing of the file"
    );
}
