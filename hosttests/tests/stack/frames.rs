//! Stack frames of the built library, read from its machine code: `objdump` comes with every linker (package binutils).

use hosttests::Library;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// Largest frame of a function of ours that a host's call reaches, bytes.
const MAX_FRAME: u64 = 16 << 10;

/// Frames larger than that are a fault anywhere, bytes: other threads have 2 MiB, of which a library may take its part.
const MAX_FRAME_OF_A_THREAD: u64 = 64 << 10;

/// Paths of our functions that run on threads of ours alone, which have as much stack as Rust gives: the link's worker, a
/// Master's analysis, and a window's reader of references.
const ON_OWN_THREADS: [&str; 7] = [
    "audiofile::",
    "link::ipc::export::",
    "link::ipc::file_layout::",
    "link::ipc::import::",
    "link::ipc::worker::",
    "stemlink::analysis::",
    "stemlink::link_publisher::",
];

/// First parts of the paths of our crates' functions.
const OURS: [&str; 15] = [
    "audiofile::",
    "chain::",
    "dsp::",
    "editor::",
    "link::",
    "meter::",
    "plugin_core::",
    "project::",
    "session::",
    "simd::",
    "stemlink::",
    "units::",
    "nice_plug::wrapper::",
    "nice_plug_core::",
    "render::",
];

/// First parts of the paths of functions that are often made for a type of the caller: they are the caller's.
const GENERIC: [&str; 4] = ["core::", "alloc::", "std::", "hashbrown::"];

/// Frame of one function.
#[derive(Clone, Debug, PartialEq)]
struct Frame {
    address: u64,
    bytes: u64,
    name: String,
}

/// Reader of a disassembly: sums what each function takes off the stack pointer, with the loops that touch every page.
#[derive(Default)]
struct FrameReader {
    current: Option<Frame>,
    frames: Vec<Frame>,
    /// Addresses that the library's table of pointers holds, by that of the entry: calls between crates go through it.
    pointers: BTreeMap<u64, u64>,
    /// Functions that call a function, by addresses.
    callers: BTreeMap<u64, BTreeSet<u64>>,
}

/// Size of the pages that a large frame touches one by one.
const PAGE: u64 = 4096;

impl FrameReader {
    fn read(&mut self, line: &str) {
        if let Some((address, name)) = line.split_once(" <")
            && let (Some(name), Ok(address)) = (name.strip_suffix(">:"), u64::from_str_radix(address, 16))
        {
            self.frames.extend(self.current.replace(Frame { address, bytes: 0, name: name.into() }));
            return;
        }
        let (Some(frame), Some(code)) = (&mut self.current, line.split('\t').nth(1)) else { return };
        let Some((operation, operands)) = code.trim().split_once(' ') else { return };
        let operands = operands.trim();
        // a call of an address, or of one that the table of pointers holds: `call *0x10(%rip)  # 2000 <_>`
        let target = operands.split_once("# ").map_or(operands, |(_, pointer)| pointer);
        let target = target.split(' ').next().and_then(|address| u64::from_str_radix(address, 16).ok());
        if let Some(target) = target.filter(|_| operands.ends_with('>')) {
            let target = self.pointers.get(&target).copied().unwrap_or(target);
            self.callers.entry(target).or_default().insert(frame.address);
        }
        let number =
            |text: &str| text.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        let taken = match operation {
            // a plain frame, or what a loop over pages has left
            "sub" => {
                let of = |register| operands.strip_suffix(register)?.strip_prefix('$').and_then(number);
                // the end of a loop over pages, one of which the loop itself takes in its text
                of(",%rsp").or_else(|| Some(of(",%r11")?.saturating_sub(PAGE)))
            }
            "lea" => {
                let end =
                    operands.strip_suffix("(%rsp),%r11").and_then(|x| x.strip_prefix('-')).and_then(number);
                end.map(|bytes| bytes.saturating_sub(PAGE))
            }
            _ => None,
        };
        // what is larger is an addition, of a negative number; what is smaller aligns the arguments of one call
        frame.bytes += taken.filter(|bytes| (32..1 << 31).contains(bytes)).unwrap_or(0);
    }

    /// Reads a line of the table of pointers: `00002000 R_X86_64_RELATIVE *ABS*+0x1000`.
    fn read_pointer(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [entry, "R_X86_64_RELATIVE", value] = words[..]
            && let Ok(entry) = u64::from_str_radix(entry, 16)
            && let Some(Ok(address)) = value.split_once("+0x").map(|(_, hex)| u64::from_str_radix(hex, 16))
        {
            self.pointers.insert(entry, address);
        }
    }

    fn finish(&mut self) -> Vec<Frame> {
        self.frames.extend(self.current.take());
        self.frames.clone()
    }

    /// Returns the names of those whose function it is: its own, or of a generic one those of its callers.
    fn owners(&self, frame: &Frame) -> Vec<&str> {
        let names: BTreeMap<u64, &str> =
            self.frames.iter().map(|frame| (frame.address, frame.name.as_str())).collect();
        let (mut owners, mut seen, mut next) = (Vec::new(), BTreeSet::new(), vec![frame.address]);
        while let Some(address) = next.pop() {
            let Some(name) = names.get(&address).filter(|_| seen.insert(address)) else { continue };
            if GENERIC.iter().any(|start| path(name).starts_with(start)) {
                next.extend(self.callers.get(&address).into_iter().flatten());
            } else {
                owners.push(*name);
            }
        }
        owners
    }
}

