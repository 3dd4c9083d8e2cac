//! Names of files: `<process>.lock` for each process, `<process>-<instance>.link` for each instance, both numbers as
//! 16 hexadecimal digits.

/// Name of the lock of a process.
pub(super) fn lock_name(process: u64) -> String {
    format!("{process:016x}.lock")
}

/// Name of the file of an instance.
pub(super) fn link_name(process: u64, key: u64) -> String {
    format!("{process:016x}-{key:016x}.link")
}

/// True if the name is that of a lock.
pub(super) fn is_lock(name: &str) -> bool {
    name.ends_with(".lock")
}

/// Nonce of the process that owns the file; `None` if the name is not one of the link's.
pub(super) fn owner(name: &str) -> Option<u64> {
    let (stem, extension) = name.split_once('.')?;
    match (extension, stem.split_once('-')) {
        ("lock", None) => parse_number(stem),
        ("link", Some((process, key))) => parse_number(key).and(parse_number(process)),
        _ => None,
    }
}

/// Nonces of all processes that own one of the files, sorted, each once.
pub(super) fn owners(names: &[String]) -> Vec<u64> {
    let mut owners: Vec<u64> = names.iter().filter_map(|name| owner(name)).collect();
    owners.sort_unstable();
    owners.dedup();
    owners
}

fn parse_number(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits { u64::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_identify_their_owner() {
        assert_eq!(owner(&lock_name(7)), Some(7));
        assert_eq!(owner(&link_name(7, u64::MAX)), Some(7));
        assert!(is_lock(&lock_name(7)) && !is_lock(&link_name(7, 8)));
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
