//! The score: 108 beats per minute, four four, A minor; plain data and where it lies in time.
//!
//! Two bars of intro, four of verse, six of chorus, and a last chord that rings out before the half minute.

/// Quarter notes per minute.
const TEMPO: f64 = 108.0;
/// Silence before the first beat.
const LEAD_IN_SECONDS: f64 = 0.1;
/// Beats in a bar.
pub(super) const BAR: f64 = 4.0;
/// The whole song, tails included.
pub(super) const LENGTH_SECONDS: f64 = 30.0;

/// A stretch of the song with one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SongSection {
    Intro,
    Verse,
    Chorus,
    Ending,
}

/// Bars with music; the last holds the final chord.
pub(super) const BARS: usize = 13;

/// First bar of each section.
pub(super) const VERSE_BAR: usize = 2;
pub(super) const CHORUS_BAR: usize = 6;
pub(super) const ENDING_BAR: usize = 12;

impl SongSection {
    /// The section that `bar` belongs to, counted from 0.
    pub(super) fn of(bar: usize) -> Self {
        match bar {
            0..VERSE_BAR => Self::Intro,
            VERSE_BAR..CHORUS_BAR => Self::Verse,
            CHORUS_BAR..ENDING_BAR => Self::Chorus,
            _ => Self::Ending,
        }
    }
}

/// The time of `beat` of `bar`, both counted from 0, in seconds from the start of the file.
pub(super) fn seconds(bar: usize, beat: f64) -> f64 {
    LEAD_IN_SECONDS + beats(bar as f64 * BAR + beat)
}

/// The length of `beats`, in seconds.
pub(super) fn beats(beats: f64) -> f64 {
    beats * 60.0 / TEMPO
}

/// The frequency of a MIDI note number in equal temperament, A4 = 440 Hz, in hertz.
pub(super) fn pitch(note: f64) -> f64 {
    440.0 * ((note - 69.0) / 12.0).exp2()
}

/// One bar of harmony.
pub(super) struct Chord {
    /// The bass note, as MIDI note number.
    pub(super) root: u8,
    /// The notes of the keys, low to high.
    pub(super) voicing: [u8; 4],
}

const fn chord(root: u8, voicing: [u8; 4]) -> Chord {
    Chord { root, voicing }
}

const A: u8 = 33;
const C: u8 = 36;
const F: u8 = 29;
const G: u8 = 31;

/// The harmony, one chord a bar.
pub(super) const CHORDS: [Chord; BARS] = [
    // Intro: Am9, Fmaj9
    chord(A, [52, 55, 59, 60]),
    chord(F, [52, 55, 57, 60]),
    // Verse: Am9, Fmaj9, Cadd9, G
    chord(A, [52, 55, 59, 60]),
    chord(F, [52, 55, 57, 60]),
    chord(C, [52, 55, 60, 62]),
    chord(G, [50, 55, 59, 62]),
    // Chorus: Fadd9, Gadd9, Am7, Cmaj7, Fadd9, G
    chord(F, [53, 57, 60, 67]),
    chord(G, [55, 59, 62, 69]),
    chord(A, [57, 60, 64, 67]),
    chord(C, [55, 60, 64, 71]),
    chord(F, [57, 60, 65, 67]),
    chord(G, [55, 59, 62, 67]),
    // Ending: Amadd9
    chord(A, [57, 60, 64, 71]),
];

/// The beats on which the kick falls; the bass leans on the same ones.
pub(super) fn kicks(bar: usize) -> &'static [f64] {
    match SongSection::of(bar) {
        SongSection::Intro => &[],
        SongSection::Verse => &[0.0, 1.5, 2.5],
        SongSection::Chorus => &[0.0, 1.0, 1.5, 2.0, 3.0],
        SongSection::Ending => &[0.0],
    }
}

/// One note of the bass: beat, length in beats, semitones above the root, strength 0..1.
pub(super) type BassNote = (f64, f64, u8, f64);

/// The bass line of a bar.
pub(super) fn bass_line(bar: usize) -> &'static [BassNote] {
    const VERSE: &[BassNote] =
        &[(0.0, 1.25, 0, 0.75), (1.5, 0.8, 0, 0.6), (2.5, 0.8, 0, 0.7), (3.5, 0.4, 7, 0.5)];
    const TURN: &[BassNote] =
        &[(0.0, 1.25, 0, 0.75), (1.5, 0.8, 0, 0.6), (2.5, 0.5, 12, 0.65), (3.0, 0.9, 10, 0.65)];
    const CHORUS: &[BassNote] = &[
        (0.0, 0.85, 0, 1.0),
        (1.0, 0.42, 0, 0.85),
        (1.5, 0.45, 12, 0.8),
        (2.0, 0.9, 0, 0.95),
        (3.0, 0.45, 0, 0.9),
        (3.5, 0.42, 7, 0.75),
    ];
    const LAST: &[BassNote] = &[(0.0, 1.8, 0, 0.9)];
    match (SongSection::of(bar), bar) {
        (SongSection::Intro, _) => &[],
        (SongSection::Verse, 5) => TURN,
        (SongSection::Verse, _) => VERSE,
        (SongSection::Chorus, _) => CHORUS,
        (SongSection::Ending, _) => LAST,
    }
}

