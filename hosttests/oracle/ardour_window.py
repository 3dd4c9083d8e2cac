"""Stemlink Stem's window (VST3) in Ardour 7, drawn in an X server without a screen: a picture of the whole screen.

usage: ardour_window.py LIBRARY.so OUT.png [X Y]

LIBRARY.so is the built library of the plugins, which is laid out as a bundle. Needs Debian's `ardour`, `jackd2`, `xvfb`,
`libgl1-mesa-dri`, `xdotool` and `ffmpeg`. In a home folder of its own it has Ardour scan the bundle, makes a session with
Stemlink Stem on a track, opens it in Ardour's window under Xvfb (JACK's dummy driver), opens the plugin's window by a
double click on its name in the mixer, and keeps what the screen shows then. The places that are clicked are those of
Ardour 7.3 in a screen of 1600x1000 without a window manager; X and Y are those of the plugin's name, should they differ. Beside
OUT.png lies a picture of the screen before that click.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from ardour import SCRIPT, run

RATE = 48_000
# Ardour asks less of somebody who has been here before
CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<Ardour><Config>
<Option name="try-autostart-engine" value="1"/>
<Option name="auto-connect-standard-busses" value="1"/>
</Config></Ardour>
"""


def windows(name, environment):
    """The ids of windows whose title has `name` in it."""
    found = subprocess.run(
        ["xdotool", "search", "--onlyvisible", "--name", name], capture_output=True, text=True, env=environment
    )
    return found.stdout.split()


def wait_for(what, seconds):
    start = time.time()
    while time.time() - start < seconds:
        if found := what():
            return found
        time.sleep(0.5)
    return None


def act(environment, *steps):
    for step in steps:
        subprocess.run(["xdotool", *step.split()], env=environment)
        time.sleep(1.5)


def shoot(display, out):
    command = ["ffmpeg", "-y", "-loglevel", "error", "-f", "x11grab", "-video_size", "1600x1000", "-i", display]
    run([*command, "-frames:v", "1", str(out)])


def main():
    library, out = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="stemlink-ardour-"))
    home = folder / "home"
    place = home / ".vst3" / "Stemlink.vst3" / "Contents" / "x86_64-linux"
    place.mkdir(parents=True)
    # with its old date: a cache as young as the library is taken for stale
    shutil.copy2(library, place / "Stemlink.so")
    settings = home / ".config" / "ardour7"
    settings.mkdir(parents=True)
    display = ":97"
    environment = {**os.environ, "HOME": str(home), "DISPLAY": display, "XDG_CONFIG_HOME": str(home / ".config")}
    scanning = {**environment, "LD_LIBRARY_PATH": "/usr/lib/ardour7"}
    run(["/usr/lib/ardour7/ardour-vst3-scanner", "-f", str(home / ".vst3" / "Stemlink.vst3")], env=scanning)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    screen = subprocess.Popen(["Xvfb", display, "-screen", "0", "1600x1000x24", "-nolisten", "tcp"], **quiet)
    jack = subprocess.Popen(["jackd", "-r", "-t", "30000", "-d", "dummy", "-r", str(RATE), "-p", "8192"], **quiet)
    ardour = None
    try:
        time.sleep(3)
        script = folder / "session.lua"
        script.write_text(SCRIPT.format(folder=folder / "session", rate=RATE, settings=""))
        run(["ardour7-lua", str(script)], env=environment)
        (settings / ".a7").write_text("7.3\n")
        (settings / "config").write_text(CONFIG)
        log = open(folder / "ardour.log", "w")
        session = folder / "session" / "session.ardour"
        ardour = subprocess.Popen(["ardour", str(session)], env=environment, stdout=log, stderr=log)
        # it asks for an audio system: the second in the list is JACK
        wait_for(lambda: windows("Audio/MIDI Setup", environment), 60)
        time.sleep(3)
        act(environment, "mousemove 810 359 click 1", "key Down", "key Return", "mousemove 1087 660 click 1")
        # and warns of a limit of memory
        time.sleep(20)
        act(environment, "mousemove 1255 731 click 1")
        main_window = wait_for(lambda: windows("session", environment), 60)
        time.sleep(10)
        # from the editor to the mixer, whose strips have the plugins' names
        act(environment, "mousemove 1325 73 click 1")
        time.sleep(3)
        shoot(display, out.with_name(out.stem + "-before.png"))
        if not main_window:
            raise SystemExit(f"Ardour's window does not appear: {folder}/ardour.log, {out.stem}-before.png")
        x, y = sys.argv[3:5] if len(sys.argv) > 4 else ("339", "215")
        subprocess.run(
            ["xdotool", "mousemove", x, y, "click", "--repeat", "2", "--delay", "80", "1"], env=environment
        )
        opened = wait_for(lambda: windows("Stemlink|Stem:", environment), 20)
        time.sleep(4)
        shoot(display, out)
        print(f"{out}: the plugin's window is {'open' if opened else 'NOT open'}")
        return 0 if opened else 1
    finally:
        for process in [ardour, jack, screen]:
            if process:
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()


if __name__ == "__main__":
    sys.exit(main())
