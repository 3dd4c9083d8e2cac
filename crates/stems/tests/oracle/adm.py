"""What tools of others say of an ADM BWF: MediaInfo of its profile, the EBU renderer of its sound.

    adm.py FILE FOLDER [only the profile]

prints {"profile", "tool", "faults", "renders": {layout: file}}. The EBU renderer (PyPI ear) refuses the one reference
from stream formats to packs that the profile asks for, and knows an LFE only by its frequency; as EBU's own eat-process
does, the reference is dropped and the frequency added, on a copy.
"""

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

from pymediainfo import MediaInfo

LAYOUTS = ["0+2+0", "0+5+0", "4+7+0"]


def chunks(data):
    """The chunks of a RIFF file below 4 GiB."""
    assert data[:4] == b"RIFF" and data[8:12] == b"WAVE"
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack("<I", data[at + 4 : at + 8])[0]
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def for_ear(data):
    body = b"WAVE"
    for name, content in chunks(data):
        if name == b"axml":
            text = content.decode("utf-8")
            stream = r"(<audioStreamFormat .*?)\s*<audioPackFormatIDRef>[^<]*</audioPackFormatIDRef>"
            text = re.sub(stream, r"\1", text, flags=re.S)
            lfe = r'(audioChannelFormatName="RoomCentricLFE".*?</audioBlockFormat>)'
            text = re.sub(lfe, r'\1<frequency typeDefinition="lowPass">120</frequency>', text, flags=re.S)
            content = text.encode("utf-8")
        body += name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def mediainfo(file):
    """Profile, tool, and the counts of all that MediaInfo finds against it."""
    text = MediaInfo.parse(file, full=True, output="text")
    found = lambda name: re.findall(rf"^ *{name}\s*: (.*)$", text, flags=re.M)
    faults = [f"{kind}: {count}" for kind in ("errors", "warnings") for count in found(f"Conformance {kind}")]
    return (found("ADM profile") or [None])[0], (found("Writing application") or [None])[0], faults


file, folder = Path(sys.argv[1]), Path(sys.argv[2])
profile, tool, faults = mediainfo(file)
if len(sys.argv) > 3:
    json.dump({"profile": profile, "tool": tool, "faults": faults}, sys.stdout)
    sys.exit()
copy = folder / "for_ear.wav"
copy.write_bytes(for_ear(file.read_bytes()))
renders = {}
for layout in LAYOUTS:
    to = folder / f"{layout}.wav"
    code = "import sys; from ear.cmdline.render_file import main; sys.exit(main())"
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, "-s", layout, copy, to], check=True, stdout=sys.stderr)
    renders[layout] = str(to)
json.dump({"profile": profile, "tool": tool, "faults": faults, "renders": renders}, sys.stdout)