/// One chord stroke of the keys: beat, length in beats, strength 0..1.
pub(super) type Stroke = (f64, f64, f64);

/// The rhythm of the keys in a bar.
pub(super) fn strokes(bar: usize) -> &'static [Stroke] {
    match SongSection::of(bar) {
        SongSection::Intro => &[(0.0, 2.4, 0.7), (2.5, 1.4, 0.5)],
        SongSection::Verse => &[(0.0, 1.3, 0.5), (1.5, 0.4, 0.35), (2.5, 1.3, 0.42)],
        SongSection::Chorus => &[(0.0, 1.4, 0.95), (1.5, 0.9, 0.8), (2.5, 0.4, 0.65), (3.0, 0.9, 0.85)],
        SongSection::Ending => &[(0.0, 1.8, 0.9)],
    }
}

/// The onset of a sung syllable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Onset {
    /// The vowel at once, tied to the note before if that is near.
    Vowel,
    N,
    L,
    D,
    S,
    W,
}

/// The vowel of a sung syllable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Vowel {
    A,
    E,
    I,
    O,
    U,
}

/// One sung note: bar, beat, length in beats, MIDI note number, onset, vowel.
pub(super) type Sung = (usize, f64, f64, u8, Onset, Vowel);

/// The lead melody, in order of time; a gap of half a beat or more is a breath.
pub(super) const MELODY: &[Sung] = {
    use Onset::{D, L, N, S, Vowel as Tie, W};
    use Vowel::{A, E, I, O, U};
    &[
        // Verse, first phrase
        (2, 0.5, 0.5, 60, N, A),
        (2, 1.0, 0.5, 62, D, A),
        (2, 1.5, 1.0, 64, L, O),
        (2, 2.5, 0.5, 62, S, E),
        (2, 3.0, 0.5, 60, L, I),
        (2, 3.5, 0.5, 62, W, A),
        (3, 0.0, 1.5, 57, N, A),
        // second phrase
        (3, 2.5, 0.5, 60, D, E),
        (3, 3.0, 0.5, 62, N, O),
        (3, 3.5, 0.5, 64, W, A),
        (4, 0.0, 1.0, 67, L, A),
        (4, 1.0, 0.5, 64, D, I),
        (4, 1.5, 1.0, 64, N, E),
        (4, 2.5, 0.5, 62, S, O),
        (4, 3.0, 0.5, 60, L, A),
        (4, 3.5, 0.5, 60, W, E),
        (5, 0.0, 2.0, 62, D, O),
        // up into the chorus
        (5, 2.5, 0.5, 62, N, A),
        (5, 3.0, 0.5, 64, L, E),
        (5, 3.5, 0.5, 67, W, I),
        // Chorus, first phrase
        (6, 0.0, 1.5, 69, D, A),
        (6, 1.5, 0.5, 67, N, A),
        (6, 2.0, 1.0, 69, L, O),
        (6, 3.0, 0.5, 67, S, E),
        (6, 3.5, 0.5, 64, L, I),
        (7, 0.0, 1.5, 67, W, A),
        (7, 1.5, 0.5, 64, D, E),
        (7, 2.0, 1.0, 62, N, O),
        // second phrase
        (7, 3.5, 0.5, 64, S, U),
        (8, 0.0, 1.0, 69, D, A),
        (8, 1.0, 0.5, 71, L, A),
        (8, 1.5, 1.0, 72, N, O),
        (8, 2.5, 0.5, 71, Tie, A),
        (8, 3.0, 0.5, 69, L, E),
        (8, 3.5, 0.5, 67, D, I),
        (9, 0.0, 2.25, 67, N, A),
        // third phrase
        (9, 3.0, 0.5, 64, D, O),
        (9, 3.5, 0.5, 67, W, E),
        (10, 0.0, 1.5, 69, L, A),
        (10, 1.5, 0.5, 69, D, A),
        (10, 2.0, 0.5, 71, N, I),
        (10, 2.5, 1.0, 72, W, A),
        (10, 3.5, 0.5, 69, S, O),
        (11, 0.0, 1.5, 71, L, A),
        (11, 1.5, 0.5, 69, N, E),
        (11, 2.0, 1.25, 67, D, O),
        // home
        (11, 3.5, 0.5, 71, L, I),
        (12, 0.0, 2.5, 69, N, A),
    ]
};

/// The note a third below `note` in A natural minor: the second voice of the chorus.
pub(super) fn third_below(note: u8) -> u8 {
    match note % 12 {
        // C, D, F and G have a minor third of the scale below them; E, A and B a major one
        0 | 2 | 5 | 7 => note - 3,
        _ => note - 4,
    }
}
