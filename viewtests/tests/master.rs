//! Actions of a user at a Master, by accessible names: ghost faders, trims, order, platforms, lists, tabs.

use ::session::audition::Audition;
use ::session::record::StemId;
use ::session::stem_status::StemStatus;
use chain::monitor::MonitorMode;
use editor::edits::Edit;
use editor::master::checklist;
use editor::theme::Palette;
use editor::view_model::ViewModel;
use egui::{Key, Modifiers, Pos2, Rect, Vec2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use plugin_core::command::{Proposal, TrimRequest};
use plugin_core::session_view::{BusPosition, TrimRequestState};
use units::Db;
use viewtests::bench::{self, Driven, middle, pull};
use viewtests::hands::{press, says, turn, type_keys};
use viewtests::session;

const USUAL: Vec2 = vec2(1000.0, 640.0);

fn master(model: ViewModel) -> Driven {
    bench::view(model, Palette::DARK, USUAL, 1.0)
}

fn five() -> Driven {
    master(session::five())
}

/// Drags without releasing.
fn take(driven: &mut Driven, from: Pos2, to: Pos2) {
    pull(driven, from, to);
    driven.run();
}

fn requests(driven: &Driven) -> Vec<TrimRequest> {
    let request = |edit: &Edit| if let Edit::RequestTrim(request) = edit { Some(*request) } else { None };
    driven.state().done.iter().filter_map(request).collect()
}

fn predicted(driven: &Driven) -> Option<Option<Proposal>> {
    driven
        .state()
        .done
        .iter()
        .rev()
        .find_map(|edit| if let Edit::Predict(of) = edit { Some(*of) } else { None })
}

/// The last solo, mute or bypass.
fn audition(driven: &Driven) -> Option<Option<(StemId, Audition)>> {
    let edits = driven.state().done.iter().rev();
    edits.into_iter().find_map(|edit| if let Edit::Audition(of) = edit { Some(*of) } else { None })
}

#[test]
fn stems_are_heard_alone_muted_and_bypassed_by_their_switches_and_everybody_sees_it() {
    let mut driven = five();
    assert!(says(&driven, "5 stems") && !says(&driven, "Listening to"));
    for (name, stem, wanted) in [
        ("Mute Bass", 2, Audition::Mute),
        ("Bypass Keys", 3, Audition::Bypass),
        ("Solo Drums", 1, Audition::Solo),
    ] {
        driven.get_by_label(name).click();
        driven.run();
        assert_eq!(audition(&driven), Some(Some((StemId(stem), wanted))), "{name}");
    }
    assert!(says(&driven, "Listening to Drums soloed, Bass muted, Keys bypassed"));
    let listening = &checklist(&driven.state().model)[0];
    assert!(!listening.done && listening.words.ends_with("Bass, Keys, Lead Vocals, FX"), "{listening:?}");
    // what is not listened to is muted, whatever else is wanted of it
    assert_eq!(driven.query_all_by_label_contains("muted here").count(), 4);
    driven.get_by_label("Solo Drums").click();
    driven.run();
    assert!(says(&driven, "Bass muted here") && says(&driven, "Keys bypassed here"));
    assert!(!says(&driven, "Drums muted here"));
    // Ctrl: it alone
    driven.get_by_label("Solo FX").click_modifiers(Modifiers::COMMAND);
    driven.run();
    assert!(
        driven
            .state()
            .done
            .ends_with(&[Edit::Audition(None), Edit::Audition(Some((StemId(5), Audition::Solo)))])
    );
    driven.get_by_label("Listening to FX soloed").click();
    driven.run();
    assert_eq!(audition(&driven), Some(None));
    assert!(says(&driven, "5 stems") && !says(&driven, "here"));
}

#[test]
fn where_there_is_no_room_for_switches_the_menu_of_a_name_has_them() {
    let mut driven = bench::view(session::thirty_two(), Palette::DARK, vec2(760.0, 480.0), 1.0);
    assert!(driven.query_by_label("Mute Bass 2").is_none());
    driven.get_by_label("Bass 2 Bass").click_secondary();
    driven.run();
    driven.get_by_label("Mute").click();
    driven.run();
    assert_eq!(audition(&driven), Some(Some((StemId(2), Audition::Mute))));
    assert!(says(&driven, "Bass 2 muted here"));
    driven.get_by_label_contains("Bass 2 muted here").click_secondary();
    driven.run();
    driven.get_by_label("Clear solo, mute, bypass").click();
    driven.run();
    assert_eq!(audition(&driven), Some(None));
}

const GHOST: &str = "Lead Vocals: what if";

#[test]
fn a_ghost_fader_says_its_price_and_stays_with_a_cross_and_its_time_until_it_is_forgotten() {
    let mut driven = five();
    let at = middle(&driven, GHOST);
    take(&mut driven, at, at + vec2(20.0, 0.0));
    let Some(Some(proposal)) = predicted(&driven) else { panic!("nothing is predicted") };
    assert!(proposal.stem == StemId(4) && proposal.gain.0 > 1.0, "{proposal:?}");
    assert!(says(&driven, "If Lead Vocals +") && says(&driven, "into the master") && says(&driven, "exact*"));
    assert!(says(&driven, "* if no device"), "what cannot be known stands where the word stands");
    assert!(says(&driven, "simulated, 20 s ±0.05 LU") && says(&driven, "LUFS (+"));
    // every other stem's own change
    let others = driven.state().model.master.answer.as_ref().and_then(|a| a.platform_changes()[0].others);
    let others = format!("\u{2212}{:.1} dB", -others.expect("known").0);
    assert_eq!(driven.query_all_by_label(&others).count(), 4, "{others}");
    driven.drop_at(at + vec2(20.0, 0.0));
    driven.run();
    // let go it stays where it is, and says for how long
    let stays = format!("+{:.1} dB", proposal.gain.0);
    assert_eq!(driven.get_by_label(GHOST).value().as_deref(), Some(stays.as_str()));
    assert!(says(&driven, "into the master") && says(&driven, "30 s"));
    driven.get_by_label("Forget the move").click();
    driven.run();
    assert_eq!(predicted(&driven), Some(None), "forgotten");
    assert!(!says(&driven, "into the master") && requests(&driven).is_empty());
    assert_eq!(driven.get_by_label(GHOST).value().as_deref(), Some("0.0 dB"));
    // or by itself
    take(&mut driven, at, at + vec2(20.0, 0.0));
    driven.drop_at(at + vec2(20.0, 0.0));
    driven.run_steps(60 * 29);
    assert!(says(&driven, "into the master") && (says(&driven, "1 s") || says(&driven, "2 s")));
    driven.run_steps(60 * 3);
    assert!(predicted(&driven) == Some(None) && !says(&driven, "into the master"));
}

#[test]
fn a_point_of_a_ghost_fader_is_about_a_tenth_of_a_decibel_and_a_kept_move_goes_on_from_where_it_is() {
    let mut driven = five();
    let at = middle(&driven, GHOST);
    let gain = |driven: &Driven| predicted(driven).flatten().map(|proposal: Proposal| proposal.gain.0);
    take(&mut driven, at, at + vec2(10.0, 0.0));
    driven.drop_at(at + vec2(10.0, 0.0));
    driven.run();
    let first = gain(&driven).expect("moved");
    assert!((0.3..1.3).contains(&first), "{first}");
    let handle = at + vec2(10.0, 0.0);
    take(&mut driven, handle, handle + vec2(10.0, 0.0));
    driven.drop_at(handle + vec2(10.0, 0.0));
    driven.run();
    let second = gain(&driven).expect("moved");
    assert!((0.3..1.3).contains(&(second - first)), "{first} {second}");
    // another stem's move takes its place
    let other = middle(&driven, "Bass: what if");
    take(&mut driven, other, other - vec2(15.0, 0.0));
    assert!(says(&driven, "If Bass") && !says(&driven, "If Lead Vocals"));
    driven.drop_at(other - vec2(15.0, 0.0));
    driven.run();
    driven.get_by_label("Bass: what if").focus();
    driven.run();
    driven.key_press(Key::Escape);
    driven.run();
    assert_eq!(predicted(&driven), Some(None));
}

#[test]
fn what_was_tried_is_applied_once_by_its_button() {
    let mut driven = five();
    let at = middle(&driven, "Bass: what if");
    take(&mut driven, at, at - vec2(16.0, 0.0));
    driven.drop_at(at - vec2(16.0, 0.0));
    driven.run();
    let Some(Some(proposal)) = predicted(&driven) else { panic!("it stays") };
    assert!(says(&driven, "If Bass"));
    driven.get_by_label_contains("dB to Bass").click();
    driven.run();
    let trim = Db(-0.5 + proposal.gain.0);
    assert_eq!(requests(&driven), [TrimRequest { stem: StemId(2), base: 102, trim }]);
    assert_eq!(driven.state().model.snapshot.stems[1].trim, trim);
    assert_eq!(predicted(&driven), Some(None));
    assert!(driven.query_by_label_contains("dB to Bass").is_none(), "there is nothing left to apply");
}

/// The trims that stems have.
fn trims(driven: &Driven) -> Vec<f64> {
    driven.state().model.snapshot.stems.iter().map(|stem| stem.trim.0).collect()
}

#[test]
fn trims_are_taken_back_one_gesture_at_a_time_and_all_at_once_in_one() {
    let mut driven = five();
    let before = trims(&driven);
    driven.get_by_label("Drums: what if").focus();
    driven.run();
    type_keys(&mut driven, "-3,5");
    driven.key_press(Key::Enter);
    driven.run();
    let applied = trims(&driven);
    assert_eq!((before[0], applied[0]), (0.0, -3.5));
    driven.get_by_label("Bass Trim").click_secondary();
    driven.run();
    driven.get_by_label("No trims at all").click();
    driven.run();
    assert_eq!(trims(&driven), [0.0; 5]);
    driven.get_by_label("Undo").click();
    driven.run();
    assert_eq!(trims(&driven), applied, "one step for all of them");
    driven.get_by_label("Undo").click();
    driven.run();
    assert_eq!(trims(&driven), before);
    driven.get_by_label("Redo").click();
    driven.run();
    assert_eq!(trims(&driven), applied);
    // what a Stem has not answered waits
    session::snapshot(&mut driven.state_mut().model).stems[1].request = TrimRequestState::Asked(Db(1.0));
    driven.run();
    driven.get_by_label("Undo").click();
    driven.run();
    assert_eq!(trims(&driven), applied);
}

#[test]
fn a_ghost_fader_obeys_the_keyboard_alone() {
    let mut driven = five();
    driven.get_by_label("Drums: what if").focus();
    driven.run();
    for _ in 0..3 {
        driven.key_press(Key::ArrowUp);
        driven.run();
    }
    assert_eq!(predicted(&driven), Some(Some(Proposal { stem: StemId(1), gain: Db(1.5) })));
    driven.key_press(Key::Escape);
    driven.run();
    assert_eq!(predicted(&driven), Some(None));
    type_keys(&mut driven, "-3,5");
    assert_eq!(predicted(&driven), Some(Some(Proposal { stem: StemId(1), gain: Db(-3.5) })), "typed");
    assert!(says(&driven, "If Drums \u{2212}3.5 dB") && requests(&driven).is_empty());
    driven.key_press(Key::Enter);
    driven.run();
    assert_eq!(requests(&driven), [TrimRequest { stem: StemId(1), base: 101, trim: Db(-3.5) }]);
    // the keyboard goes on with Tab, and what it leaves stays for a while
    driven.key_press(Key::ArrowUp);
    driven.run();
    driven.key_press(Key::Tab);
    driven.run();
    assert!(says(&driven, "If Drums +0.5 dB"));
    driven.get_by_label("Apply +0.5 dB to Drums").focus();
    driven.run();
    driven.key_press(Key::Enter);
    driven.run();
    assert_eq!(requests(&driven).len(), 2);
    assert_eq!(predicted(&driven), Some(None));
}

#[test]
fn the_wheel_turns_a_ghost_fader_in_half_decibels() {
    let mut driven = five();
    let at = middle(&driven, GHOST);
    turn(&mut driven, at, 2.0);
    assert_eq!(predicted(&driven), Some(Some(Proposal { stem: StemId(4), gain: Db(1.0) })));
    driven.hover_at(Pos2::new(300.0, 500.0));
    driven.run();
    assert!(says(&driven, "If Lead Vocals +1.0 dB") && says(&driven, "30 s"));
}

#[test]
fn a_trim_is_typed_and_nonsense_is_no_trim() {
    let mut driven = five();
    press(&mut driven, "Keys Trim");
    type_keys(&mut driven, "-2.5 dB");
    assert_eq!(requests(&driven), [TrimRequest { stem: StemId(3), base: 103, trim: Db(-2.5) }]);
    assert_eq!(driven.get_by_label("Keys Trim").value().as_deref(), Some("\u{2212}2.5 dB"));
    driven.run_steps(40); // or it were a double click
    press(&mut driven, "Keys Trim");
    driven.key_press(Key::Enter);
    driven.run();
    type_keys(&mut driven, "loud");
    assert_eq!(requests(&driven).len(), 1);
    driven.get_by_label("FX Trim").focus();
    driven.run();
    driven.key_press(Key::Delete);
    driven.run();
    assert_eq!(requests(&driven)[1].trim, Db(0.0));
}

#[test]
fn a_trim_is_dragged_finely_with_shift_put_back_and_asked_for_once_per_gesture() {
    let mut driven = five();
    let before = driven.state().model.snapshot.stems[2].trim;
    let at = middle(&driven, "Keys Trim");
    take(&mut driven, at, at - vec2(0.0, 30.0));
    assert!(requests(&driven).is_empty(), "nothing is asked while the hand is on it");
    driven.drop_at(at - vec2(0.0, 30.0));
    driven.run();
    let [TrimRequest { stem: StemId(3), base: 103, trim }] = requests(&driven)[..] else {
        panic!("{:?}", requests(&driven))
    };
    let coarse = trim.0 - before.0;
    assert!(coarse > 1.0, "{coarse}");
    driven.event(egui::Event::ModifiersChanged(egui::Modifiers::SHIFT));
    take(&mut driven, at, at - vec2(0.0, 30.0));
    driven.drop_at(at - vec2(0.0, 30.0));
    driven.run();
    driven.event(egui::Event::ModifiersChanged(egui::Modifiers::NONE));
    let fine = requests(&driven)[1].trim.0 - trim.0;
    assert!(requests(&driven).len() == 2 && fine > 0.05 && fine < coarse / 5.0, "{fine} {coarse}");
    driven.run_steps(40); // or it were the second click of the first
    driven.hover_at(at);
    driven.step();
    for pressed in [true, false, true, false] {
        let (pos, button, modifiers) = (at, egui::PointerButton::Primary, egui::Modifiers::NONE);
        driven.event(egui::Event::PointerButton { pos, button, pressed, modifiers });
    }
    driven.run();
    assert_eq!(requests(&driven)[2..].iter().map(|request| request.trim).collect::<Vec<_>>(), [Db(0.0)]);
}

#[test]
fn songs_are_made_from_the_loop_named_and_removed() {
    let mut driven = five();
    let songs = |driven: &Driven| -> Vec<(String, f64, f64)> {
        let songs = driven.state().model.master.songs.iter();
        songs.map(|song| (song.name.clone(), song.start.0, song.end.0)).collect()
    };
    press(&mut driven, "Songs");
    press(&mut driven, "New song from the loop: 1:00 to 2:30");
    assert_eq!(songs(&driven), [("Song 1".to_owned(), 60_000.0, 150_000.0)]);
    assert!(says(&driven, "Song 1  \u{2212}9.0 LUFS"), "it stands over its range");
    driven.get_by_label("Name of Song 1").focus();
    driven.run();
    driven.key_press_modifiers(Modifiers::COMMAND, Key::A);
    driven.run();
    type_keys(&mut driven, "Dawn");
    assert_eq!(songs(&driven)[0].0, "Dawn");
    press(&mut driven, "Remove Dawn");
    assert!(songs(&driven).is_empty());
}

#[test]
fn the_song_is_heard_as_a_platform_plays_it_and_goes_along_with_it() {
    let mut driven = five();
    let gain = |driven: &Driven, index: usize| {
        driven.state().model.master.platforms[index]
            .playback
            .and_then(|playback| playback.gain)
            .expect("known")
    };
    let first = gain(&driven, 0);
    press(&mut driven, "Listen normalized");
    assert_eq!(driven.state().model.listen, MonitorMode::Gain(first));
    assert!(driven.query_by_label_contains("Listening to the normalized output").is_some());
    // another platform, another level
    let other = (1..driven.state().model.master.platforms.len())
        .find(|&i| {
            driven.state().model.master.platforms[i]
                .playback
                .and_then(|p| p.gain)
                .is_some_and(|g| (g.0 - first.0).abs() > 0.5)
        })
        .expect("they differ");
    let name = driven.state().model.master.platforms[other].id.clone();
    let name = driven.state().model.master.target(&name).expect("a rule").name.clone();
    press(&mut driven, &name);
    assert_eq!(driven.state().model.listen, MonitorMode::Gain(gain(&driven, other)));
    press(&mut driven, "Listen normalized");
    assert_eq!(driven.state().model.listen, MonitorMode::Off);
}

#[test]
fn estimates_say_so_with_their_width_and_what_they_leave_out() {
    let mut driven = master(session::lost());
    let at = middle(&driven, "Keys: what if");
    take(&mut driven, at, at + vec2(20.0, 0.0));
    assert!(says(&driven, "estimate ±0.34 LU") && says(&driven, "returns not included"));
    assert!(!says(&driven, "exact"));
}

#[test]
fn the_first_minute_says_more_and_more() {
    let says_at = |seconds: f64, words: &str| says(&master(session::heard(seconds)), words);
    assert!(says(&master(session::empty()), "No stems yet"));
    assert!(says(&master(session::waiting()), "5 stems. Press play."));
    assert!(!says(&master(session::waiting()), "Links explain"));
    assert!(says_at(1.0, "5 stems. Listening.") && !says_at(1.0, "Links explain"));
    assert!(says_at(4.0, "Links explain 99.998 %") && says_at(4.0, "After 30 s of music"));
    assert!(says_at(12.0, "So far") && says_at(12.0, "After 30 s of music; heard 0:12."));
    assert!(!says_at(12.0, "Loudest 20 s"));
    assert!(says_at(31.0, "Spotify Normal") && says_at(31.0, "heard 0:31") && says_at(31.0, "Loudest 20 s"));
}

#[test]
fn integrated_never_appears_without_its_heard_time() {
    for model in [session::heard(1.0), session::five(), session::crowded()] {
        let driven = master(model);
        let integrated = driven.get_by_label("Integrated").rect();
        let heard = driven.get_by_label("Heard").rect();
        // between them is the bar of loudness alone
        assert!((heard.min.y - integrated.max.y).abs() < 32.0, "{integrated} {heard}");
        assert!(heard.max.y <= driven.get_by_label("Momentary").rect().min.y + 1.0);
        assert_ne!(driven.get_by_label("Heard").value().as_deref(), Some("0:00 "));
    }
}

#[test]
fn what_is_not_explained_has_one_cause_and_one_button() {
    let mut driven = master(session::lost());
    assert!(says(&driven, "Links explain 96.2 %") && says(&driven, "Returns of Lead Vocals"));
    press(&mut driven, "It moves along");
    assert_eq!(driven.state().model.snapshot.follows, Some(StemId(4)));
    press(&mut driven, "It moves along");
    assert_eq!(driven.state().model.snapshot.follows, None);
    let mut driven = master(session::crowded());
    press(&mut driven, "It is meant");
    assert_eq!(driven.state().done.last(), Some(&Edit::ConfirmMute(StemId(3))));
}

#[test]
fn states_of_links_are_said_in_words_and_only_stems_that_are_there_can_be_asked() {
    let driven = master(session::lost());
    for words in ["gone", "not responding", "other session", "other sampling rate", "bypassed", "monitoring"]
    {
        assert!(says(&driven, words), "{words}");
    }
    assert!(
        driven.query_by_label("Drums: what if").is_none() && driven.query_by_label("Bass: what if").is_some()
    );
}

#[test]
fn a_stem_that_goes_while_it_is_dragged_is_forgotten() {
    let mut driven = five();
    let at = middle(&driven, GHOST);
    take(&mut driven, at, at + vec2(20.0, 0.0));
    session::snapshot(&mut driven.state_mut().model).stems[3].status = StemStatus::Gone;
    driven.run();
    assert_eq!(predicted(&driven), Some(None));
}

/// The names in the table, from top to bottom.
fn names(driven: &Driven) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = driven
        .query_all_by_role(egui::accesskit::Role::ListItem)
        .map(|node| (node.rect().min.y, node.accesskit_node().label().unwrap_or_default()))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn stems_stand_by_hand_or_by_share() {
    let mut driven = five();
    let first = |driven: &Driven| names(driven)[0].clone();
    assert!(first(&driven).starts_with("Drums"));
    driven.get_by_label_contains("Lead Vocals Vocals").click_secondary();
    driven.run();
    press(&mut driven, "Move up");
    assert!(names(&driven)[2].starts_with("Lead Vocals"), "{:?}", names(&driven));
    press(&mut driven, "Order of stems");
    press(&mut driven, "Largest share first");
    let order = names(&driven);
    assert!(
        order[0].starts_with("Lead Vocals") && order[1].starts_with("Drums") && order[4].starts_with("FX")
    );
}

#[test]
fn thirty_two_stems_scroll_by_wheel_and_keyboard() {
    let mut driven = master(session::thirty_two());
    let seen = names(&driven).len();
    assert!((8..32).contains(&seen), "{seen}");
    assert!(says(&driven, "inside Keys 3"));
    driven.get_by_label("More stems").focus();
    driven.run();
    for _ in 0..6 {
        driven.key_press(Key::PageDown);
        driven.run();
    }
    assert!(says(&driven, "Unlinked") && says(&driven, "Keys 31"), "{:?}", names(&driven));
}

#[test]
fn every_thing_is_reached_by_tab_in_the_order_of_the_eye() {
    let mut driven = five();
    let mut seen: Vec<Rect> = Vec::new();
    for _ in 0..60 {
        driven.key_press(Key::Tab);
        driven.run();
        let Some(id) = driven.ctx.memory(|memory| memory.focused()) else { continue };
        let Some(response) = driven.ctx.read_response(id) else { continue };
        if seen.contains(&response.rect) {
            break;
        }
        seen.push(response.rect);
    }
    assert!(seen.len() > 25, "{}", seen.len());
    // ghost faders come from the top to the bottom
    let ghosts: Vec<f32> = ["Drums", "Bass", "Keys", "Lead Vocals", "FX"]
        .map(|name| driven.get_by_label(&format!("{name}: what if")).rect())
        .iter()
        .map(|rect| seen.iter().position(|one| one == rect).expect("reached by Tab") as f32)
        .collect();
    assert!(ghosts.windows(2).all(|pair| pair[0] < pair[1]), "{ghosts:?}");
}

#[test]
fn the_list_before_a_print_is_of_what_is_open() {
    assert!(
        checklist(&session::finished()).iter().all(|point| point.done),
        "{:?}",
        checklist(&session::finished())
    );
    let open: Vec<bool> = checklist(&session::lost()).iter().map(|point| point.done).collect();
    assert_eq!(open, [false, false, false, false, true, false], "{:?}", checklist(&session::lost()));
    assert!(checklist(&session::waiting()).iter().filter(|point| !point.done).count() == 3);
    let mut driven = master(session::lost());
    press(&mut driven, "Checklist: 5 open");
    for words in
        ["Listening to something else: Lead Vocals", "Bypassed: Keys", "Not linked: Drums, Bass, Old Strings"]
    {
        assert!(says(&driven, words), "{words}");
    }
    assert!(says(&master(session::finished()), "Ready to print"));
}

#[test]
fn a_session_is_exported_from_the_list_which_says_where_it_is_and_what_is_lacking() {
    let mut driven = master(session::lost());
    press(&mut driven, "Checklist: 5 open");
    press(&mut driven, "Export session\u{2026}");
    let asked = driven.state().done.iter().filter(|edit| **edit == Edit::ExportSession).count();
    assert_eq!(asked, 1);
    assert!(says(&driven, "/home/me/Documents/Stemlink/Mix session 2.toml"), "the list stays open");
    assert!(says(&driven, "Bass: fader and pan are unknown"));
}

#[test]
fn placement_is_chosen_and_the_heading_says_what_playback_is_of() {
    let mut driven = five();
    assert!(says(&driven, "before the master fader"));
    press(&mut driven, "Placement");
    driven.get_by_label_contains("Final: last on the bus").click();
    driven.run();
    assert_eq!(driven.state().model.master.placement, BusPosition::Final);
    assert!(
        !says(&driven, "before the master fader")
            && says(&driven, "Playback change (not a mastering target)")
    );
}

#[test]
fn the_chain_and_the_masking_are_a_tab_away() {
    let mut driven = five();
    press(&mut driven, "Chain");
    assert!(says(&driven, "Limiter: everything") && says(&driven, "Equalizer"));
    press(&mut driven, "Masking");
    for name in ["Drums", "Bass", "Keys", "Lead Vocals", "FX"] {
        let value = driven.get_by_label(&format!("{name} covered")).value().expect("a share");
        assert!(value.ends_with(" %"), "{name}: {value}");
    }
}

#[test]
fn the_wording_is_that_of_advice() {
    for model in [session::five(), session::lost(), session::finished()] {
        let mut driven = master(model);
        let button = driven.query_by_label_contains("Checklist: ");
        button.unwrap_or_else(|| driven.get_by_label("Ready to print")).click();
        driven.run();
        for node in driven.query_all_by(|_| true) {
            let words = node.accesskit_node().label().unwrap_or_default().to_lowercase();
            for banned in ["verdict", "pass", "fail"] {
                let found = words
                    .split(|c: char| !c.is_alphabetic())
                    .any(|word| word == banned || word == format!("{banned}ed"));
                assert!(!found, "{words}");
            }
        }
    }
}

#[test]
fn an_idle_session_asks_for_no_further_frame() {
    let mut driven = five();
    driven.run();
    let delay = driven.output().viewport_output.values().map(|v| v.repaint_delay).min();
    assert!(delay.is_some_and(|delay| delay.as_secs() > 3600), "{delay:?}");
}

#[test]
fn the_song_lands_on_a_loudness_after_an_estimate_and_in_one_step() {
    let mut driven = five();
    press(&mut driven, "Land on target");
    assert!(
        says(&driven, "\u{2212}14.0 LUFS ±0.12 LU")
            && says(&driven, "Level +1.3 dB, limiting 2.4 dB at most")
    );
    bench::picture(&driven).save(&viewtests::whole::folder().join("landing.png")).expect("saved");
    // less limiting than it takes
    driven.get_by_label("Allowed limiting").focus();
    driven.run();
    driven.get_by_label("Allowed limiting").click();
    driven.run();
    driven.key_press_modifiers(Modifiers::COMMAND, Key::A);
    type_keys(&mut driven, "1");
    assert!(says(&driven, "As near as 1.0 dB of limiting allow."), "asked again");
    let done = driven.state().done.len();
    press(&mut driven, "Set level to +1.3 dB");
    let level = driven.state().model.settings.level;
    assert!((level.0 - 1.3).abs() < 1e-9, "{level:?}");
    let set = |edit: &&Edit| matches!(edit, Edit::Set(..));
    assert_eq!(driven.state().done[done..].iter().filter(set).count(), 1);
    driven.state_mut().edits.undo();
    driven.run();
    assert_eq!(driven.state().model.settings.level, Db(0.0), "undone in one step");
    let asked = |edit: &&Edit| matches!(edit, Edit::Land(None));
    assert!(driven.state().done.iter().any(|edit| asked(&edit)), "a closed menu asks for nothing");
}
