//! Files of the VST3 convention that lie beside the library: `moduleinfo.json`, by which hosts list the classes without loading
//! it, and the factory presets as `.vstpreset` files.

use chain::ChainKind;
use nice_plug::plugin::PluginState;
use nice_plug::prelude::*;
use plugin_core::document::validate_state;
use plugin_core::groups::{MasterOutput, StemOutput};
use plugin_core::presets::{self, Preset};
use project::names::file_name_from;
use serde_json::{Value, json};
use stemlink::plugin::{EMAIL, PluginIdentity, URL, VENDOR};

/// SDK version that the framework reports.
const SDK_VERSION: &str = "VST 3.6.14";
/// `ComponentFlags::kSimpleModeSupported`, as the framework reports.
const CLASS_FLAGS: u32 = 2;
/// `PClassInfo::kManyInstances`.
const MANY_INSTANCES: u32 = 0x7FFF_FFFF;

/// Preset as a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PresetFile {
    /// Path below the folder of VST3 presets: vendor, plugin, file.
    pub(crate) path: [String; 3],
    /// Contents.
    pub(crate) bytes: Vec<u8>,
}

/// Returns the text of `moduleinfo.json`, which hosts look for in the bundle's `Contents/Resources`.
pub(crate) fn module_info() -> String {
    let info = json!({
        "Name": VENDOR,
        "Version": env!("CARGO_PKG_VERSION"),
        "Factory Info": {
            "Vendor": VENDOR,
            "URL": URL,
            "E-Mail": EMAIL,
            "Flags": {
                "Unicode": true,
                "Classes Discardable": false,
                "Component Non Discardable": false,
            },
        },
        "Classes": [class_info::<StemOutput>(), class_info::<MasterOutput>()],
    });
    format!("{info:#}\n")
}

fn class_info<O: PluginIdentity>() -> Value {
    let categories: Vec<&str> = O::VST3_SUBCATEGORIES.iter().map(Vst3SubCategory::as_str).collect();
    json!({
        "CID": class_id::<O>(),
        "Category": "Audio Module Class",
        "Name": O::NAME,
        "Vendor": VENDOR,
        "Version": env!("CARGO_PKG_VERSION"),
        "SDKVersion": SDK_VERSION,
        "Sub Categories": categories,
        "Class Flags": CLASS_FLAGS,
        "Cardinality": MANY_INSTANCES,
        "Snapshots": [],
    })
}

