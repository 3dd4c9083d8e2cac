//! Ardour, steered by its own scripts, in a home folder of its own and on its own dummy driver.

use super::alone::Folder;
use audiofile::wav::{StoredFormat, WavReader, WavSpec, WavWriter};
use demo_song::DemoStem;
use hosttests::Library;
use plugin_core::groups::{MasterOutput, StemOutput};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};
use stemlink::plugin::PluginIdentity;
use units::Hz;

/// Sampling rate of the session, Hz.
pub(crate) const RATE: u32 = 48_000;

/// Ardour's ticks in a second.
const TICKS: u64 = 282_240_000;

/// Line that a script says when it has closed its session.
const CLOSED: &str = "the session is closed";

/// Folder of Ardour's own programs and libraries.
const ARDOUR: &str = "/usr/lib/ardour7";

/// Program that the session needs and this machine lacks.
pub(crate) fn missing() -> Option<&'static str> {
    let is_found = |program: &str| {
        let paths = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&paths).any(|folder| folder.join(program).exists())
    };
    ["ardour7-lua", "ardour7-export"].into_iter().find(|program| !is_found(program))
}

/// A session in Ardour on disk.
pub(crate) struct Daw {
    folder: Folder,
}

/// Ardour while it plays.
pub(crate) struct Play(std::cell::RefCell<Child>, PathBuf);

impl Play {
    pub(crate) fn has_ended(&self) -> bool {
        self.0.borrow_mut().try_wait().expect("a child").is_some()
    }

    /// Waits for the end of the script, a minute at most; true if it has saved and closed the session.
    fn has_closed(&self) -> bool {
        let start = Instant::now();
        while !self.has_ended() {
            if start.elapsed() > Duration::from_secs(60) {
                // it may have ended by itself meanwhile
                let _ = self.0.borrow_mut().kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // its tools now and then die while they end, with or without plugins: what counts is how far they came
        self.said().contains(CLOSED)
    }

    /// Returns the output of Ardour so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.1).unwrap_or_default()
    }

    /// Waits for the end of the script, which saves and closes the session.
    pub(crate) fn finish(self) {
        assert!(self.has_closed(), "Ardour has not lived: {}", self.said());
    }
}

impl Daw {
    /// Makes the session: a track for each stem, playing into a bus with a Stem, the buses into the master with a Master.
    pub(crate) fn new(stems: &[DemoStem]) -> Self {
        let folder = Folder::new();
        let home = folder.0.join("home");
        let place =
            home.join(".vst3/Stemlink.vst3/Contents").join(format!("{}-linux", std::env::consts::ARCH));
        fs::create_dir_all(&place).expect("a folder");
        // of the build that this test was made with
        drop(Library::open());
        let copy = place.join("Stemlink.so");
        fs::copy(Library::path(), &copy).expect("the library is built");
        // Ardour does not believe a scan of the same second
        let before = SystemTime::now() - Duration::from_secs(60);
        fs::File::options().append(true).open(copy).expect("a file").set_modified(before).expect("its time");
        let daw = Self { folder };
        let bundle = home.join(".vst3/Stemlink.vst3");
        let mut scan = daw.command(&format!("{ARDOUR}/ardour-vst3-scanner"));
        scan.env("LD_LIBRARY_PATH", ARDOUR).arg("-f").arg(bundle);
        assert!(scan.output().expect("the scanner runs").status.success(), "Ardour scans the bundle");
        daw.make(stems);
        daw
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", self.folder.0.join("home"));
        command
    }

    fn session(&self) -> PathBuf {
        self.folder.0.join("song")
    }

    /// Starts Ardour with a script; its output is in a file.
    fn script(&self, text: &str) -> Play {
        let number = fs::read_dir(&self.folder.0).expect("a folder").count();
        let (script, log) =
            (self.folder.0.join(format!("{number}.lua")), self.folder.0.join(format!("{number}.log")));
        let engine =
            "AudioEngine:set_backend(\"None (Dummy)\", \"\", \"\")\nassert(AudioEngine:start(false) == 0)\n";
        let end = format!("close_session()\nprint(\"{CLOSED}\")\nquit()\n");
        fs::write(&script, format!("{engine}{text}{end}")).expect("written");
        let said = || fs::File::options().create(true).append(true).open(&log).expect("a log");
        let child = self
            .command("ardour7-lua")
            .arg(&script)
            .stdin(Stdio::null())
            .stdout(said())
            .stderr(said())
            .spawn()
            .expect("Ardour starts");
        Play(child.into(), log)
    }

