//! Names of files: `<process>.lock` for each process, `<process>-<instance>.link` for each instance, both numbers as
//! 16 hexadecimal digits.

/// The lock of a process.
pub(super) fn lock(process: u64) -> String {
    format!("{process:016x}.lock")
}

/// The file of an instance.
pub(super) fn link(process: u64, key: u64) -> String {
    format!("{process:016x}-{key:016x}.link")
}

/// Whether the name is that of a lock.
pub(super) fn is_lock(name: &str) -> bool {
    name.ends_with(".lock")
}

/// The process that a file of ours belongs to; `None`: not ours.
pub(super) fn owner(name: &str) -> Option<u64> {
    let (stem, kind) = name.split_once('.')?;
    match (kind, stem.split_once('-')) {
        ("lock", None) => number(stem),
        ("link", Some((process, key))) => number(key).and(number(process)),
        _ => None,
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_whose_they_are() {
        assert_eq!(owner(&lock(7)), Some(7));
        assert_eq!(owner(&link(7, u64::MAX)), Some(7));
        assert!(is_lock(&lock(7)) && !is_lock(&link(7, 8)));
        let foreign = [
            "",
            ".",
            "0000000000000007",
            "0000000000000007.link",
            "0000000000000007-0000000000000008.lock",
            "000000000000000A.lock",
            "+000000000000007.lock",
            "0000000000000007.lock.bak",
            "7.lock",
        ];
        for name in foreign {
            assert_eq!(owner(name), None, "{name}");
        }
    }
}
