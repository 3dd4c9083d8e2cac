//! Recording of hops, with the settings that their stems had.

use super::MasterAnalysis;
use super::remake::MadeHop;
use link::audio_ring::MONITORING_REVISION;
use link::identity::InstanceId;
use plugin_core::Output;
use session::record::{SessionMember, StemId, StemSetting};

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
    /// Replaces the recorder's set of stems; known stems keep their settings.
    fn set_stems(&mut self, stems: Vec<InstanceId>) {
        let known = self.recorder.members().to_vec();
        let setting = |id: StemId| {
            known
                .iter()
                .find(|member| member.id == id)
                .map_or(StemSetting::default(), |member| member.setting)
        };
        let ids = stems.iter().map(|id| StemId(id.get()));
        let members: Vec<SessionMember> = ids.map(|id| SessionMember { id, setting: setting(id) }).collect();
        self.set += 1;
        self.recorder.set_stems(self.set, &members);
        self.steadiness = vec![SettingSteadiness::default(); stems.len()];
        self.stems = stems;
        self.has_news = true;
    }

    /// Records and fits one hop of `stems`. Hops are fitted one by one, so that results do not depend on how many
    /// wait.
    pub(super) fn record(&mut self, (mut hop, made_with): MadeHop, stems: &[InstanceId]) {
        if self.stems != stems || self.set == 0 {
            self.set_stems(stems.to_vec());
        }
        hop.set = self.set;
        let stems = self.stems.iter().zip(&made_with).zip(&mut self.steadiness);
        for (index, ((id, made), steadiness)) in stems.enumerate() {
            let steady = steadiness.push_hop(made.changed);
            if made.revision == MONITORING_REVISION || !steady {
                hop.heard &= !(1 << index);
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
