//! The transport never changes the sound: absent, jumping, mad.

use super::{PLUGINS, RATE, typed};
use hosttests::host::transport;
use hosttests::{Call, Event, Library, Plugin, Random, noise};

/// Position and tempo of a transport that jumps at random.
fn jump(random: &mut Random) -> (f64, f64) {
    let seconds = match random.below(4) {
        0 => 0.0,
        1 => -2.5,
        2 => random.unit() * 36_000.0,
        _ => 1e9,
    };
    (seconds, [0.0, 1.0, 120.0, 999.0][random.below(4)])
}

#[test]
fn no_transport_can_be_heard() {
    let library = Library::open();
    for (id, _) in PLUGINS {
        let input = noise(4, 2, 128 * 60, 0.9);
        let run = |interval: Option<usize>| {
            let mut random = Random::new(9);
            let mut plugin = Plugin::new(&library, id);
            let changes = typed(&mut plugin);
            plugin.flush(&changes);
            plugin.activate(RATE, 128);
            let mut all = vec![Vec::new(); 2];
            for at in (0..input[0].len()).step_by(128) {
                let mut block: Vec<Vec<f32>> = input.iter().map(|c| c[at..at + 128].to_vec()).collect();
                let (seconds, tempo) = jump(&mut random);
                let now = interval.map(|_| transport(0, seconds, tempo));
                // a tempo map: several transports within the block
                let events: Vec<Event> = (0..128)
                    .step_by(interval.unwrap_or(128))
                    .skip(1)
                    .map(|frame| {
                        let (seconds, tempo) = jump(&mut random);
                        Event::Transport(transport(frame as u32, seconds, tempo))
                    })
                    .collect();
                let call = Call { events: &events, transport: now.as_ref(), ..Call::default() };
                plugin.call(&mut block, call);
                all.iter_mut().zip(&block).for_each(|(all, block)| all.extend_from_slice(block));
            }
            all
        };
        let without = run(None);
        assert!(without != input);
        for interval in [1000, 100, 17, 1] {
            assert!(run(Some(interval)) == without, "{id}: a transport every {interval} frames");
        }
    }
}
