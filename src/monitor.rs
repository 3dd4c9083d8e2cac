//! Monitor path behind the meters: the output at another gain, muted, or replaced by a reference. Meters and link
//! keep measuring the output.

use super::broadcast::TransportPosition;
use super::reference_player::ReferencePlayer;
use chain::monitor::MonitorMode;
use dsp::Smoother;
use plugin_core::reference_clip::ClipInbox;
use units::Hz;

/// Last stage before the host.
#[derive(Debug)]
pub(super) struct Monitor {
    gain: Smoother,
    rate: Hz,
    /// Reference player; `None` without a source of clips.
    player: Option<ReferencePlayer>,
}

impl Monitor {
    /// Creates a monitor that passes the output.
    pub(super) fn new(rate: Hz) -> Self {
        Self { gain: fade(1.0, rate), rate, player: None }
    }

    /// Connects the source of reference clips.
    pub(super) fn connect_inbox(&mut self, inbox: Option<ClipInbox>) {
        self.player = inbox.map(|inbox| ReferencePlayer::new(self.rate, inbox));
    }

    /// Disconnects and returns the source of reference clips.
    pub(super) fn disconnect_inbox(&mut self) -> Option<ClipInbox> {
        self.player.take().map(ReferencePlayer::into_inbox)
    }

    /// Selects the monitor mode, with a fade. Returns the mode that the chain has to apply.
    pub(super) fn set_mode(&mut self, mode: MonitorMode) -> MonitorMode {
        let (inside, gain, song) = match mode {
            MonitorMode::Gain(gain) | MonitorMode::Unity(gain) => (MonitorMode::Off, gain.gain(), None),
            MonitorMode::Mute => (MonitorMode::Off, 0.0, None),
            MonitorMode::Reference { song, gain } => (MonitorMode::Off, 1.0, Some((song, gain))),
            mode => (mode, 1.0, None),
        };
        self.gain.set_target(gain);
        if let Some(player) = &mut self.player {
            player.select_reference(song);
        }
        inside
    }

    /// Returns to the output at once.
    pub(super) fn reset(&mut self) {
        self.gain.set_now(1.0);
        if let Some(player) = &mut self.player {
            player.reset();
        }
    }

    /// Processes both channels in place, equally long, `start` frames into the host's block.
    pub(super) fn process(
        &mut self,
        left: &mut [f64],
        right: &mut [f64],
        transport: TransportPosition,
        start: usize,
    ) {
        if !self.gain.is_settled_at(1.0) {
            for (left, right) in left.iter_mut().zip(&mut *right) {
                let gain = self.gain.tick();
                *left *= gain;
                *right *= gain;
            }
        }
        if let Some(player) = &mut self.player {
            player.process(left, right, transport, start);
        }
    }
}

/// Linear per-frame smoother from `value`, with the standard fade time.
pub(super) fn fade(value: f64, rate: Hz) -> Smoother {
    Smoother::by_frames(value, Smoother::TIME, rate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::Db;

    #[test]
    fn a_level_is_reached_without_a_step_and_left_without_a_trace() {
        let mut monitor = Monitor::new(Hz(48_000.0));
        let run = |monitor: &mut Monitor| {
            let (mut left, mut right) = (vec![1.0; 2000], vec![-1.0; 2000]);
            monitor.process(&mut left[..700], &mut right[..700], TransportPosition::default(), 0);
            monitor.process(&mut left[700..], &mut right[700..], TransportPosition::default(), 700);
            let steps = left.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f64::max);
            assert!(left.iter().zip(&right).all(|(l, r)| *l == -r));
            (steps, left[0], left[1999])
        };
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0));
        assert_eq!(monitor.set_mode(MonitorMode::Gain(Db(-6.0))), MonitorMode::Off);
        let (steps, first, last) = run(&mut monitor);
        assert!(steps < 0.001 && first > 0.99 && last == Db(-6.0).gain(), "{steps} {first} {last}");
        assert_eq!(monitor.set_mode(MonitorMode::Mono), MonitorMode::Mono, "that is a chain's");
        assert_eq!(run(&mut monitor).2, 1.0);
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0), "to the bit");
        assert_eq!(monitor.set_mode(MonitorMode::Mute), MonitorMode::Off);
        let (steps, _, last) = run(&mut monitor);
        assert!(steps < 0.002 && last == 0.0, "{steps} {last}");
        monitor.set_mode(MonitorMode::Gain(Db(3.0)));
        run(&mut monitor);
        monitor.reset();
        assert_eq!(run(&mut monitor), (0.0, 1.0, 1.0));
    }
}
