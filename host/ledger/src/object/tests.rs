//! Objects as they are packed, kept and found again. It must never take an object for another.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use miniz_oxide::deflate::compress_to_vec_zlib;
use proptest::collection::vec;
use proptest::prelude::*;

use super::pack::FRAME_HEAD_BYTES;
use super::*;
use crate::keys::{Keyring, Keys};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_is_unpacked_and_named_alike(bytes in vec(any::<u8>(), 0..5_000), times in 1_usize..40) {
        let bytes = bytes.repeat(times);
        let first = pack(&bytes).unwrap();
        prop_assert_eq!(&pack(&bytes).unwrap(), &first);
        prop_assert_eq!(unpack(&first.stored).unwrap(), bytes);
    }

    #[test]
    fn what_older_ledgers_stored_is_unpacked_sealed_or_not(bytes in vec(any::<u8>(), 0..5_000)) {
        let stored = compress_to_vec_zlib(&bytes, 1);
        let root = tempfile::tempdir().unwrap();
        let key = Keyring::open(root.path()).unwrap().of("alice").unwrap();
        let object = Object { name: Digest::of(&stored), stored };
        let sealed = seal(&object, &key).unwrap();
        let keys = Keys::of(root.path());
        prop_assert_eq!(open(&object.stored, &keys).unwrap(), Content::Bytes(bytes.clone()));
        prop_assert_eq!(open(&sealed.stored, &keys).unwrap(), Content::Bytes(bytes));
    }

    #[test]
    fn what_nobody_packed_is_refused_or_has_the_length_that_it_says(length in 0_u32..20_000, block in vec(any::<u8>(), 0..200)) {
        let stored = [&[LZ4][..], &length.to_le_bytes(), &block].concat();
        if let Ok(bytes) = unpack(&stored) {
            prop_assert_eq!(bytes.len(), usize::try_from(length).unwrap());
        }
    }
}

/// Made by the reference implementation: `lz4.block.compress`, in Python, has the length and the block.
const BY_THE_REFERENCE: (&[u8], &str) = (
    b"Y\0\0\0\xff\x0f{\"kind\":\"node\",\"name\":\"db-1\"},\x1e\0\x07\x1f2\x1e\0\x08Pb-3\"}",
    r#"{"kind":"node","name":"db-1"},{"kind":"node","name":"db-2"},{"kind":"node","name":"db-3"}"#,
);

#[test]
fn what_the_reference_implementation_packs_is_unpacked() {
    let (packed, text) = BY_THE_REFERENCE;
    assert_eq!(unpack(&[&[LZ4], packed].concat()).unwrap(), text.as_bytes());
}

#[test]
fn an_object_that_lies_about_its_length_is_refused() {
    let bytes = b"prod ".repeat(100);
    let stored = pack(&bytes).unwrap().stored;
    let saying = |length: usize| {
        let mut stored = stored.clone();
        stored.splice(1..HEAD_BYTES, u32::try_from(length).unwrap().to_le_bytes());
        unpack(&stored).map_err(|error| error.to_string())
    };
    assert_eq!(saying(500).unwrap(), bytes);
    assert!(saying(499).is_err());
    let error = saying(501).unwrap_err();
    assert_eq!(error, "an object cannot be unpacked: it has 500 bytes, and not the 501 that it says");
    for length in [stored.len() * LZ4_GAIN_MAX, OBJECT_BYTES_MAX + 1] {
        let error = saying(length).unwrap_err();
        assert!(
            error.ends_with(&format!("{length} bytes cannot be in a block of {}", stored.len() - HEAD_BYTES)),
            "{error}"
        );
    }
    for cut in 0..stored.len() {
        assert!(unpack(stored.get(..cut).unwrap()).is_err(), "cut at {cut}");
    }
}

#[test]
fn long_and_repetitive_things_get_short() {
    let bytes = b"{\"kind\":\"node\"}".repeat(100_000);
    let object = pack(&bytes).unwrap();
    assert!(object.stored.len() < bytes.len() / 20, "{}", object.stored.len());
    assert_eq!(unpack(&object.stored).unwrap(), bytes);
}

#[test]
fn what_is_too_long_is_refused() {
    let error = pack(&vec![0; OBJECT_BYTES_MAX + 1]).unwrap_err().to_string();
    assert!(error.contains("more than the"), "{error}");
    assert!(unpack(b"nonsense").is_err());
}

#[test]
fn a_loose_object_is_kept_once_and_a_replaced_one_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let loose = Loose::of(root.path());
    let name = loose.put(b"a plugin").unwrap();
    assert_eq!(loose.put(b"a plugin").unwrap(), name);
    assert_eq!(fs::read_dir(root.path().join("objects")).unwrap().count(), 1);
    assert_eq!(loose.get(&name).unwrap(), b"a plugin");
    fs::write(loose.path_of(&name), pack(b"another plugin").unwrap().stored).unwrap();
    assert_eq!(loose.get(&name).unwrap_err().to_string(), "it is not what was stored");
    assert_eq!(loose.put(b"a plugin").unwrap(), name, "put again, it is right again");
    assert_eq!(loose.get(&name).unwrap(), b"a plugin");
}

#[test]
fn a_pack_gives_back_its_frames_and_says_where_one_is_torn() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("pack");
    assert!(Pack::open(&path).unwrap().is_none());
    let mut bytes = Vec::new();
    let objects: Vec<Object> = ["", "a", "b"].iter().map(|text| pack(text.as_bytes()).unwrap()).collect();
    objects.iter().for_each(|object| Frame::write(object, &mut bytes).unwrap());
    for cut in 0..=bytes.len() {
        fs::write(&path, bytes.get(..cut).unwrap()).unwrap();
        let (mut pack, mut stored, mut found) = (Pack::open(&path).unwrap().unwrap(), Vec::new(), 0_usize);
        let mut end = 0_u64;
        let last = loop {
            match pack.read(&mut stored).unwrap() {
                PackPiece::Object { name, offset, bytes } => {
                    let expected = objects.get(found).unwrap();
                    assert_eq!((name, &stored), (expected.name, &expected.stored));
                    assert_eq!((offset, usize::try_from(bytes).unwrap()), (end, stored.len()));
                    found += 1;
                    end += u64::from(bytes) + FRAME_HEAD_BYTES as u64;
                }
                last @ (PackPiece::Torn { .. } | PackPiece::End) => break last,
            }
        };
        let at_end = end == u64::try_from(cut).unwrap();
        assert_eq!(last, if at_end { PackPiece::End } else { PackPiece::Torn { offset: end } }, "cut at {cut}");
    }
}
