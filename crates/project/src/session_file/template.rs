//! A new session file, to be filled in by hand.

use std::fmt::Write as _;
use std::path::Path;

use super::schema::SCHEMA;
use super::write::parameter_value;
use crate::bundle::{Bundle, Stem};
use crate::delivery::Version;
use crate::placement::AtmosPlacement;
use audiofile::error::shown;
use chain::ChainKind;
use chain::parameters::PARAMETERS;
use session::role::Role;

/// The text of a new session file: roles guessed, chains neutral, everything there is in comments.
pub fn new_session_text(bundle: &Bundle) -> String {
    let mut text = format!(
        "# Stemlink session of {}: settings for stems what-if, solve and master.\n\
         # Lines that start with # are comments; a parameter that is not set has the value shown in its comment.\n\
         schema = \"{SCHEMA}\"\n\n\
         # Platforms to report, by id (stems targets lists them); empty: all.\n\
         targets = []\n\n\
         [master]\n\
         # How loud the master is to be:\n\
         #   \"auto\"   one constant gain toward -14 LUFS that stops where limiting would exceed 2 dB; never down for loudness\n\
         #   \"as-is\"  as the chains below leave it; only the ceiling is held\n\
         #   \"as-heard\"  as the plugins play it in a host, without a ceiling of its own; what the Master exports\n\
         #   or a target id, such as \"spotify\": lands on it within 0.1 LU\n\
         loudness = \"auto\"\n\
         # latency = \"lookahead\"  # zero: no compressor lookahead, no saturator; linear_denoise: noise reduction and a linear-phase EQ too\n\n\
         [master.chain]\n",
        shown(bundle.dir.file_name().map_or(&bundle.dir, Path::new))
    );
    write_chain_comments(&mut text, ChainKind::Master, 8);
    text.push_str(ADM_TEMPLATE);
    text.push_str(DELIVER_TEMPLATE);
    for (i, stem) in bundle.stems.iter().enumerate() {
        let file = stem.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let _ = write!(
            text,
            "\n[[stems]]\nfile = {}\nname = {}\nrole = {}  # {}\n# mute = false\n# latency = \"zero\"  # lookahead: compressor lookahead, saturator and limiter; linear_denoise: noise reduction and a linear-phase EQ too\n\n[stems.chain]\n",
            toml::Value::String(file),
            toml::Value::String(stem.name.clone()),
            toml::Value::String(stem.role.id().into()),
            Role::ALL.map(Role::id).join(", "),
        );
        if i == 0 {
            write_chain_comments(&mut text, ChainKind::Stem, 1);
        } else {
            text.push_str("# level = 0  # dB; parameters as for the first stem\n");
        }
        let placement = AtmosPlacement::for_stem(stem.role, &stem.name);
        let _ = write!(
            text,
            "\n[stems.adm]\n# by role: {}, LFE {}, headphones {}\n",
            placement.description(stem.info.channels == 1),
            placement.lfe.map_or("off".into(), |send| format!("{} dB", send.0)),
            placement.binaural.id()
        );
        if i == 0 {
            text.push_str(PLACEMENT_TEMPLATE);
        }
        let versions = Version::ALL.into_iter().filter(|version| version.includes(stem.role));
        let versions: Vec<String> = versions.map(|version| format!("{:?}", version.id())).collect();
        let _ = write!(text, "\n[stems.deliver]\n# versions = [{}]  # by role\n", versions.join(", "));
    }
    text.push_str(MOVES_TEMPLATE);
    text
}

/// Tables that mute the stems of `all` that `kept` leaves out, as sums of others: a session file that did not list them would
/// add them to the sum.
pub fn muted_text(all: &Bundle, kept: &Bundle) -> String {
    let left_out = all.stems.iter().filter(|stem| kept.stems.iter().all(|other| other.path != stem.path));
    let table = |stem: &Stem| {
        let file = stem.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        format!("\n[[stems]]\nfile = {}\nmute = true  # left out of the sum\n", toml::Value::String(file))
    };
    left_out.map(table).collect()
}

const ADM_TEMPLATE: &str = "
# The Atmos file of stems adm.
[adm]
# aim = -18.5  # loudness of its 5.1 render: -31 to -18 LUFS
# lfe_low_pass = 120  # 100 to 150 Hz
";

const DELIVER_TEMPLATE: &str = "
# What stems deliver makes, and what it is called.
[deliver]
# title = \"Song\"  # else the name of the folder
# artist = \"Artist\"
# engineer = \"EN1\"  # initials and revision, for names
# isrc = { master = \"AA-B1C-26-00001\", instrumental = \"...\", a-cappella = \"...\", tv-mix = \"...\" }
# bpm = 120  # for tags and names, as key
# key = \"Am\"  # a note, # or b, m for minor
# upc = \"614141007349\"  # of the release
# names = \"plain\"  # plain, academy, or a template: {title} {short} {artist} {initials} {engineer} {version} {format} {bpm} {key} {isrc}
# make = [\"stems\", \"instrumental\", \"a-cappella\", \"tv-mix\", \"clean-stems\"]  # beside the master
# float = false  # 32-bit float instead of 24 bit
# own_gain = false  # versions with gains of their own instead of the master's
# cd = false  # 44.1 kHz, 16 bit too
# flac = false  # every file as FLAC too
# cutdowns = [{ length = 30, at = \"0:45\", of = \"instrumental\", fade_in = 0.01, fade_out = 1.5 }]
# versions = [{ name = \"Underscore\", without = [\"Vocals\", \"Drums\"], isrc = \"...\" }]  # of your own: stems = [...] or without = [...]
";

const MOVES_TEMPLATE: &str = "
# Moves of stems after their chains, over the whole song or a range of it; any number of them.
# [[moves]]
# stem = \"Vocals\"
# gain = 1  # -60 to 60 dB
# from = \"1:02\"  # seconds, or \"m:ss.mmm\"; without from and to: the whole song
# to = \"1:30\"  # the first moment after it
# fade = 0.05  # seconds inside each end
";

const PLACEMENT_TEMPLATE: &str = "\
# place = \"front\"  # bed channels: front, center, sides, rears, tops; or object
# left = [-1, 0.5, 0]  # of an object: X right, Y front, Z up, each -1 to 1
# right = [1, 0.5, 0]
# gain = 0  # -40 to 12 dB
# lfe = -20  # send to the LFE, -60 to 0 dB, or \"off\"
# binaural = \"mid\"  # objects on headphones: off, near, far, mid, unset
";

/// Every parameter as a comment with default, range and unit; equalizer bands after `bands` are only mentioned.
fn write_chain_comments(text: &mut String, chain_kind: ChainKind, bands: usize) {
    for parameter in PARAMETERS.for_kind(chain_kind) {
        let band =
            parameter.id.strip_prefix("eq").and_then(|rest| rest.split('_').next()?.parse::<usize>().ok());
        if band.is_some_and(|band| band > bands) {
            if parameter.id == format!("eq{}_on", bands + 1) {
                let _ = writeln!(text, "# eq{}_on ... eq8_key: as the bands above", bands + 1);
            }
            continue;
        }
        let value = parameter_value(parameter, parameter.default);
        let _ = writeln!(text, "# {} = {value}  # {}: {}", parameter.id, parameter.name, parameter.range());
    }
}
