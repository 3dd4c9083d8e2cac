//! Auditions: solo, mute and bypass of single stems, for listening only.

use super::record::StemId;

/// Greatest depth of Stems inside each other.
const MAX_DEPTH: usize = 8;

/// Audition of one stem, as chosen by the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audition {
    /// Heard together with the other soloed stems; the others are muted.
    Solo,
    /// Muted.
    Mute,
    /// Heard as it enters its chain.
    Bypass,
}

impl Audition {
    /// All auditions, in the order of the buttons S, M, B.
    pub const ALL: [Self; 3] = [Self::Solo, Self::Mute, Self::Bypass];
}

/// Effect of the auditions on one stem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditionEffect {
    /// The stem is silent.
    Muted,
    /// The stem is heard as it enters its chain.
    Bypassed,
}

/// The auditions of all stems.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Auditions {
    wanted: Vec<(StemId, Audition)>,
}

impl Auditions {
    /// True if the mix is heard unchanged.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// True if `audition` is on for `stem`.
    pub fn has(&self, stem: StemId, audition: Audition) -> bool {
        self.wanted.contains(&(stem, audition))
    }

    /// Switches `audition` of `stem` on or off.
    pub fn toggle(&mut self, stem: StemId, audition: Audition) {
        if self.has(stem, audition) {
            self.wanted.retain(|wanted| *wanted != (stem, audition));
        } else {
            self.wanted.push((stem, audition));
        }
    }

    /// Stems that are soloed.
    fn soloed(&self) -> impl Iterator<Item = StemId> {
        self.wanted.iter().filter(|(_, audition)| *audition == Audition::Solo).map(|(stem, _)| *stem)
    }

    /// Effect of all auditions on `stem`; `None` if it is heard unchanged. `outer` names the Stem that a stem sits
    /// inside of: soloing one of the two keeps both, at any depth.
    pub fn effect(&self, stem: StemId, outer: impl Fn(StemId) -> Option<StemId>) -> Option<AuditionEffect> {
        let is_inside = |inner: StemId, around: StemId| {
            let outers = std::iter::successors(outer(inner), |stem| outer(*stem));
            outers.take(MAX_DEPTH).any(|stem| stem == around)
        };
        let goes_along = |kept: StemId| kept == stem || is_inside(kept, stem) || is_inside(stem, kept);
        let is_left_out = self.soloed().next().is_some() && !self.soloed().any(goes_along);
        if self.has(stem, Audition::Mute) || is_left_out {
            Some(AuditionEffect::Muted)
        } else {
            self.has(stem, Audition::Bypass).then_some(AuditionEffect::Bypassed)
        }
    }

    /// Removes all auditions of `stem`, which has left the session: another stem in its place starts without.
    pub fn remove(&mut self, stem: StemId) {
        self.wanted.retain(|(id, _)| *id != stem);
    }

    /// Withdraws the audition that changed `stem`, because its instance refused it: its own mute or bypass, otherwise
    /// the solo of others.
    pub fn withdraw(&mut self, stem: StemId) {
        let by_itself = |audition: &Audition| *audition != Audition::Solo;
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
    const SNARE_TOP: StemId = StemId(5);

    fn outer(stem: StemId) -> Option<StemId> {
        match stem {
            KICK | SNARE => Some(DRUMS),
            SNARE_TOP => Some(SNARE),
            _ => None,
        }
    }

    fn muted(wanted: &[(StemId, Audition)]) -> Vec<u64> {
        let mut auditions = Auditions::default();
        wanted.iter().for_each(|(stem, audition)| auditions.toggle(*stem, *audition));
        let is_muted = |stem: &StemId| auditions.effect(*stem, outer) == Some(AuditionEffect::Muted);
        [DRUMS, KICK, SNARE, BASS, SNARE_TOP]
            .iter()
            .filter(|stem| is_muted(stem))
            .map(|stem| stem.0)
            .collect()
    }

    #[test]
    fn a_solo_mutes_all_stems_but_those_inside_it_and_the_one_around_it() {
        use Audition::{Mute, Solo};
        assert_eq!(muted(&[]), [0; 0]);
        assert_eq!(muted(&[(BASS, Solo)]), [1, 2, 3, 5]);
        assert_eq!(muted(&[(DRUMS, Solo)]), [4]);
        assert_eq!(muted(&[(KICK, Solo)]), [3, 4, 5]);
        assert_eq!(muted(&[(SNARE_TOP, Solo)]), [2, 4], "the bus around the bus is heard, too");
        assert_eq!(muted(&[(KICK, Solo), (BASS, Solo)]), [3, 5]);
        assert_eq!(muted(&[(KICK, Solo), (KICK, Mute)]), [2, 3, 4, 5]);
        assert_eq!(muted(&[(BASS, Mute)]), [4]);
        assert_eq!(muted(&[(BASS, Solo), (BASS, Solo)]), [0; 0], "pressed twice");
    }

    #[test]
    fn a_bypass_is_heard_unless_the_stem_is_not() {
        let mut auditions = Auditions::default();
        auditions.toggle(BASS, Audition::Bypass);
        assert_eq!(auditions.effect(BASS, outer), Some(AuditionEffect::Bypassed));
        assert_eq!(auditions.effect(DRUMS, outer), None);
        auditions.toggle(DRUMS, Audition::Solo);
        assert_eq!(auditions.effect(BASS, outer), Some(AuditionEffect::Muted));
        auditions.toggle(DRUMS, Audition::Solo);
        auditions.toggle(BASS, Audition::Bypass);
        assert!(auditions.is_empty());
    }

    #[test]
    fn a_refusal_ends_what_was_refused() {
        let mut auditions = Auditions::default();
        auditions.toggle(BASS, Audition::Mute);
        auditions.toggle(KICK, Audition::Solo);
        auditions.withdraw(BASS);
        assert!(auditions.has(KICK, Audition::Solo) && !auditions.has(BASS, Audition::Mute));
        auditions.toggle(DRUMS, Audition::Bypass);
        auditions.withdraw(SNARE);
        assert!(!auditions.has(KICK, Audition::Solo), "it was left out because the kick is listened to");
        assert!(auditions.has(DRUMS, Audition::Bypass));
        auditions.toggle(DRUMS, Audition::Mute);
        auditions.remove(DRUMS);
        assert!(auditions.is_empty());
    }
}
