//! A FLAC encoder of the simplest kind, for the tests: verbatim subframes only (RFC 9639).

/// Frames of each block.
pub(super) const BLOCK: usize = 192;

/// Header fields beyond the samples.
#[derive(Clone, Copy)]
pub(super) struct Header {
    pub(super) declare_length: bool,
    pub(super) md5: [u8; 16],
}

/// A 16-bit file at 48 kHz; also where each frame of it starts.
pub(super) fn encode(planes: &[Vec<i16>], header: Header) -> (Vec<u8>, Vec<usize>) {
    let frames = planes[0].len();
    let declared = if header.declare_length { frames as u64 } else { 0 };
    let mut file = b"fLaC\x80\0\0\x22".to_vec();
    file.extend([(BLOCK as u16).to_be_bytes(); 2].concat());
    file.extend([0; 6]);
    let packed = 48_000u64 << 44 | (planes.len() as u64 - 1) << 41 | 15 << 36 | declared;
    file.extend(packed.to_be_bytes());
    file.extend(header.md5);
    let mut starts = Vec::new();
    for (number, at) in (0..frames).step_by(BLOCK).enumerate() {
        let len = BLOCK.min(frames - at);
        starts.push(file.len());
        let mut frame = vec![0xff, 0xf8, 0x70, (planes.len() as u8 - 1) << 4 | 0x08];
        frame.extend(char::from_u32(number as u32).expect("few frames").to_string().bytes());
        frame.extend((len as u16 - 1).to_be_bytes());
        frame.push(crc(&frame, 8, 0x07) as u8);
        for plane in planes {
            frame.push(0x02);
            frame.extend(plane[at..at + len].iter().flat_map(|sample| sample.to_be_bytes()));
        }
        frame.extend(crc(&frame, 16, 0x8005).to_be_bytes());
        file.extend(frame);
    }
    (file, starts)
}

/// A cyclic redundancy check of `bits` bits, most significant bit first.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u16 {
    let top = 1 << (bits - 1);
    let mut state = 0u32;
    for byte in bytes {
        state ^= u32::from(*byte) << (bits - 8);
        for _ in 0..8 {
            state = if state & top != 0 { state << 1 ^ polynomial } else { state << 1 };
        }
    }
    (state & (2 * top - 1)) as u16
}
