//! The tree against the vectors of Certificate Transparency, and against its own definition. It must never take its own
//! word for a head.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use data_encoding::HEXLOWER;

use super::*;

/// The leaves of the reference implementation of RFC 6962 (`merkle_tree_test` of certificate-transparency).
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

/// The heads over the first one, two, … of them.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Paths of that implementation: leaf, size (the leaf counted from 0), hashes.
const PATHS: [(u64, u64, &[&str]); 4] = [
    (0, 1, &[]),
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
];

fn leaves() -> Vec<Digest> {
    LEAVES.iter().map(|leaf| leaf_hash(&HEXLOWER.decode(leaf.as_bytes()).unwrap())).collect()
}

fn digest(text: &str) -> Digest {
    Digest::parse(text).unwrap()
}

/// The definition in RFC 6962, word by word.
fn defined(leaves: &[Digest]) -> Digest {
    match leaves {
        [] => Digest::of(&[]),
        [leaf] => *leaf,
        more => {
            let mut half = 1;
            while half * 2 < more.len() {
                half *= 2;
            }
            node_hash(&defined(&more[..half]), &defined(&more[half..]))
        }
    }
}

#[test]
fn heads_are_those_of_certificate_transparency() {
    let leaves = leaves();
    assert_eq!(root(&[]), digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    for (size, expected) in (1..).zip(ROOTS) {
        assert_eq!(root(&leaves[..size]), digest(expected), "of {size}");
    }
}

#[test]
fn paths_are_those_of_certificate_transparency() {
    let leaves = leaves();
    for (index, size, expected) in PATHS {
        let (at, of) = (usize::try_from(index).unwrap(), usize::try_from(size).unwrap());
        let path = Tree::over(leaves[..of].to_vec()).inclusion(at).unwrap();
        assert_eq!(path, expected.iter().map(|hash| digest(hash)).collect::<Vec<_>>(), "leaf {index} of {size}");
        assert_eq!(root_of_inclusion(leaves[at], index, size, &path), Some(digest(ROOTS[of - 1])));
    }
}

#[test]
fn every_path_of_every_small_tree_leads_to_its_head_and_no_other_does() {
    let leaves: Vec<Digest> = (0_u8..40).map(|number| leaf_hash(&[number])).collect();
    for of in 1..=leaves.len() {
        let head = root(&leaves[..of]);
        assert_eq!(head, defined(&leaves[..of]), "of {of}");
        for at in 0..of {
            let path = Tree::over(leaves[..of].to_vec()).inclusion(at).unwrap();
            let (index, size) = (u64::try_from(at).unwrap(), u64::try_from(of).unwrap());
            let leads = |leaf, index, path: &[Digest]| root_of_inclusion(leaf, index, size, path) == Some(head);
            assert!(leads(leaves[at], index, &path), "leaf {at} of {of}");
            assert!(!leads(leaf_hash(b"another"), index, &path), "another leaf at {at} of {of}");
            assert!(!leads(leaves[at], index + 1, &path), "leaf {at} of {of} in another place");
            for place in 0..path.len() {
                let mut wrong = path.clone();
                wrong[place] = leaf_hash(b"wrong");
                assert!(!leads(leaves[at], index, &wrong), "a wrong hash for {at} of {of}");
                wrong.remove(place);
                assert!(!leads(leaves[at], index, &wrong), "a path too short for {at} of {of}");
            }
            let longer: Vec<Digest> = path.iter().copied().chain([head]).collect();
            assert!(!leads(leaves[at], index, &longer), "a path too long for {at} of {of}");
        }
        assert_eq!(Tree::over(leaves[..of].to_vec()).inclusion(of), None);
    }
}

#[test]
fn a_frontier_goes_on_where_another_ended() {
    let leaves: Vec<Digest> = (0_u8..70).map(|number| leaf_hash(&[number])).collect();
    for until in 0..leaves.len() {
        let mut first = Frontier::default();
        leaves[..until].iter().for_each(|leaf| first.push(*leaf));
        let mut second = Frontier::new(first.size(), first.heads().to_vec()).unwrap();
        assert_eq!(second, first);
        leaves[until..].iter().for_each(|leaf| second.push(*leaf));
        assert_eq!(second.root(), root(&leaves));
        assert!(second.heads().len() <= 7);
        assert_eq!(
            Frontier::new(first.size() + 1, first.heads().to_vec()).is_some(),
            (until + 1).count_ones() == until.count_ones()
        );
    }
}