/// Path of a function: `<a::B as c::D>::e` is of `a`.
fn path(name: &str) -> &str {
    name.trim_start_matches(['<', '&', '*']).trim_start_matches("mut ").trim_start_matches("dyn ")
}

fn is_ours(name: &str) -> bool {
    OURS.iter().any(|start| path(name).starts_with(start))
}

#[test]
fn no_function_of_ours_that_a_host_reaches_has_a_large_frame() {
    if !cfg!(target_arch = "x86_64") {
        eprintln!("skipped: frames are read from the machine code of x86-64");
        return;
    }
    // of the build that this test was made with
    drop(Library::open());
    let disassembler = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn", "--wide"])
        .arg(Library::path())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut disassembler) = disassembler else {
        return hosttests::skip_or_fail("there is no objdump (package binutils)");
    };
    let mut reader = FrameReader::default();
    let pointers = Command::new("objdump").arg("--dynamic-reloc").arg(Library::path()).output();
    let pointers = pointers.expect("objdump speaks").stdout;
    String::from_utf8_lossy(&pointers).lines().for_each(|line| reader.read_pointer(line));
    let code = BufReader::new(disassembler.stdout.take().expect("a pipe"));
    for line in code.split(b'\n') {
        reader.read(&String::from_utf8_lossy(&line.expect("objdump speaks")));
    }
    assert!(disassembler.wait().expect("objdump ends").success());
    let mut frames = reader.finish();
    assert!(frames.len() > 10_000, "{} functions in the library", frames.len());
    frames.retain(|frame| frame.bytes > MAX_FRAME);
    frames.sort_by_key(|frame| std::cmp::Reverse(frame.bytes));
    let (ours, libraries): (Vec<Frame>, Vec<Frame>) =
        frames.into_iter().partition(|frame| reader.owners(frame).into_iter().any(is_ours));
    for Frame { bytes, name, .. } in &libraries {
        println!("{:4} KiB in a library: {name}", bytes >> 10);
    }
    let is_wrong = |frame: &&Frame| {
        let is_own = |name: &&str| ON_OWN_THREADS.iter().any(|start| path(name).starts_with(start));
        let own_thread = reader.owners(frame).iter().all(is_own);
        !own_thread || frame.bytes > MAX_FRAME_OF_A_THREAD
    };
    let wrong: Vec<&Frame> = ours.iter().filter(is_wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn frames_are_read_with_their_loops_over_pages() {
    let code = "\
0000000000001000 <dsp::small>:
    1000:\tpush   %rbx
    1001:\tsub    $0x28,%rsp
    1005:\tsub    $0x1,%rax
    1009:\tadd    $0xffffffffffffff80,%rsp
    100d:\tsub    $0x8,%rsp
    1011:\tsub    $0xffffffffffffff80,%rsp
0000000000002000 <<chain::Large as core::Made>::new>:
    2000:\tlea    -0x5000(%rsp),%r11
    2008:\tsub    $0x1000,%rsp
    200f:\tmovq   $0x0,(%rsp)
    2017:\tcmp    %r11,%rsp
    201a:\tjne    2008 <_>
    201c:\tsub    $0x68,%rsp
    2020:\tcall   4000 <<core::Map<I,F> as core::Iterator>::fold>
    2024:\tcall   *0x1ff0(%rip)        # 6000 <_DYNAMIC+0x10>
0000000000003000 <stemlink::larger>:
    3000:\tmov    %rsp,%r11
    3003:\tsub    $0x52000,%r11
    300a:\tsub    $0x1000,%rsp
    3011:\tsub    $0x30,%rsp
0000000000004000 <<core::Map<I,F> as core::Iterator>::fold>:
    4000:\tjmp    5000 <core::call_mut>
0000000000005000 <core::call_mut>:
    5000:\tsub    $0x60,%rsp
0000000000005800 <alloc::other>:
    5800:\tsub    $0x70,%rsp
0000000000005900 <alloc::of_nobody>:
    5900:\tsub    $0x80,%rsp
";
    let mut reader = FrameReader::default();
    reader.read_pointer("0000000000006000 R_X86_64_RELATIVE  *ABS*+0x5800");
    code.lines().for_each(|line| reader.read(line));
    let frames = reader.finish();
    let is_ours = |frame: &Frame| reader.owners(frame).into_iter().any(is_ours);
    let frames: Vec<(u64, bool)> = frames.iter().map(|frame| (frame.bytes, is_ours(frame))).collect();
    let generics = [(0, true), (0x60, true), (0x70, true), (0x80, false)];
    assert_eq!(frames[..3], [(0x28, true), (0x5068, true), (0x52030, true)]);
    assert_eq!(frames[3..], generics, "of whom calls them, through others and through the table of pointers");
}
