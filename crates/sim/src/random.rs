//! Draws that depend on the seed and on what they are for, and on nothing else.
//!
//! The generator is splitmix64, written out here since its numbers must stay the same for ever.

use crate::mix::PerMille;

/// The odd constant by which splitmix64 steps: 2⁶⁴ over the golden ratio.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// What a draw is for. Each topic has a stream of its own, so that a new question does not change old answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Topic {
    /// Ids of the organization, its root and its units.
    Organization = 1,
    /// Which members are the ones that are certainly unreadable.
    Certain = 2,
    /// Whether an account can be read.
    Standing = 3,
    /// Name, place and age of an account.
    Identity = 4,
    /// The root user.
    Root = 5,
    /// Password policy, alias and what else belongs to an account.
    Posture = 6,
    /// Alternate contacts.
    Contacts = 7,
    /// The report that is there before anybody asks.
    Report = 8,
    /// How an account names its users.
    Naming = 9,
    /// One IAM user.
    User = 10,
    /// Access key ids, user ids.
    Ids = 11,
    /// Which pages of a listing are empty.
    EmptyPage = 12,
    /// How long an answer takes.
    Latency = 13,
    /// Request ids.
    RequestId = 14,
    /// Keys of the account id scramble.
    AccountId = 15,
    /// The key that session tokens are sealed with.
    TokenKey = 16,
    /// The tags of an account.
    Tags = 17,
    /// The key that came with a user.
    KeyAtCreation = 18,
    /// When there are throttling storms, and which requests they strike.
    Storm = 19,
    /// When there is no capacity to make reports.
    NoCapacity = 20,
    /// What becomes of one request.
    Passing = 21,
    /// The lasting faults of an account.
    Lasting = 22,
    /// Which sessions die early.
    SessionDeath = 23,
    /// Which reports expire before they are fetched.
    ReportExpiry = 24,
    /// How far AWS's clock is off.
    ClockSkew = 25,
}

/// The finalizer of splitmix64: a bijection in which each bit of the input moves half of the output.
pub(crate) fn scramble(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// A stream of draws.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    state: u64,
}

impl Draw {
    /// The stream for one topic of one thing of one account.
    pub(crate) fn new(seed: u64, topic: Topic, index: u32, item: u32) -> Self {
        let place = (u64::from(index) << 32) | u64::from(item);
        let state = scramble(seed.wrapping_add(STEP)) ^ scramble(STEP.wrapping_mul(topic as u64));
        Self { state: scramble(state.wrapping_add(scramble(place))) }
    }

    /// 64 even bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(STEP);
        scramble(self.state)
    }

    /// A number below `bound`; zero where the bound is zero.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).unwrap_or_default()
    }

    /// A number from `least` to `most`, both included; `least` where they are the wrong way round.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// Whether something that happens this often happens here.
    pub(crate) fn chance(&mut self, rate: PerMille) -> bool {
        self.below(1000) < u64::from(rate.0)
    }

    /// One of the choices; what is listed twice is twice as likely.
    pub(crate) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let place = self.below(u64::try_from(choices.len()).unwrap_or(u64::MAX));
        usize::try_from(place).ok().and_then(|place| choices.get(place)).copied().unwrap_or_default()
    }

    /// A fraction from 0 to 1, 1 excluded.
    pub(crate) fn fraction(&mut self) -> f64 {
        let high = u32::try_from(self.bits() >> 32).unwrap_or_default();
        f64::from(high) / (f64::from(u32::MAX) + 1.0)
    }

    /// A text of `length` characters of an ASCII alphabet.
    pub(crate) fn text(&mut self, alphabet: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(self.pick(alphabet))).collect()
    }
}

/// The characters of ids in AWS Organizations.
pub(crate) const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The characters of IAM's unique ids.
pub(crate) const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_same_for_ever() {
        // The published first numbers of splitmix64 for this state.
        let mut published = Draw { state: 1_234_567 };
        assert_eq!([published.bits(), published.bits()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
        let mut draw = Draw::new(7, Topic::User, 3, 5);
        assert_eq!([draw.bits(), draw.bits()], [9_349_788_426_402_637_005, 16_832_452_811_741_326_164]);
    }

    #[test]
    fn a_draw_stays_between_its_bounds_and_reaches_them() {
        let mut draw = Draw::new(1, Topic::Root, 0, 0);
        let drawn: Vec<u64> = (0..1000).map(|_| draw.between(3, 6)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&6)));
        assert_eq!((draw.below(0), draw.between(9, 2)), (0, 9));
    }

    #[test]
    fn a_rate_comes_out_as_often_as_it_says() {
        let mut draw = Draw::new(1, Topic::Root, 0, 1);
        let hits = (0..100_000).filter(|_| draw.chance(PerMille(150))).count();
        assert!((14_500..15_500).contains(&hits), "{hits}");
    }
}
