//! Objects as they are packed, kept and found again. It must never take an object for another.
#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;

use proptest::prelude::*;

use super::pack::FRAME_HEAD_BYTES;
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_packed_is_unpacked_and_named_alike(bytes in proptest::collection::vec(any::<u8>(), 0..5_000)) {
        let mut packer = Packer::new();
        let first = packer.pack(&bytes).unwrap();
        packer.pack(b"something else").unwrap();
        prop_assert_eq!(&packer.pack(&bytes).unwrap(), &first);
        prop_assert_eq!(&Packer::new().pack(&bytes).unwrap(), &first);
        prop_assert_eq!(unpack(&first.stored).unwrap(), bytes);
    }
}

#[test]
fn long_and_repetitive_things_get_short() {
    let bytes = b"{\"kind\":\"node\"}".repeat(100_000);
    let object = Packer::new().pack(&bytes).unwrap();
    assert!(object.stored.len() < bytes.len() / 20, "{}", object.stored.len());
    assert_eq!(unpack(&object.stored).unwrap(), bytes);
}

#[test]
fn what_is_too_long_is_refused() {
    let error = Packer::new().pack(&vec![0; OBJECT_BYTES_MAX + 1]).unwrap_err().to_string();
    assert!(error.contains("more than the"), "{error}");
    assert!(unpack(b"nonsense").is_err());
}

#[test]
fn a_loose_object_is_kept_once_and_a_replaced_one_is_noticed() {
    let root = tempfile::tempdir().unwrap();
    let (loose, mut packer) = (Loose::of(root.path()), Packer::new());
    let name = loose.put(&mut packer, b"a plugin").unwrap();
    assert_eq!(loose.put(&mut packer, b"a plugin").unwrap(), name);
    assert_eq!(fs::read_dir(root.path().join("objects")).unwrap().count(), 1);
    assert_eq!(loose.get(&name).unwrap(), b"a plugin");
    fs::write(loose.path_of(&name), packer.pack(b"another plugin").unwrap().stored).unwrap();
    assert_eq!(loose.get(&name).unwrap_err().to_string(), "it is not what was stored");
    assert_eq!(loose.put(&mut packer, b"a plugin").unwrap(), name, "put again, it is right again");
    assert_eq!(loose.get(&name).unwrap(), b"a plugin");
}

#[test]
fn a_pack_gives_back_its_frames_and_says_where_one_is_torn() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("pack");
    assert!(Pack::open(&path).unwrap().is_none());
    let (mut packer, mut bytes) = (Packer::new(), Vec::new());
    let objects: Vec<Object> = ["", "a", "b"].iter().map(|text| packer.pack(text.as_bytes()).unwrap()).collect();
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