    fn make(&self, stems: &[DemoStem]) {
        let names: Vec<String> = stems.iter().map(|stem| format!("{:?}", stem.name)).collect();
        let script = format!(
            r#"
local s = create_session("{}", "song", {RATE})
assert(s, "no session")
local last = ARDOUR.PresentationInfo.max_order
for _, name in ipairs({{ {} }}) do
  s:new_audio_track(2, 2, nil, 1, name .. " Track", last, ARDOUR.TrackMode.Normal, true)
  s:new_audio_route(2, 2, nil, 1, name, ARDOUR.PresentationInfo.Flag.AudioBus, last)
end
s:save_state("")
"#,
            self.session().display(),
            names.join(", "),
        );
        let file = self.session().join("song.ardour");
        let make = || {
            // there may be none
            let _ = fs::remove_dir_all(self.session());
            let play = self.script(&script);
            let xml = play.has_closed().then(|| fs::read_to_string(&file).ok()).flatten();
            xml.filter(|xml| ports(stems).all(|port| xml.contains(&port))).ok_or_else(|| play.said())
        };
        // Ardour's tools now and then die without any plugin: there is none in the session yet
        let mut xml = make().or_else(|_| make()).or_else(|_| make()).expect("Ardour makes a session");
        // Ardour has connected some of the routes, on a thread of its own, and may not have come to the others
        while let Some(at) = xml.find("<Connection ") {
            let end = at + xml[at..].find("/>").expect("a connection has an end");
            xml.replace_range(at..end + 2, "");
        }
        for stem in stems {
            connect(&mut xml, &format!("{} Track", stem.name), stem.name);
            connect(&mut xml, stem.name, "Master");
        }
        // Ardour's scripts know the plugins of a session only once it is loaded
        insert(&mut xml, "Master", 0, &MasterOutput::VST3_CLASS_ID, "Stemlink Master");
        for (n, stem) in stems.iter().enumerate() {
            insert(&mut xml, stem.name, n + 1, &StemOutput::VST3_CLASS_ID, "Stemlink Stem");
            self.lay(&mut xml, n, stem);
        }
        let counter = xml.find(" id-counter=\"").expect("a session counts its ids");
        xml.insert(counter + " id-counter=\"".len(), '9');
        let end = stems[0].left.len() as u64 * TICKS / u64::from(RATE);
        let range = format!(
            "<Location id=\"90000\" name=\"session\" start=\"a0\" end=\"a{end}\" flags=\"IsSessionRange\" \
             locked=\"0\" cue=\"0\"/>"
        );
        xml = xml.replace("<Locations/>", &format!("<Locations>{range}</Locations>"));
        fs::write(file, xml).expect("written");
    }

    /// Puts a stem's file on its track, from the first frame on.
    fn lay(&self, xml: &mut String, n: usize, stem: &DemoStem) {
        let folder = self.session().join("interchange/song/audiofiles");
        fs::create_dir_all(&folder).expect("a folder");
        let file = format!("{}.wav", stem.name);
        let spec = WavSpec::new(Hz(f64::from(RATE)), 2, StoredFormat::Float32);
        let mut writer = WavWriter::create(folder.join(&file), spec, true).expect("a file");
        writer.write_planar(&[&stem.left, &stem.right]).expect("written");
        writer.finish().expect("written");

        let (ids, length) = (91_000 + 10 * n, stem.left.len() as u64 * TICKS / u64::from(RATE));
        let mut sources = String::new();
        for channel in 0..2 {
            let id = ids + channel;
            let _ = write!(
                sources,
                "<Source name=\"{file}\" type=\"audio\" flags=\"\" id=\"{id}\" channel=\"{channel}\" origin=\"\" \
                 gain=\"1\" natural-position=\"a0\"/>"
            );
        }
        match xml.contains("<Sources/>") {
            true => *xml = xml.replace("<Sources/>", &format!("<Sources>{sources}</Sources>")),
            false => *xml = xml.replace("</Sources>", &format!("{sources}</Sources>")),
        }
        let none = [
            "muted",
            "locked",
            "video-locked",
            "automatic",
            "whole-file",
            "import",
            "sync-marked",
            "left-of-split",
            "right-of-split",
            "hidden",
            "position-locked",
            "valid-transients",
            "layering-index",
            "envelope-active",
            "default-fade-in",
            "default-fade-out",
            "fade-in-active",
            "fade-out-active",
            "contents",
        ];
        let none: String = none.iter().map(|name| format!("{name}=\"0\" ")).collect();
        let (left, right) = (ids, ids + 1);
        let region = format!(
            "<Region name=\"{}\" type=\"audio\" opaque=\"1\" external=\"1\" {none}tags=\"\" \
             first-edit=\"nothing\" start=\"a0\" length=\"a{length}@a0\" sync-position=\"a0\" \
             ancestral-start=\"a0\" ancestral-length=\"a{length}@a0\" stretch=\"1\" shift=\"1\" \
             scale-amplitude=\"1\" id=\"{}\" channels=\"2\" source-0=\"{left}\" source-1=\"{right}\" \
             master-source-0=\"{left}\" master-source-1=\"{right}\"/>",
            stem.name,
            ids + 2,
        );
        let playlists = xml.find("<Playlists>").expect("tracks have playlists");
        let name =
            xml[playlists..].find(&format!("name=\"{} Track", stem.name)).expect("the track's playlist");
        let end = playlists + name + xml[playlists + name..].find("/>").expect("an empty playlist");
        xml.replace_range(end..end + 2, &format!(">{region}</Playlist>"));
    }

