//! Audio across the bridge.

use super::*;
use crate::ring::Mark;
use testkit::noise;

const RATE: f64 = 8000.0;

/// Writes blocks of `block` frames from `position` on: `song` as output, half of it as input.
fn play(outlet: &mut AudioWriter, song: &[f64], position: usize, blocks: usize, block: usize, jumped: bool) {
    for n in 0..blocks {
        let at = position + n * block;
        let output = &song[at..at + block];
        let input: Vec<f64> = output.iter().map(|x| x * 0.5).collect();
        let place = BlockPosition { position: Some(at as i64), segment: 0, jumped: jumped && n == 0 };
        outlet.write(place, [&input, output], [output, &input]);
    }
}

/// Waits for the frames at `position` and checks them against the song.
#[track_caller]
fn expect(peer: PeerView, song: &[f64], position: usize, frames: usize, after: u64) -> u64 {
    let (ring, span) = eventually("the frames", || {
        let ring = peer.audio()?;
        let span = ring.timeline()?.find(position as i64, after)?;
        (span.frames >= frames as u64).then_some((ring, span))
    });
    let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
    let f32s = |scale: f64| -> Vec<f64> {
        song[position..position + frames].iter().map(|x| f64::from((x * scale) as f32)).collect()
    };
    assert!(ring.read(Side::Output, span.counter, [&mut left, &mut right]));
    assert!(left == f32s(1.0) && right == f32s(0.5));
    assert!(ring.read(Side::Input, span.counter, [&mut left, &mut right]));
    assert!(left == f32s(0.5) && right == f32s(1.0));
    assert_eq!(
        ring.mark(span.counter).map(|Mark { revision, level, .. }| (revision, level)),
        Some((3, Db(-1.0)))
    );
    span.counter
}

fn ready(bridge: &'static Bridge) -> (Membership, Arc<Puppet>) {
    let (mut drums, puppet) = stem(bridge, "Drums");
    drums.outlet.tell(&BlockStatus { blocks: 1, rate: Hz(RATE), ..BlockStatus::default() });
    drums.outlet.prepare(Hz(RATE));
    drums.outlet.mark(3, Db(-1.0));
    (drums, puppet)
}

/// Writes a block of silence that belongs nowhere on the timeline.
fn rest(outlet: &mut AudioWriter, jumped: bool) {
    let silence = [0.0; 1024];
    outlet.write(BlockPosition { position: None, segment: 0, jumped }, [&silence; 2], [&silence; 2]);
}

/// Waits until audio crosses.
fn listened(here: &'static Bridge, meeting: &Meeting, drums: &mut Membership) {
    rest(&mut drums.outlet, true);
    eventually("a chunk in the file", || {
        rest(&mut drums.outlet, false);
        link_length(meeting, here).filter(|&length| length > format::AUDIO_AT)
    });
}

/// The size of the file of the only instance of a process.
fn link_length(meeting: &Meeting, bridge: &'static Bridge) -> Option<u64> {
    let nonce = bridge.process.get()?.nonce;
    let own = |name: &String| names::owner(name) == Some(nonce) && !names::is_lock(name);
    let name = meeting.names().into_iter().find(own)?;
    Some(fs::metadata(meeting.folder().join(name)).ok()?.len())
}

#[test]
fn what_a_master_listens_to_crosses_to_the_bit() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = ready(here);
    let (_mix, _) = master(there);
    let seen = meet(there, "Drums");
    listened(here, &meeting, &mut drums);

    let song = noise(1, 40_000, 0.5);
    play(&mut drums.outlet, &song, 1000, 10, 777, true);
    let first = expect(seen, &song, 1000, 7770, 0);
    // a loop: the same place again, in another pass
    play(&mut drums.outlet, &song, 1000, 10, 512, true);
    let second = expect(seen, &song, 1000, 5120, first + 1);
    assert!(second > first);
    // a rest shorter than a chunk comes too
    play(&mut drums.outlet, &song, 30_000, 1, 100, true);
    expect(seen, &song, 30_000, 100, 0);
    assert_eq!(seen.audio().unwrap().length(), 1 << 15);
}

