//! A fuzz target for the stable toolchain: reports grown from `corpus/` and `fixtures/` by small changes, each held to
//! what must be true of any input.
//!
//! ```sh
//! ORGSWEEP_FUZZ_SECONDS=60 cargo test -p orgsweep-report --test fuzz
//! ```
//!
//! There is no look at the code that an input reaches. In its place stands what the parser says of it: an input of
//! which something new is said is grown further, and with `ORGSWEEP_FUZZ_KEEP=1` also kept in `corpus/`. One that does
//! not hold is made smaller and kept there in any case. `ORGSWEEP_FUZZ_SEED` repeats a run.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

mod change;
mod hold;

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::change::change;
use crate::hold::Holder;

/// How long to look for new inputs where nobody says it.
const USUAL_SECONDS: u64 = 2;

/// The longest input that is grown: more than two chunks of rows.
const MAX_LEN: usize = 40_000;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is {text:?}, not a number")))
}

/// The inputs to begin with, in the order of their names.
fn seeds() -> Vec<Vec<u8>> {
    let files = ["corpus", "fixtures"].into_iter().flat_map(|name| fs::read_dir(folder(name)).unwrap());
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "csv"));
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn keep(kind: &str, input: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let path = folder("corpus").join(format!("{kind}-{:016x}.csv", hasher.finish()));
    fs::write(&path, input).unwrap();
    path
}

/// What the parser says of the input, if all holds that must.
fn try_hold(holder: &mut Holder, input: &[u8]) -> Option<String> {
    let held = catch_unwind(AssertUnwindSafe(|| holder.hold(input)));
    if held.is_err() {
        *holder = Holder::default();
    }
    held.ok()
}

/// A smaller input that does not hold either.
fn shrink(mut input: Vec<u8>) -> Vec<u8> {
    let hook = take_hook();
    set_hook(Box::new(|_| {}));
    let mut length = input.len() / 2;
    while length > 0 {
        let mut start = 0;
        while start + length <= input.len() {
            let rest = [&input[..start], &input[start + length..]].concat();
            match try_hold(&mut Holder::default(), &rest) {
                None => input = rest,
                Some(_) => start += length,
            }
        }
        length /= 2;
    }
    set_hook(hook);
    input
}

fn fail(input: Vec<u8>, seed: u64) -> ! {
    let path = keep("failed", &shrink(input));
    panic!("this does not hold: {} (seed {seed})", path.display());
}

#[test]
fn whatever_grows_from_the_corpus_holds() {
    let seed = number("ORGSWEEP_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..1_000_000));
    let until = Instant::now() + Duration::from_secs(number("ORGSWEEP_FUZZ_SECONDS").unwrap_or(USUAL_SECONDS));
    let are_kept = number("ORGSWEEP_FUZZ_KEEP") == Some(1);
    let mut random = fastrand::Rng::with_seed(seed);
    let mut holder = Holder::default();
    let mut inputs = seeds();
    let mut said = BTreeSet::new();
    for input in &inputs {
        match try_hold(&mut holder, input) {
            Some(words) => said.insert(words),
            None => fail(input.clone(), seed),
        };
    }
    let (first, mut tried) = (inputs.len(), 0_u64);
    while Instant::now() < until {
        let mut input = inputs[random.usize(..inputs.len())].clone();
        for _ in 0..=random.u8(..4) {
            change(&mut input, &inputs, &mut random);
        }
        input.truncate(MAX_LEN);
        tried += 1;
        let Some(words) = try_hold(&mut holder, &input) else {
            fail(input, seed);
        };
        if said.insert(words) {
            if are_kept {
                keep("found", &input);
            }
            inputs.push(input);
        }
    }
    println!("seed {seed}: {tried} inputs from {first}, {} of which something new is said", inputs.len() - first);
}
