//! A forger with all the time in the world, and without the key: whatever is done to what was signed is found, and the first
//! record that is wrong is named. `TRIBUNAL_MUTATIONS=10000` makes it as many.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tribunal_ledger::{Digest, Finding, PublicKey, check};

use crate::place::{Place, Tree, lines};

/// In ordinary tests; each takes a few milliseconds.
const MUTATIONS: u64 = 400;
const RECORDS: usize = 70;

/// The generator of Vigna's SplitMix64: small, and the same everywhere.
struct Chance(u64);

/// What was done, and the record that must be named for it, if one must.
struct Done {
    what: String,
    record: Option<u64>,
}

// === impl Chance ===

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

fn named(tree: &Tree, ending: &str) -> Vec<PathBuf> {
    tree.keys().filter(|name| name.to_str().unwrap().ends_with(ending)).cloned().collect()
}

fn seq_of(line: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap();
    value["seq"].as_u64().unwrap()
}

fn flip(bytes: &mut [u8], chance: &mut Chance) -> usize {
    let at = chance.below(bytes.len() * 8);
    bytes[at / 8] ^= 1 << (at % 8);
    at / 8
}

/// Changes one thing about the records.
fn mutate_lines(tree: &mut Tree, chance: &mut Chance) -> Done {
    let segments = named(tree, ".jsonl");
    let name = chance.pick(&segments).clone();
    let bytes = tree.get_mut(&name).unwrap();
    let mut all = lines(bytes);
    let at = chance.below(all.len());
    let seq = seq_of(&all[at]);
    let (what, record) = match chance.below(9) {
        0..=2 => {
            flip(&mut all[at], chance);
            ("a bit of a record", seq)
        }
        4 => {
            let line = all[at].clone();
            all.insert(at, line);
            ("a record doubled", seq + 1)
        }
        5 if all.len() > 1 => {
            let other = (at + 1 + chance.below(all.len() - 1)) % all.len();
            let first = seq_of(&all[at.min(other)]);
            all.swap(at, other);
            ("two records swapped", first)
        }
        3 | 5 => {
            all.remove(at);
            ("a record dropped", seq)
        }
        6 => {
            let keep = chance.below(all[at].len() - 1);
            all[at].truncate(keep);
            ("a record truncated", seq)
        }
        7 => {
            let end = chance.below(bytes.len());
            let mut kept = lines(&bytes[..end]);
            let first = seq_of(&all[0]);
            if kept.last().is_some_and(|line| line.last() != Some(&b'\n')) {
                kept.pop();
            }
            all = lines(&bytes[..end]);
            ("a segment truncated", first + u64::try_from(kept.len()).unwrap())
        }
        _ => {
            let text = String::from_utf8(all[at].clone()).unwrap();
            all[at] = text.replacen("2026-", "2025-", 1).into_bytes();
            ("a record rewritten", seq)
        }
    };
    *tree.get_mut(&name).unwrap() = all.concat();
    Done { what: format!("{what} in {}", name.display()), record: Some(record) }
}

/// A forger who knows how the chain is made: from one record on everything is made anew, hashes and all.
fn rewrite(tree: &mut Tree, chance: &mut Chance) -> Done {
    let segments = named(tree, ".jsonl");
    let from = chance.below(segments.len());
    let mut prev: Option<String> = None;
    let mut begun = false;
    for name in segments.iter().skip(from) {
        let mut all = lines(&tree[name]);
        let at = if begun { 0 } else { chance.below(all.len()) };
        let mut leaves = Vec::new();
        for (place, line) in all.iter_mut().enumerate() {
            let mut text = String::from_utf8(line.clone()).unwrap();
            if let Some(prev) = &prev {
                let begin = text.find("\"prev\":\"").unwrap() + 8;
                text.replace_range(begin..begin + 64, prev);
            }
            if !begun && place == at {
                text = text.replacen("2026-", "2025-", 1);
                begun = true;
            }
            let leaf = Digest::of(&[&[0], text.trim_end().as_bytes()].concat());
            prev = begun.then(|| leaf.to_string());
            leaves.extend(leaf.as_bytes());
            *line = text.into_bytes();
        }
        tree.insert(name.clone(), all.concat());
        tree.insert(name.with_extension("leaves"), leaves);
    }
    Done { what: "everything rewritten from a record on".to_owned(), record: None }
}

/// Changes one thing about what records refer to.
fn mutate_objects(tree: &mut Tree, chance: &mut Chance) -> Done {
    let packs = named(tree, ".pack");
    let objects: Vec<PathBuf> = tree.keys().filter(|name| name.starts_with("objects")).cloned().collect();
    let (pack, object) = (chance.pick(&packs).clone(), chance.pick(&objects).clone());
    let what = match chance.below(6) {
        0 => {
            flip(tree.get_mut(&pack).unwrap(), chance);
            "a bit of a case"
        }
        1 => {
            let bytes = tree.get_mut(&pack).unwrap();
            let frames = frames(bytes);
            let (at, from) = (chance.below(frames.len()), chance.below(frames.len()));
            let name = if frames[at] == frames[from] { vec![0; 32] } else { frames[at][4..36].to_vec() };
            // Another case under the name of this one.
            let mut forged = frames.clone();
            forged[at] = [&frames[from][..4], &name, &frames[from][36..]].concat();
            *bytes = forged.concat();
            "a case replaced by another"
        }
        2 => {
            let bytes = tree.get_mut(&pack).unwrap();
            let mut frames = frames(bytes);
            let at = chance.below(frames.len());
            frames.remove(at);
            *bytes = frames.concat();
            "a case dropped"
        }
        3 => {
            flip(tree.get_mut(&object).unwrap(), chance);
            "a bit of a plugin"
        }
        4 => {
            let other = objects.iter().find(|other| **other != object).unwrap().clone();
            let bytes = tree[&other].clone();
            tree.insert(object, bytes);
            "a plugin replaced by another"
        }
        _ => {
            tree.remove(&object);
            "a plugin dropped"
        }
    };
    Done { what: what.to_owned(), record: None }
}

