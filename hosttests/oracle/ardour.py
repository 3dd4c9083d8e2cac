"""A session in Ardour 7 with Stemlink Stem (VST3) on a track, exported without a window, against `stems master` and pedalboard.

usage: ardour.py BUNDLE STEMS AUDIO.wav

BUNDLE is the built Stemlink.vst3, STEMS the built command line tool.

Needs Debian's `ardour` and `jackd2`, and numpy, soundfile and pedalboard. In a home folder of its own it has Ardour scan the
bundle, makes a session by script, lays the audio (stereo, any rate) on the track by editing the session's XML, exports
it, and processes the same audio with the same settings in pedalboard, whose samples are the chain's (tests/vst3.rs). Prints
how far the two are apart; fails if by a bit more than the rounding of the 32-bit file. Then `stems master` renders a folder
with the audio as its only stem through the same settings and an idle master: 24 bits with TPDF dither, so they may differ by
a step and a half. The audio must leave the Stem below the master's ceiling, or there is nothing to compare.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy
import pedalboard
import soundfile

SETTINGS = {  # parameter: travel, from 0 to 1
    "Input": 0.4270833333,  # -3.5 dB
    "EQ 1 On": 1.0,
    "EQ 1 Gain": 0.6180555556,  # 4.25 dB
    "Compressor On": 1.0,
    "Compressor Threshold": 0.5,  # -30 dBFS
    "Level": 0.6111111111,  # -2 dB
}
SCRIPT = """
AudioEngine:set_backend("JACK", "", "")
AudioEngine:start(false)
local s = create_session("{folder}", "session", {rate})
assert(s, "no session")
local t = s:new_audio_track(2, 2, nil, 1, "Stem", ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true):front()
local p = ARDOUR.LuaAPI.new_plugin(s, "Stemlink Stem", ARDOUR.PluginType.VST3, "")
assert(not p:isnil(), "no plugin")
t:add_processor_by_index(p, 0, nil, true)
local wanted, plugin = {{ {settings} }}, p:to_insert():plugin(0)
for i = 0, plugin:parameter_count() - 1 do
  local value = wanted[plugin:parameter_label(i)]
  if value then assert(ARDOUR.LuaAPI.set_processor_param(p, i, value)) end
end
sleep(1) -- an active plugin takes values with its next block
s:save_state("")
close_session()
quit()
"""


# the same in the words of a session file
SESSION = """schema = "stemlink.session/1"

[master]
loudness = "as-is"
chain = {{ lim_ceiling = 0 }}

[[stems]]
file = "{file}"
chain = {{ in_trim = -3.5, eq1_on = true, eq1_gain = 4.25, comp_on = true, comp_threshold = -30, level = -2 }}
"""


def run(command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, **more)
    if done.returncode:
        raise SystemExit(f"{command[0]}: {done.stdout}{done.stderr}")


def lay(session, audio, rate, frames):
    """Puts the file on the track from the session's first frame on."""
    place = session.parent / "interchange" / "session" / "audiofiles"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(audio, place / "audio.wav")
    length = f"a{frames * 282_240_000 // rate}"  # Ardour 7 counts so many ticks in a second
    xml = session.read_text()
    sources = "".join(
        f'<Source name="audio.wav" type="audio" flags="" id="{9001 + c}" channel="{c}" origin="" gain="1" '
        f'natural-position="a0"/>'
        for c in range(2)
    )
    region = (
        '<Region name="audio" type="audio" muted="0" opaque="1" locked="0" video-locked="0" automatic="0" '
        'whole-file="0" import="0" external="1" sync-marked="0" left-of-split="0" right-of-split="0" hidden="0" '
        'position-locked="0" valid-transients="0" tags="" contents="0" first-edit="nothing" start="a0" length="LENGTH" sync-position="a0" '
        'ancestral-start="a0" ancestral-length="a0@a0" stretch="1" shift="1" layering-index="0" envelope-active="0" '
        'default-fade-in="0" default-fade-out="0" fade-in-active="0" fade-out-active="0" scale-amplitude="1" '
        'id="9010" channels="2" source-0="9001" source-1="9002" master-source-0="9001" master-source-1="9002"/>'
    ).replace("LENGTH", f"{length}@a0")
    xml = xml.replace("<Sources/>", f"<Sources>{sources}</Sources>")
    start = xml.index('<Playlist id="')
    end = xml.index("/>", start)
    xml = xml[:end] + ">" + region + "</Playlist>" + xml[end + 2 :]
    location = f'<Location id="9020" name="session" start="a0" end="{length}" flags="IsSessionRange" locked="0" cue="0"/>'
    xml = xml.replace("<Locations/>", f"<Locations>{location}</Locations>")
    session.write_text(xml)


