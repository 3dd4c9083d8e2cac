//! `stems brief`: one page for the mix engineer.

use std::borrow::Cow;

use audiofile::error::{one_line, shown};
use render::organize::title;
use render::small_file::SmallFile;
use serde::Serialize;
use session::role::Role;

use crate::args::{Brief, Daw, Global};
use crate::outcome::{CommandResult, Outcome};
use crate::output::{self, say};

#[derive(Serialize)]
struct BriefJson<'a> {
    schema: &'static str,
    text: &'a str,
    path: Option<Cow<'a, str>>,
}

pub(crate) fn run(args: &Brief, global: &Global) -> CommandResult {
    let text = page(args);
    if let Some(path) = &args.out {
        SmallFile::claim(path, args.force)?.write(text.as_bytes())?;
    }
    if global.json {
        let path = args.out.as_ref().map(|path| path.to_string_lossy());
        return output::json(Outcome::Clean, &BriefJson { schema: "stemlink.brief/1", text: &text, path });
    }
    match &args.out {
        Some(path) => say!("{} written", shown(path)),
        None => say!("{}", text.trim_end()),
    }
    Ok(Outcome::Clean.into())
}

/// The roles that a song is exported as, with what belongs to each.
const STEMS: [(Role, &str); 7] = [
    (Role::Drums, "drums and percussion, their rooms and parallel compression"),
    (Role::Bass, "bass, sub, 808"),
    (Role::Keys, "guitars, keys, synths, strings: harmony; two stems if they sit apart"),
    (Role::Vocals, "lead vocal with its own effects"),
    (Role::Backing, "backing vocals, doubles, ad-libs"),
    (Role::Fx, "risers, impacts, ambience, shared reverbs and delays"),
    (Role::Other, "what fits nowhere else"),
];

/// The page, Markdown.
fn page(args: &Brief) -> String {
    let song = args.song.as_deref().map(one_line);
    let heading =
        song.map_or("# Stems for mastering".to_owned(), |song| format!("# Stems for mastering: {song}"));
    let rate = if args.atmos {
        "the rate of the session, 48 kHz if you can choose (Atmos is 48 kHz)"
    } else {
        "the rate of the session, not converted"
    };
    let mut page = format!(
        "{heading}\n\n\
         **Format.** WAV, 24 bit or 32-bit float, stereo (mono where a stem is mono).\n\
         Sampling rate: {rate}. No dither, no normalizing, no MP3.\n\n\
         **Alignment.** Every file starts at the same place, the start of the song, and has the same length,\n\
         silence included; leave the last reverb its tail.\n\n\
         **Level.** Faders and automation as in your mix. All stems together, at unity, are your mix.\n\
         Take off what is on the mix bus only for loudness (limiter, clipper, maximizer). If a bus compressor is\n\
         part of the sound, leave it on the mix, and tell us. Peaks anywhere below 0 dBFS; -6 dBFS is comfortable.\n\n\
         **Files.** One for each group that is in the song:\n\n"
    );
    for (i, (role, what)) in STEMS.iter().enumerate() {
        let file = format!("{:02}_{}_Stem.wav", i + 1, title(*role).replace(' ', "_"));
        page += &format!("    {file:<28} {what}\n");
    }
    page += "    00_Mix.wav                   your mix, as it leaves the mix bus: the reference\n\n";
    page += "Effects of one group go with it; effects that several groups share are the FX stem. Side-chains keep\n\
             working: export from the full session, not from solo. Nothing may be in two stems.\n\n";
    if args.atmos {
        page += "**Atmos.** Keep apart what may move: lead vocal, backing, each keyboard or guitar that stands alone, effects.\n\
                 More stems are welcome here; they must come from the multitracks, not from separation or upmixing.\n\n";
    }
    page += "**Export.**\n\n";
    for (daw, steps) in STEPS {
        if args.daw.is_none_or(|only| only == daw) {
            page += steps;
        }
    }
    page += "\n**Check.** `stems check FOLDER --mix 00_Mix.wav` says whether the stems sum to the mix, and if not, which\n\
             one is late, missing, doubled or inverted. Is something wrong and cannot be exported again: send all you have.\n";
    page
}

/// The steps of each program.
const STEPS: [(Daw, &str); 3] = [
    (
        Daw::Reaper,
        "- *Reaper*: one folder or bus track for each group, named as above. Select them; File > Render.\n  \
         Source: Stems (selected tracks), which leaves the master's effects out. Bounds: Entire project (or one\n  \
         time selection for all). Tail: off. Format: WAV, 24 bit PCM; sample rate: the project's; channels: Stereo.\n  \
         Name: $tracknumber_$track_Stem. Normalize/Limit/Fade: off. Then once more with Source: Master mix.\n",
    ),
    (
        Daw::Bitwig,
        "- *Bitwig*: one group track for each group. File > Export Audio. Choose the group tracks and the effect\n  \
         tracks that groups share, and the master for the mix. Time: the same start and end for all. WAV, 24 bit,\n  \
         the project's rate, dither off. Tracks are taken before the master's devices.\n",
    ),
    (
        Daw::Live,
        "- *Live*: one group track for each group. File > Export Audio/Video. Rendered Track: Selected Tracks Only\n  \
         (select groups and returns). Include Return and Main Effects: off. Start and length: the same for all.\n  \
         Normalize: off. Convert to Mono: off. Sample rate: the set's. WAV, 24 bit, no dither. Then once more with\n  \
         Rendered Track: Main.\n",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use project::bundle::stem_name;
    use std::path::Path;

    fn brief(daw: Option<Daw>, atmos: bool) -> String {
        page(&Brief { daw, song: Some("A\nB".into()), atmos, out: None, force: false })
    }

    #[test]
    fn it_is_one_page() {
        for atmos in [false, true] {
            let page = brief(None, atmos);
            assert!(page.lines().count() <= 58, "{} lines", page.lines().count());
            assert!(page.lines().all(|line| line.chars().count() <= 120), "{page}");
            assert!(page.starts_with("# Stems for mastering: A\\nB\n"));
        }
        let one = brief(Some(Daw::Live), false);
        assert!(one.contains("*Live*") && !one.contains("Reaper"));
    }

    #[test]
    fn its_names_are_understood() {
        let page = brief(None, false);
        let files: Vec<&str> = page.split_whitespace().filter(|word| word.ends_with("_Stem.wav")).collect();
        assert_eq!(files.len(), STEMS.len());
        for (file, (role, _)) in files.iter().zip(STEMS) {
            assert_eq!(Role::guess(&stem_name(Path::new(file))), role, "{file}");
        }
    }
}