/// Returns a class id as text, the same on every system.
fn class_id<O: PluginIdentity>() -> String {
    O::VST3_CLASS_ID.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Returns the factory presets of both plugins. They are named after the plugin's own, by what a file name can hold.
pub(crate) fn preset_files() -> Vec<PresetFile> {
    let mut files = Vec::new();
    push_presets::<StemOutput>(ChainKind::Stem, &mut files);
    push_presets::<MasterOutput>(ChainKind::Master, &mut files);
    files
}

fn push_presets<O: PluginIdentity>(chain_kind: ChainKind, files: &mut Vec<PresetFile>) {
    for preset in presets::all_factory(chain_kind) {
        let name = file_name_from(&preset.name.replace(": ", " - "));
        let path = [VENDOR.to_owned(), O::NAME.to_owned(), format!("{name}.vstpreset")];
        files.push(PresetFile { path, bytes: preset_bytes::<O>(chain_kind, &preset) });
    }
}

/// Returns the contents of a `.vstpreset`: the header, the list of chunks, a description, and the component's state. The state
/// comes last, because some hosts give the plugin the file from there to its end.
fn preset_bytes<O: PluginIdentity>(chain_kind: ChainKind, preset: &Preset) -> Vec<u8> {
    const HEADER_BYTES: usize = 48;
    const LIST_BYTES: usize = 8 + 2 * 20;
    let state = presets::state(chain_kind, &preset.values, env!("CARGO_PKG_VERSION"));
    let state = serde_json::to_vec(&state).expect("texts and numbers have a form in JSON");
    let info = meta_info::<O>();
    let info_at = HEADER_BYTES + LIST_BYTES;
    let mut bytes = Vec::new();
    bytes.extend(b"VST3");
    bytes.extend(1_i32.to_le_bytes());
    bytes.extend(class_id::<O>().as_bytes());
    bytes.extend((HEADER_BYTES as i64).to_le_bytes());
    bytes.extend(b"List");
    bytes.extend(2_i32.to_le_bytes());
    for (id, at, length) in [(b"Info", info_at, info.len()), (b"Comp", info_at + info.len(), state.len())] {
        bytes.extend(id);
        bytes.extend((at as i64).to_le_bytes());
        bytes.extend((length as i64).to_le_bytes());
    }
    bytes.extend(info.as_bytes());
    bytes.extend(state);
    bytes
}

fn meta_info<O: PluginIdentity>() -> String {
    let categories: Vec<&str> = O::VST3_SUBCATEGORIES.iter().map(Vst3SubCategory::as_str).collect();
    let categories = categories.join("|");
    let attributes = [
        ("MediaType", "VstPreset"),
        ("PlugInCategory", categories.as_str()),
        ("PlugInName", O::NAME),
        ("PlugInVendor", VENDOR),
    ];
    // no value has a character that XML reserves
    let lines: String = attributes
        .iter()
        .map(|(id, value)| {
            format!("<Attribute id=\"{id}\" value=\"{value}\" type=\"string\" flags=\"writeProtected\"/>")
        })
        .collect();
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><MetaInfo>{lines}</MetaInfo>")
}

#[test]
fn the_module_says_what_the_factory_says() {
    let info: Value = serde_json::from_str(&module_info()).expect("JSON");
    let classes = info["Classes"].as_array().expect("a list");
    let ids: Vec<&str> = classes.iter().filter_map(|class| class["CID"].as_str()).collect();
    // "StemlinkStem0001" and "StemlinkMaster01" in hexadecimal digits: permanent
    assert_eq!(ids, ["5374656D6C696E6B5374656D30303031", "5374656D6C696E6B4D61737465723031"]);
    assert_eq!(classes[0]["Name"], "Stemlink Stem");
    assert_eq!(classes[1]["Sub Categories"][1], "Mastering");
    assert!(info["Factory Info"]["URL"].as_str().is_some_and(|url| url.starts_with("https://")));
    assert!(info["Factory Info"]["E-Mail"].as_str().is_some_and(|mail| mail.contains('@')));
}

#[test]
fn each_factory_preset_is_a_file_whose_chunks_are_whole_and_whose_state_is_admitted() {
    let files = preset_files();
    assert!(files.len() > 8, "{}", files.len());
    for (i, file) in files.iter().enumerate() {
        assert!(files[..i].iter().all(|other| other.path != file.path), "{:?}", file.path);
        let bytes = &file.bytes;
        let number = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight")) as usize;
        assert_eq!(&bytes[..8], b"VST3\x01\0\0\0");
        let list = number(40);
        assert_eq!(&bytes[list..list + 8], b"List\x02\0\0\0");
        let chunk = |n: usize| {
            let entry = list + 8 + 20 * n;
            (&bytes[entry..entry + 4], &bytes[number(entry + 4)..number(entry + 4) + number(entry + 12)])
        };
        let ((info_id, info), (state_id, state)) = (chunk(0), chunk(1));
        assert_eq!((info_id, state_id), (&b"Info"[..], &b"Comp"[..]));
        assert!(info.starts_with(b"<?xml") && info.ends_with(b"</MetaInfo>"));
        assert!(bytes.ends_with(state), "the state is last");
        let chain_kind = if file.path[1].ends_with("Stem") { ChainKind::Stem } else { ChainKind::Master };
        let mut state: PluginState = serde_json::from_slice(state).expect("a state");
        let count = state.params.len();
        validate_state(chain_kind, &mut state);
        assert!(state.params.len() == count && count > 20, "{:?}", file.path);
    }
}