    /// Exports the session faster than real time, calling `look` meanwhile; the two channels of the file.
    pub(crate) fn export(&self, mut look: impl FnMut()) -> Vec<Vec<f64>> {
        let file = self.folder.0.join("export.wav");
        let said = file.with_extension("log");
        // there may be none
        let _ = (fs::remove_file(&file), fs::remove_file(&said));
        let log = || fs::File::options().create(true).append(true).open(&said).expect("a log");
        let (start, mut child) = (
            Instant::now(),
            self.command("ardour7-export")
                .args(["-b", "float", "-o"])
                .args([&file, &self.session()])
                .arg("song")
                .stdout(log())
                .stderr(log())
                .spawn()
                .expect("Ardour starts"),
        );
        while child.try_wait().expect("a child").is_none() {
            if start.elapsed() > Duration::from_secs(120) {
                let _ = child.kill();
                panic!("the export does not end");
            }
            look();
            std::thread::sleep(Duration::from_millis(10));
        }
        let said = fs::read_to_string(&said).unwrap_or_default();
        assert!(!said.contains("unknown"), "Ardour does not find the plugins: {said}");
        // its exit code says nothing: it dies now and then while it ends, with or without plugins
        read(&file)
    }

    /// Plays the session from the start for so many seconds in real time, then saves and closes it.
    pub(crate) fn play(&self, seconds: usize) -> Play {
        let text = format!(
            r#"
local s = load_session("{}", "song")
assert(s, "no session")
s:goto_start(true)
sleep(1)
s:request_roll(ARDOUR.TransportRequestSource.TRS_UI)
sleep({seconds})
s:request_stop(false, false, ARDOUR.TransportRequestSource.TRS_UI)
sleep(1)
s:save_state("")
"#,
            self.session().display(),
        );
        self.script(&text)
    }
}

/// Output ports of all routes of a session, as it is saved.
fn ports(stems: &[DemoStem]) -> impl Iterator<Item = String> {
    let routes = stems.iter().flat_map(|stem| [format!("{} Track", stem.name), stem.name.to_string()]);
    routes.flat_map(|route| [1, 2].map(|side| port(&route, side)))
}

/// Beginning of an output port's element.
fn port(route: &str, side: usize) -> String {
    format!("<Port type=\"audio\" name=\"{route}/audio_out {side}\"")
}

/// Connects the outputs of one route, which have no connections, to the inputs of another one.
fn connect(xml: &mut String, from: &str, to: &str) {
    for side in 1..=2 {
        let port = port(from, side);
        let end = xml.find(&port).unwrap_or_else(|| panic!("no {port}")) + port.len();
        let connection = format!("><Connection other=\"{to}/audio_in {side}\"/>");
        match xml[end..].starts_with("/>") {
            true => xml.replace_range(end..end + 2, &format!("{connection}</Port>")),
            false => xml.replace_range(end..end + 1, &connection),
        }
    }
}

/// Puts a plugin before the fader of the route called `route`.
fn insert(xml: &mut String, route: &str, number: usize, class: &[u8; 16], name: &str) {
    let mut routes = xml.match_indices("<Route ").map(|(at, _)| at);
    let is_called = |at: &usize| {
        let tag = &xml[*at..];
        tag[..tag.find('>').unwrap_or(0)].contains(&format!(" name=\"{route}\""))
    };
    let at = routes.find(is_called).unwrap_or_else(|| panic!("no route {route}"));
    let fader = at + xml[at..].find("type=\"amp\"").expect("a fader");
    let at = xml[..fader].rfind("<Processor ").expect("a processor");
    let id: String = class.iter().map(|byte| format!("{byte:02X}")).collect();
    let channels = ["ConfiguredInput", "CustomSinks", "ConfiguredOutput"];
    let channels =
        channels.map(|what| format!("<{what}><Channels type=\"audio\" count=\"2\"/></{what}>")).concat();
    let plugin = format!(
        "<Processor id=\"{}\" name=\"{name}\" active=\"1\" user-latency=\"0\" use-user-latency=\"0\" \
         type=\"vst3\" unique-id=\"{id}\" count=\"1\" custom=\"0\">{channels}<vst3/></Processor>",
        92_000 + number,
    );
    xml.insert_str(at, &plugin);
}

/// Channels of a stereo file; none if it is not there or not whole.
fn read(file: &Path) -> Vec<Vec<f64>> {
    let mut channels = vec![Vec::new(); 2];
    if let Ok(mut reader) = WavReader::open(file) {
        let frames = reader.info().frames as usize;
        // a file that is cut off is found to be too short
        let _ = reader.read_planar(&mut channels, frames);
    }
    channels
}
