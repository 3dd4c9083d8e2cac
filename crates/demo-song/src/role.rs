//! The parts of the song.

/// The part of a stem in the song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SongPart {
    /// Kick, snare, clap, hats, toms and cymbals in a room.
    Drums,
    /// The bass line, mono.
    Bass,
    /// Electric piano and pad.
    Keys,
    /// The lead and its second voice.
    Vocals,
    /// Risers, impacts and echoes.
    Effects,
}

impl SongPart {
    /// All stems in bundle order.
    pub const ALL: [Self; 5] = [Self::Drums, Self::Bass, Self::Keys, Self::Vocals, Self::Effects];

    /// The stem's name as it stands in file names and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Drums => "Drums",
            Self::Bass => "Bass",
            Self::Keys => "Keys",
            Self::Vocals => "Vocals",
            Self::Effects => "FX",
        }
    }

    /// The stem's file name in a bundle: `01_Drums_Stem.wav`.
    pub fn file_name(self) -> String {
        format!("{:02}_{}_Stem.wav", self as usize + 1, self.name())
    }
}