#[test]
fn audio_crosses_only_while_somebody_listens() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = ready(here);
    let puppet = Puppet::new(Kind::Master, "Mix");
    *lock(&puppet.listens) = false;
    let mix = there.join(None, Arc::clone(&puppet) as _).unwrap();
    let seen = meet(there, "Drums");
    let song = noise(1, 40_000, 0.5);
    play(&mut drums.outlet, &song, 0, 10, 1024, true);
    std::thread::sleep(Duration::from_millis(50));
    assert!(seen.audio().is_none());
    assert!(link_length(&meeting, here) <= Some(format::AUDIO_AT));

    *lock(&puppet.listens) = true;
    listened(here, &meeting, &mut drums);
    *lock(&puppet.listens) = false;
    eventually("memory given back", || {
        link_length(&meeting, here).filter(|&length| length == format::AUDIO_AT)
    });

    *lock(&puppet.listens) = true;
    listened(here, &meeting, &mut drums);
    play(&mut drums.outlet, &song, 20_000, 4, 1024, true);
    expect(seen, &song, 20_000, 4096, 0);
    drop(mix);
    eventually("memory given back", || {
        link_length(&meeting, here).filter(|&length| length == format::AUDIO_AT)
    });
}

#[test]
fn an_hour_leaves_a_file_of_the_same_size() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = ready(here);
    let (_mix, _) = master(there);
    let seen = meet(there, "Drums");
    listened(here, &meeting, &mut drums);
    let song = noise(1, 40_000, 0.5);
    let most = format::AUDIO_AT + format::CHUNKS * 8 * (8 + 2 * format::CHUNK_FRAMES as u64);
    // a hundred times around the file, as fast as the bridge takes it
    let mut after = 0;
    for round in 0..100 {
        play(&mut drums.outlet, &song, 0, 32, 1024, true);
        after = expect(seen, &song, 0, 1024 * if round % 10 == 0 { 1 } else { 30 }, after) + 1;
        assert!(link_length(&meeting, here).unwrap() <= most);
    }
    assert_eq!(link_length(&meeting, here), Some(most));
    assert_eq!(seen.audio().unwrap().length(), 1 << 15);
}

#[test]
fn a_ring_of_another_size_goes_on_crossing() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = ready(here);
    let (_mix, _) = master(there);
    let seen = meet(there, "Drums");
    listened(here, &meeting, &mut drums);
    drums.outlet.prepare(Hz(96_000.0));
    drums.outlet.tell(&BlockStatus { blocks: 2, rate: Hz(96_000.0), ..BlockStatus::default() });
    drums.outlet.mark(3, Db(-1.0));
    eventually("a larger ring", || seen.audio().filter(|ring| ring.length() == 1 << 19));
    let song = noise(1, 40_000, 0.5);
    std::thread::sleep(Duration::from_millis(20));
    play(&mut drums.outlet, &song, 0, 8, 1024, true);
    expect(seen, &song, 0, 8192, 0);
}

#[test]
fn a_listener_that_comes_back_is_not_held_up_by_what_it_missed() {
    let meeting = Meeting::new();
    let (here, there) = (meeting.process(), meeting.process());
    let (mut drums, _) = ready(here);
    let (_mix, puppet) = master(there);
    let seen = meet(there, "Drums");
    let song = noise(1, 100_000, 0.5);
    let mut after = 0;
    for round in 0..20 {
        *lock(&puppet.listens) = true;
        listened(here, &meeting, &mut drums);
        play(&mut drums.outlet, &song, round * 5000, 4, 1024, true);
        after = expect(seen, &song, round * 5000, 4096, after) + 1;
        // more is written until the other side notices that nobody listens
        *lock(&puppet.listens) = false;
        rest(&mut drums.outlet, true);
        eventually("memory given back", || {
            rest(&mut drums.outlet, false);
            link_length(&meeting, here).filter(|&length| length == format::AUDIO_AT)
        });
    }
}
