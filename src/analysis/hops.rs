//! Recording of hops, with the settings that their stems had.

use super::MasterAnalysis;
use super::remake::MadeHop;
use super::stem_routing::RoutedStem;
use link::audio_ring::MONITORING_REVISION;
use link::identity::InstanceId;
use plugin_core::Output;
use session::record::{NestedMember, SessionMember, StemId, StemSetting};

/// Consecutive hops with changed settings from which on they count as automation.
const MIN_AUTOMATION_HOPS: u32 = 10;

/// Counter of consecutive hops in which a stem's settings changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SettingSteadiness {
    changing: u32,
}

impl SettingSteadiness {
    /// Counts the next hop; returns true if the stem's settings were steady in it. A single change makes its hop and
    /// the next one unsteady, since it is smoothed into the next. Lasting automation counts as steady: it is part of
    /// the song.
    fn push_hop(&mut self, changed: bool) -> bool {
        let before = self.changing;
        self.changing = if changed { before + 1 } else { 0 };
        let changes = before.max(self.changing);
        changes == 0 || changes > MIN_AUTOMATION_HOPS
    }
}

impl<O: Output> MasterAnalysis<O> {
    /// Replaces the recorder's set of stems, summed and nested; known stems keep their settings.
    fn set_stems(&mut self, stems: Vec<(InstanceId, Option<InstanceId>)>) {
        let nested = self.recorder.nested().iter().map(|nested| nested.member);
        let known: Vec<SessionMember> = self.recorder.members().iter().copied().chain(nested).collect();
        let member = |id: InstanceId| {
            let id = StemId(id.get());
            let known = known.iter().find(|member| member.id == id);
            SessionMember { id, setting: known.map_or(StemSetting::default(), |member| member.setting) }
        };
        let summed = stems.iter().filter(|(_, inside)| inside.is_none()).map(|(id, _)| member(*id));
        let nested = stems.iter().filter_map(|(id, inside)| {
            Some(NestedMember { member: member(*id), inside: StemId((*inside)?.get()) })
        });
        self.set += 1;
        self.recorder.set_stems(self.set, &summed.collect::<Vec<_>>());
        self.recorder.set_nested(&nested.collect::<Vec<_>>());
        self.steadiness = vec![SettingSteadiness::default(); stems.len()];
        self.stems = stems;
        self.has_news = true;
    }

    /// Records and fits one hop of `stems`, the summed ones first. Hops are fitted one by one, so that results do not
    /// depend on how many wait.
    pub(super) fn record(&mut self, (mut hop, made_with): MadeHop, stems: &[RoutedStem]) {
        let levels = || stems.iter().map(|stem| (stem.id, stem.inside));
        if self.set == 0 || !self.stems.iter().copied().eq(levels()) {
            self.set_stems(levels().collect());
        }
        hop.set = self.set;
        let summed = hop.stems;
        let stems = self.stems.iter().zip(&made_with).zip(&mut self.steadiness);
        for (index, (((id, _), made), steadiness)) in stems.enumerate() {
            let steady = steadiness.push_hop(made.changed);
            if made.revision == MONITORING_REVISION || !steady {
                match index.checked_sub(summed) {
                    None => hop.heard &= !(1 << index),
                    Some(index) => hop.nested.heard &= !(1 << index),
                }
            }
            // revision 0: the stem has never played, and its settings are unknown
            if made.revision != MONITORING_REVISION && made.revision != 0 {
                let level = Some(made.level).filter(|_| !made.level_moved);
                let setting = StemSetting { revision: made.revision, level, trim: made.trim };
                self.recorder.set_setting(StemId(id.get()), setting);
            } else if made.revision == 0 {
                self.recorder.forget_level(StemId(id.get()));
            }
        }
        self.recorder.push_hop(&hop);
        self.recorder.refit();
        self.has_news = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_with_a_change_and_the_next_are_not_steady_but_automation_is() {
        let mut steadiness = SettingSteadiness::default();
        let kept: Vec<bool> = [false, true, false, false, true, true, false, false]
            .map(|changed| steadiness.push_hop(changed))
            .into();
        assert_eq!(kept, [true, false, false, true, false, false, false, true]);
        let automated: Vec<bool> = (0..13).map(|_| steadiness.push_hop(true)).collect();
        assert_eq!(automated.iter().position(|kept| *kept), Some(MIN_AUTOMATION_HOPS as usize));
        assert!(steadiness.push_hop(false), "the last of it glides as all of it did");
    }
}
