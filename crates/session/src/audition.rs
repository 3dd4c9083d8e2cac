//! Hearing a mix otherwise for a moment: some stems alone, without others, or as they enter their chains.

use super::record::StemId;

/// What a person wants of one stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audition {
    /// To hear it, and the others so wanted, without the rest.
    Listen,
    /// Not to hear it.
    Mute,
    /// To hear it as it enters its chain.
    Bypass,
}

impl Audition {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Listen, Self::Mute, Self::Bypass];
}

/// How a stem is heard meanwhile, if not as it leaves its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hearing {
    /// Not at all.
    Muted,
    /// As it enters its chain.
    Bypassed,
}

/// What a person wants of all stems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auditions {
    wanted: Vec<(StemId, Audition)>,
}

impl Auditions {
    /// True if the mix is heard as it is.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether `audition` is wanted of `stem`.
    pub fn has(&self, stem: StemId, audition: Audition) -> bool {
        self.wanted.contains(&(stem, audition))
    }

    /// Wants `audition` of `stem`, or no more.
    pub fn toggle(&mut self, stem: StemId, audition: Audition) {
        if self.has(stem, audition) {
            self.wanted.retain(|wanted| *wanted != (stem, audition));
        } else {
            self.wanted.push((stem, audition));
        }
    }

    /// Stems that are listened to.
    fn listened(&self) -> impl Iterator<Item = StemId> {
        self.wanted.iter().filter(|(_, audition)| *audition == Audition::Listen).map(|(stem, _)| *stem)
    }

    /// How `stem` is to be heard. A stem that sits inside another, as `outer` says, goes through it: listening to one of
    /// the two keeps both.
    pub fn hearing(&self, stem: StemId, outer: impl Fn(StemId) -> Option<StemId>) -> Option<Hearing> {
        let goes_along =
            |kept: StemId| kept == stem || outer(kept) == Some(stem) || outer(stem) == Some(kept);
        let is_left_out = self.listened().next().is_some() && !self.listened().any(goes_along);
        if self.has(stem, Audition::Mute) || is_left_out {
            Some(Hearing::Muted)
        } else {
            self.has(stem, Audition::Bypass).then_some(Hearing::Bypassed)
        }
    }

    /// `stem` has gone: what is wanted of it alone is not wanted of whoever comes in its place.
    pub fn gone(&mut self, stem: StemId) {
        self.wanted.retain(|(id, _)| *id != stem);
    }

    /// `stem` would not be heard otherwise any more: whatever has made it so ends.
    pub fn refused(&mut self, stem: StemId) {
        let by_itself = |audition: &Audition| *audition != Audition::Listen;
        let was_left_out = !self.wanted.iter().any(|(id, audition)| *id == stem && by_itself(audition));
        self.wanted.retain(|(id, audition)| *id != stem && (by_itself(audition) || !was_left_out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRUMS: StemId = StemId(1);
    const KICK: StemId = StemId(2);
    const SNARE: StemId = StemId(3);
    const BASS: StemId = StemId(4);

    fn outer(stem: StemId) -> Option<StemId> {
        [KICK, SNARE].contains(&stem).then_some(DRUMS)
    }

    fn muted(wanted: &[(StemId, Audition)]) -> Vec<u64> {
        let mut auditions = Auditions::default();
        wanted.iter().for_each(|(stem, audition)| auditions.toggle(*stem, *audition));
        let is_muted = |stem: &StemId| auditions.hearing(*stem, outer) == Some(Hearing::Muted);
        [DRUMS, KICK, SNARE, BASS].iter().filter(|stem| is_muted(stem)).map(|stem| stem.0).collect()
    }

    #[test]
    fn who_listens_to_some_hears_nothing_else_but_what_they_go_through_and_what_goes_through_them() {
        use Audition::{Listen, Mute};
        assert_eq!(muted(&[]), [0; 0]);
        assert_eq!(muted(&[(BASS, Listen)]), [1, 2, 3]);
        assert_eq!(muted(&[(DRUMS, Listen)]), [4]);
        assert_eq!(muted(&[(KICK, Listen)]), [3, 4]);
        assert_eq!(muted(&[(KICK, Listen), (BASS, Listen)]), [3]);
        assert_eq!(muted(&[(KICK, Listen), (KICK, Mute)]), [2, 3, 4]);
        assert_eq!(muted(&[(BASS, Mute)]), [4]);
        assert_eq!(muted(&[(BASS, Listen), (BASS, Listen)]), [0; 0], "pressed twice");
    }

    #[test]
    fn a_bypass_is_heard_unless_the_stem_is_not() {
        let mut auditions = Auditions::default();
        auditions.toggle(BASS, Audition::Bypass);
        assert_eq!(auditions.hearing(BASS, outer), Some(Hearing::Bypassed));
        assert_eq!(auditions.hearing(DRUMS, outer), None);
        auditions.toggle(DRUMS, Audition::Listen);
        assert_eq!(auditions.hearing(BASS, outer), Some(Hearing::Muted));
        auditions.toggle(DRUMS, Audition::Listen);
        auditions.toggle(BASS, Audition::Bypass);
        assert!(auditions.is_empty());
    }

    #[test]
    fn a_refusal_ends_what_was_refused() {
        let mut auditions = Auditions::default();
        auditions.toggle(BASS, Audition::Mute);
        auditions.toggle(KICK, Audition::Listen);
        auditions.refused(BASS);
        assert!(auditions.has(KICK, Audition::Listen) && !auditions.has(BASS, Audition::Mute));
        auditions.toggle(DRUMS, Audition::Bypass);
        auditions.refused(SNARE);
        assert!(!auditions.has(KICK, Audition::Listen), "it was left out because the kick is listened to");
        assert!(auditions.has(DRUMS, Audition::Bypass));
        auditions.toggle(DRUMS, Audition::Mute);
        auditions.gone(DRUMS);
        assert!(auditions.is_empty());
    }
}
