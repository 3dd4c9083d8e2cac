//! Status of a Stem as a session sees it: one word for plugins, windows, the analysis and the command line tool.
//!
//! Plain values; the link decides which of them holds, in `classify` of its `status` module.

/// Status of a Stem towards one Master, the most specific that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StemStatus {
    /// Its host calls it and it takes part.
    #[default]
    Live,
    /// Its host does not call it: it is silent.
    Asleep,
    /// Nothing has been heard of it for a second.
    NotResponding,
    /// Its sampling rate is not the Master's: it is shown, not summed.
    OtherRate,
    /// Its sound belongs to another Master's mix.
    OtherSession,
    /// It was closed, or its process is dead.
    Gone,
}

impl StemStatus {
    /// True if it takes part in the session: it is summed, and may be asked for something.
    pub fn is_linked(self) -> bool {
        matches!(self, Self::Live | Self::Asleep | Self::NotResponding)
    }

    /// The word of `stems live --json`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Asleep => "asleep",
            Self::NotResponding => "dim",
            Self::OtherRate => "incompatible",
            Self::OtherSession => "other_session",
            Self::Gone => "gone",
        }
    }

    /// Words beside a name in a window; empty for the usual.
    pub fn words(self) -> &'static str {
        match self {
            Self::Live => "",
            Self::Asleep => "asleep",
            Self::NotResponding => "not responding",
            Self::OtherRate => "other sampling rate",
            Self::OtherSession => "other session",
            Self::Gone => "gone",
        }
    }

    /// A sentence or two on what that means and what can be done.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Live => "It is heard and seen.",
            Self::Asleep => {
                "Its host does not call it, as hosts do with silent tracks. It counts as silence."
            }
            Self::NotResponding => "It has said nothing for a second: its host is busy, or has stopped.",
            Self::OtherRate => {
                "Its host runs at another sampling rate than the Master's: it is seen, but not summed."
            }
            Self::OtherSession => {
                "Its sound is not in this mix: it belongs to another Master, or is not routed here."
            }
            Self::Gone => {
                "It was closed, or its process is dead. The sound is what is in the project; only the link is gone."
            }
        }
    }
}