def main():
    bundle, stems, audio = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    samples, rate = soundfile.read(audio, dtype="float32", always_2d=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stemlink-ardour-"))
    home = folder / "home"
    shutil.copytree(bundle, home / ".vst3" / bundle.name)
    environment = {**os.environ, "HOME": str(home), "LD_LIBRARY_PATH": "/usr/lib/ardour7"}
    run(["/usr/lib/ardour7/ardour-vst3-scanner", "-f", str(home / ".vst3" / bundle.name)], env=environment)
    jack = subprocess.Popen(
        ["jackd", "--timeout", "30000", "-d", "dummy", "-r", str(rate), "-p", "1024"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(3)
        settings = ", ".join(f'["{name}"] = {value}' for name, value in SETTINGS.items())
        script = folder / "session.lua"
        script.write_text(SCRIPT.format(folder=folder / "session", rate=rate, settings=settings))
        run(["ardour7-lua", str(script)], env={k: v for k, v in environment.items() if k != "LD_LIBRARY_PATH"})
        session = folder / "session" / "session.ardour"
        lay(session, audio, rate, len(samples))
        exported = folder / "exported.wav"
        for _ in range(5):  # ardour7-export ends with a broken heap now and then, without any plugin as well
            exporting = subprocess.run(
                ["ardour7-export", "-b", "float", "-o", str(exported), str(session.parent), "session"],
                capture_output=True,
                env={k: v for k, v in environment.items() if k != "LD_LIBRARY_PATH"},
                timeout=300,
            )
            if exporting.returncode == 0:
                break
    finally:
        jack.terminate()
        jack.wait()
    heard, _ = soundfile.read(exported, dtype="float32", always_2d=True)

    plugin = pedalboard.load_plugin(str(bundle), plugin_name="Stemlink Stem")
    for parameter in plugin.parameters.values():
        if parameter.name in SETTINGS:
            parameter.raw_value = SETTINGS[parameter.name]
    plugin.process(numpy.zeros((2, 64), numpy.float32), float(rate), buffer_size=64)
    plugin.reset()
    wanted = plugin.process(samples.T.copy(), float(rate), reset=False).T
    frames = min(len(heard), len(wanted))
    apart = numpy.abs(heard[:frames].astype(float) - wanted[:frames]).max()
    untouched = numpy.abs(heard[:frames].astype(float) - samples[:frames]).max()
    print(f"{frames} frames at {rate} Hz, exported {len(heard)}: apart by {apart:.3g}, from the input by {untouched:.3g}")
    print(f"equal to the bit: {bool((heard[:frames] == wanted[:frames]).all())}")

    song = folder / "song"
    song.mkdir()
    shutil.copy(audio, song / "01_Stem.wav")
    (song / "session.toml").write_text(SESSION.format(file="01_Stem.wav"))
    run([str(stems), "master", str(song), "--out", str(folder / "out")])
    [rendered] = (folder / "out").glob("*.wav")
    mastered, _ = soundfile.read(rendered, dtype="float64", always_2d=True)
    steps = numpy.abs(heard[:frames] - mastered[:frames]).max() * 2.0**23
    print(f"stems master: apart by {steps:.3g} steps of 24 bits, peak {numpy.abs(mastered).max():.3g}")

    shutil.rmtree(folder)
    # one step of dither, half a step of rounding, and the 32-bit file's own
    if not (frames == len(samples) == len(mastered) and apart <= 2.0**-24 and untouched > 0.01 and steps <= 1.6):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
