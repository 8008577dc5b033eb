//! Code compiled twice: for every machine of the target, and for those with wider registers.
//!
//! Nothing here knows what the code does, and the code does not know of this: it is written without regard to any
//! machine, so that the compiler can use whatever there is.

#![allow(unsafe_code, reason = "only the program knows at run time what the machine has")]

#[cfg(target_arch = "x86_64")]
use crate::blocks::masks_by_avx2;
use crate::blocks::{Masks, masks};
#[cfg(target_arch = "x86_64")]
use crate::time_parts::parts_by_avx2;
use crate::time_parts::{Parts, parts};

/// The fastest ways that the machine has.
pub(crate) trait Machine {
    /// Finds the separators of a block: [`masks`].
    fn masks(&self, block: &[u8; 64]) -> Masks;

    /// Takes a time apart: [`parts`].
    fn parts(&self, time: &[u8; 32], end: u8) -> (Parts, bool);
}

/// Something to do.
pub(crate) trait Work {
    /// What comes of it.
    type Output;

    /// Does it. Only what is inlined here profits, so this is to be inlined itself, always.
    fn run(self, machine: &impl Machine) -> Self::Output;
}

/// Does the work with what the machine has.
#[inline(always)]
pub(crate) fn with_all_it_has<W: Work>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("popcnt")
    {
        // SAFETY: the machine has just been asked for each of them.
        return unsafe { with_avx2(work) };
    }
    work.run(&Ways { masks, parts })
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run(&Ways { masks: |block: &_| masks_by_avx2(block), parts: |time: &_, end| parts_by_avx2(time, end) })
}

/// What functions and closures make of a machine. Closures can do what the function can in which they stand.
struct Ways<M, P> {
    masks: M,
    parts: P,
}

impl<M: Fn(&[u8; 64]) -> Masks, P: Fn(&[u8; 32], u8) -> (Parts, bool)> Machine for Ways<M, P> {
    #[inline(always)]
    fn masks(&self, block: &[u8; 64]) -> Masks {
        (self.masks)(block)
    }

    #[inline(always)]
    fn parts(&self, time: &[u8; 32], end: u8) -> (Parts, bool) {
        (self.parts)(time, end)
    }
}
