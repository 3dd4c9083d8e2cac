//! The loudest stretches of a file, by the energies of its segments.

use super::measure::SEGMENT;

/// Starts of up to `most` stretches of `frames` frames that do not overlap, the loudest first, within `total` frames
/// of which `segments` are the energies.
pub(super) fn loudest(segments: &[f64], frames: usize, total: u64, most: usize) -> Vec<u64> {
    let Some(last) = total.checked_sub(frames as u64) else { return Vec::new() };
    let span = frames.div_ceil(SEGMENT);
    let mut sums: Vec<(usize, f64)> = (0..segments.len())
        .map(|first| (first, segments[first..(first + span).min(segments.len())].iter().sum()))
        .filter(|(_, energy): &(usize, f64)| *energy > 0.0)
        .collect();
    sums.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut starts: Vec<u64> = Vec::new();
    for (first, _) in sums {
        let start = (first as u64 * SEGMENT as u64).min(last);
        if starts.len() < most && starts.iter().all(|other| other.abs_diff(start) >= frames as u64) {
            starts.push(start);
        }
    }
    starts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_loud_apart_and_inside() {
        let mut segments = vec![0.1; 20];
        (segments[7], segments[19]) = (5.0, 9.0);
        let total = 20 * SEGMENT as u64 - 5;
        let starts = loudest(&segments, 2 * SEGMENT, total, 3);
        assert_eq!(starts[0], total - 2 * SEGMENT as u64);
        assert_eq!(starts[1], 6 * SEGMENT as u64);
        assert_eq!(starts.len(), 3);
        assert_eq!(loudest(&segments, 100, 99, 3), [0u64; 0]);
        assert_eq!(loudest(&[0.0; 9], 100, 70_000, 3), [0u64; 0], "silence has no loudest stretch");
    }
}