fn frames(pack: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut frames) = (pack, Vec::new());
    while rest.len() >= 36 {
        let length = usize::try_from(u32::from_le_bytes(rest[..4].try_into().unwrap())).unwrap();
        let (frame, more) = rest.split_at(36 + length);
        frames.push(frame.to_vec());
        rest = more;
    }
    frames
}

/// Changes one thing about whole files, and about what vouches for them.
fn mutate_files(tree: &mut Tree, chance: &mut Chance) -> Done {
    let segments = named(tree, ".jsonl");
    let notes: Vec<PathBuf> =
        tree.keys().filter(|name| name.to_str().unwrap().ends_with("checkpoint")).cloned().collect();
    let leaves = named(tree, ".leaves");
    let mut what = String::new();
    match chance.below(5) {
        0 => {
            let name = chance.pick(&notes).clone();
            flip(tree.get_mut(&name).unwrap(), chance);
            write!(what, "a bit of {}", name.display()).unwrap();
        }
        1 => {
            let name = chance.pick(&leaves).clone();
            flip(tree.get_mut(&name).unwrap(), chance);
            write!(what, "a bit of {}", name.display()).unwrap();
        }
        2 => {
            let name = chance.pick(&segments).clone();
            tree.remove(&name);
            tree.remove(&name.with_extension("leaves"));
            write!(what, "{} and its hashes deleted", name.display()).unwrap();
        }
        3 => {
            let (one, other) = (chance.pick(&segments).clone(), chance.pick(&segments).clone());
            let other = if one == other { segments[usize::from(one == segments[0])].clone() } else { other };
            let (first, second) = (tree[&one].clone(), tree[&other].clone());
            tree.insert(one, second);
            tree.insert(other, first);
            what.push_str("two segments swapped");
        }
        _ => {
            // The last segment, and the checkpoint of the one before in the place of the newest.
            let last = segments.last().unwrap().clone();
            let before = segments[segments.len() - 2].with_extension("checkpoint");
            let older = tree[&before].clone();
            tree.remove(&before);
            let kept = chance.below(2) == 0;
            if kept {
                tree.remove(&PathBuf::from("checkpoint"));
            } else {
                let mut cut = older;
                let end = cut.len() - 1;
                cut.truncate(end);
                tree.insert(PathBuf::from("checkpoint"), cut);
            }
            tree.remove(&last);
            what.push_str("the last segment and the newest checkpoint deleted");
        }
    }
    Done { what, record: None }
}

/// Writes what differs, checks, and puts it back.
fn findings(place: &Place, key: &PublicKey, right: &Tree, wrong: &Tree) -> Vec<Finding> {
    let names: BTreeSet<&PathBuf> = right.keys().chain(wrong.keys()).collect();
    let differing: Vec<&PathBuf> = names.into_iter().filter(|name| right.get(*name) != wrong.get(*name)).collect();
    let put = |tree: &Tree, name: &Path| match tree.get(name) {
        Some(bytes) => fs::write(place.path().join(name), bytes).unwrap(),
        None => fs::remove_file(place.path().join(name)).unwrap(),
    };
    assert!(!differing.is_empty(), "nothing was changed");
    differing.iter().for_each(|name| put(wrong, name));
    let findings = check(place.path(), key, None).unwrap().findings;
    differing.iter().for_each(|name| put(right, name));
    findings
}

#[tokio::test]
async fn n8_whatever_is_done_to_what_was_signed_is_found_and_the_first_bad_record_named() {
    let place = Place::with(RECORDS).await;
    let (right, key) = (place.tree(), place.key());
    assert!(named(&right, ".jsonl").len() >= 3, "there are several segments");
    assert_eq!(place.findings(), []);
    let mutations = std::env::var("TRIBUNAL_MUTATIONS").map_or(MUTATIONS, |text| text.parse().unwrap());
    for seed in 0..mutations {
        let mut chance = Chance(seed);
        let mut wrong = right.clone();
        let done = match chance.below(10) {
            0..=5 => mutate_lines(&mut wrong, &mut chance),
            6 => rewrite(&mut wrong, &mut chance),
            7 | 8 => mutate_objects(&mut wrong, &mut chance),
            _ => mutate_files(&mut wrong, &mut chance),
        };
        let found = findings(&place, &key, &right, &wrong);
        assert!(!found.is_empty(), "seed {seed}: {} was not found", done.what);
        if done.record.is_some() {
            assert_eq!(found[0].record, done.record, "seed {seed}: {}: {found:#?}", done.what);
        }
    }
    assert_eq!(place.findings(), [], "all was put back");
}
