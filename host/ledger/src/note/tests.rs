//! Signed notes against those of Go's `note` package, and against every way to spoil one. It must never sign with a key
//! that counts.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use super::*;

/// From the documentation of Go's package `golang.org/x/mod/sumdb/note`.
const GO_SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_TEXT: &str =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

fn key(number: u8) -> SecretKey {
    SecretKey::new("tribunal/test", [number; 32]).unwrap()
}

#[test]
fn keys_and_notes_are_those_of_go() {
    let secret = SecretKey::parse(GO_SECRET).unwrap();
    assert_eq!(secret.to_text().trim(), GO_SECRET);
    assert_eq!(secret.public().to_string(), GO_PUBLIC);
    assert_eq!(secret.sign(GO_TEXT), GO_NOTE);
    assert_eq!(PublicKey::parse(GO_PUBLIC).unwrap().open(GO_NOTE), Ok(GO_TEXT));
}

#[test]
fn any_bit_that_changes_spoils_a_note() {
    let public = PublicKey::parse(GO_PUBLIC).unwrap();
    for at in 0..GO_NOTE.len() * 8 {
        let mut bytes = GO_NOTE.as_bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        if let Ok(note) = std::str::from_utf8(&bytes) {
            assert!(public.open(note).is_err(), "bit {at}");
        }
    }
}

#[test]
fn signatures_of_others_are_passed_over_and_do_not_count() {
    let (ours, other) = (key(1), key(2));
    let note = ours.sign("a\n");
    let both = format!("{note}{}", other.sign("a\n").split_once("\n\n").unwrap().1);
    assert_eq!(ours.public().open(&both), Ok("a\n"));
    assert_eq!(other.public().open(&both), Ok("a\n"));
    assert_eq!(other.public().open(&note), Err(NoteError::Unsigned("tribunal/test".to_owned())));
}

#[test]
fn a_text_may_have_empty_lines() {
    let note = key(1).sign("a\n\nb\n");
    assert_eq!(key(1).public().open(&note), Ok("a\n\nb\n"));
}

#[test]
fn a_key_with_a_wrong_character_is_none() {
    for wrong in
        ["", "a+b", "PeterNeumann+c74f20a3+AAAA", &GO_PUBLIC.replace('7', "8"), &GO_PUBLIC.replace("Peter", "Pet er")]
    {
        assert!(PublicKey::parse(wrong).is_err(), "{wrong}");
    }
    assert!(SecretKey::parse(GO_PUBLIC).is_err());
    assert!(SecretKey::new("a b", [0; 32]).is_err());
    assert!(!format!("{:?}", key(1)).contains("seed"));
}

#[test]
fn the_hash_of_a_key_may_be_in_capitals_as_go_has_it() {
    let capitals = GO_PUBLIC.replace("c74f20a3", "C74F20A3");
    assert_eq!(PublicKey::parse(&capitals).unwrap().to_string(), GO_PUBLIC);
    for wrong in ["c74f20a", "c74f20a300", "c74f20ag", "+c74f20a3"] {
        assert!(PublicKey::parse(&GO_PUBLIC.replace("c74f20a3", wrong)).is_err(), "{wrong}");
    }
}
