//! The `ebur128` crate as a tool that measures a file: a peer of `stems measure` in `cargo xtask bench`.
//!
//!     peer_ebur128 FILE
//!
//! Reads 24-bit stereo WAV (with samples from byte 44 on, as the benchmark's files have them) in blocks of 100 ms,
//! asks for M and S after each, and for I, LRA and true peak at the end.
#![allow(clippy::print_stdout)] // a tool

use std::error::Error;
use std::fs::File;
use std::io::Read;

use ebur128::{EbuR128, Mode};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("FILE")?;
    let mut file = File::open(path)?;
    file.read_exact(&mut [0; 44])?;
    let mut meter = EbuR128::new(2, 48_000, Mode::M | Mode::S | Mode::I | Mode::LRA | Mode::TRUE_PEAK)?;
    let mut bytes = vec![0; 4800 * 6];
    let mut samples = Vec::with_capacity(4800 * 2);
    let (mut momentary, mut short_term) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
    loop {
        let mut len = 0;
        while len < bytes.len() {
            match file.read(&mut bytes[len..])? {
                0 => break,
                more => len += more,
            }
        }
        samples.clear();
        samples.extend(
            bytes[..len].as_chunks::<3>().0.iter().map(|&[a, b, c]| i32::from_le_bytes([0, a, b, c])),
        );
        meter.add_frames_i32(&samples)?;
        momentary = momentary.max(meter.loudness_momentary()?);
        short_term = short_term.max(meter.loudness_shortterm()?);
        if len < bytes.len() {
            break;
        }
    }
    let peak = meter.true_peak(0)?.max(meter.true_peak(1)?);
    println!(
        "I {:.3} LRA {:.3} M {momentary:.3} S {short_term:.3} peak {peak:.6}",
        meter.loudness_global()?,
        meter.loudness_range()?
    );
    Ok(())
}
