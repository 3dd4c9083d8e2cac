"""Makes the editors' font of Inter (Debian `fonts-inter` 4.0~beta7, SIL OFL 1.1; PyPI `fonttools` 4.60.1).

Kept are Latin, Greek and Cyrillic letters and the signs that the editors use; figures have one width (Inter's own
`tnum` forms become the default), because the window's toolkit knows no font features. A modified version under the
same licence; the name is changed, Inter being its author's mark.

    python3 make.py /usr/share/fonts/opentype/inter .
"""

import sys
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

KEPT = [*range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x370, 0x400), *range(0x400, 0x460)]
SIGNS = "–—‘’“”•…−×±°µ≤≥≠≈→←↑↓✓▼▶"
source, target = sys.argv[1:]

for weight in ("Regular", "SemiBold"):
    font = TTFont(f"{source}/Inter-{weight}.otf")
    table = font["GSUB"].table
    tabular = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for subtable in table.LookupList.Lookup[index].SubTable:
                    tabular.update(getattr(subtable, "ExtSubTable", subtable).mapping)
    # figures only: a full stop as wide as a figure tears numbers apart
    for encoding in font["cmap"].tables:
        if encoding.isUnicode():
            for figure in range(ord("0"), ord("9") + 1):
                glyph = encoding.cmap.get(figure)
                encoding.cmap[figure] = tabular.get(glyph, glyph)
    options = Options(layout_features=['kern', 'mark', 'ccmp'], hinting=False, notdef_outline=True, name_IDs=[1, 2, 4, 5, 6], name_languages=[0x409])
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=[*KEPT, *map(ord, SIGNS)])
    subsetter.subset(font)
    names = {0: "Copyright 2016 The Inter Project Authors. Modified: a subset, figures of one width.",
             1: "Stemlink Sans", 2: weight, 4: f"Stemlink Sans {weight}", 6: f"StemlinkSans-{weight}",
             13: "SIL Open Font License, Version 1.1"}
    font["name"].names = []
    for key, text in names.items():
        font["name"].setName(text, key, 3, 1, 0x409)
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [f"StemlinkSans-{weight}"]
        for key in ("FullName", "FamilyName", "Notice", "Copyright"):
            if key in cff.topDictIndex[0].rawDict:
                setattr(cff.topDictIndex[0], key, names[{"FullName": 4, "FamilyName": 1}.get(key, 0)])
    font["head"].created = font["head"].modified = 0
    font.recalcTimestamp = False
    font.save(f"{target}/StemlinkSans-{weight}.otf")
