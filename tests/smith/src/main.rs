//! Random components by wasm-smith, written to a directory: `cargo run -- DIR [COUNT [SEED]]`, then `tribunal torture
//! --components DIR`. Equal seed, equal bytes. It never looks at what becomes of them.
//!
//! Of four, one is a component at random, which a host turns away unless it reads it wrongly; one a policy that a module with
//! any proposal of Wasm answers for; and two policies whose module keeps to what policies may use, so that it runs.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use arbitrary::Unstructured;
use tribunal_hostile::{STRANGER, around};
use wasm_smith::{Component, Config, Module};

/// Components, unless said otherwise.
const COUNT: u64 = 1_000;
/// Random bytes that one is made of, at most.
const ENTROPY_BYTES_MAX: u64 = 8 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory? `cargo run -- DIR [COUNT [SEED]]`")?);
    let count = arguments.next().map_or(Ok(COUNT), |count| count.parse())?;
    let first: u64 = arguments.next().map_or(Ok(1), |seed| seed.parse())?;
    let exports = wat::parse_str(STRANGER)?;
    fs::create_dir_all(&dir)?;
    for seed in first..first.saturating_add(count) {
        let bytes = entropy(seed);
        let mut entropy = Unstructured::new(&bytes);
        let component = match seed % 4 {
            0 => Component::new(Config::default(), &mut entropy)?.to_bytes(),
            1 => policy(any(&exports), &mut entropy)?,
            _ => policy(modest(&exports), &mut entropy)?,
        };
        fs::write(dir.join(format!("{seed:08}.wasm")), component)?;
    }
    println!("{count} components in `{}`", dir.display());
    Ok(())
}

/// A policy that a random module answers for.
fn policy(config: Config, entropy: &mut Unstructured<'_>) -> Result<Vec<u8>, Box<dyn Error>> {
    let module = Module::new(config, entropy)?.to_bytes();
    Ok(around(&wasmprinter::print_bytes(module)?)?)
}

/// With any proposal that wasm-smith knows.
fn any(exports: &[u8]) -> Config {
    Config { exports: Some(exports.to_vec()), max_imports: 0, ..Config::default() }
}

/// With what toolchains emit.
fn modest(exports: &[u8]) -> Config {
    Config {
        exceptions_enabled: false,
        gc_enabled: false,
        max_memory32_bytes: 1 << 20,
        max_table_elements: 1_000,
        memory64_enabled: false,
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        tail_call_enabled: false,
        threads_enabled: false,
        ..any(exports)
    }
}

/// As many bytes as this seed has, by SplitMix64.
fn entropy(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    let words = 1 + next() % (ENTROPY_BYTES_MAX / 8);
    (0..words).flat_map(|_| next().to_le_bytes()).collect()
}
