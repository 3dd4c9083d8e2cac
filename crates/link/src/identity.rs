//! Who is who: instances, sessions, processes.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A number that nobody else has, with overwhelming probability.
///
/// From the standard library's per-thread hash keys, which the system seeds; mixed with a counter, the time and the
/// process. Good for telling things apart, not for keeping secrets.
pub fn unique() -> NonZeroU64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(COUNTER.fetch_add(1, Ordering::Relaxed));
        hasher.write_u64(now());
        hasher.write_u32(std::process::id());
        if let Some(number) = NonZeroU64::new(hasher.finish()) {
            return number;
        }
    }
}

/// The system's clock, in nanoseconds since 1970: for telling which of two was there first.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// As text it is 16 hexadecimal digits.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(NonZeroU64);

        impl $name {
            /// One that nobody has.
            pub fn mint() -> Self {
                Self(unique())
            }

            /// The id with this number; zero is none.
            pub const fn new(number: u64) -> Option<Self> {
                match NonZeroU64::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The number.
            pub const fn get(self) -> u64 {
                self.0.get()
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                core::fmt::Display::fmt(self, f)
            }
        }

        impl From<$name> for NonZeroU64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let hexadecimal = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let number = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { None };
                number.and_then(Self::new).ok_or(NotAnId)
            }
        }
    };
}

id! {
    /// One plugin, as long as it exists in its project: saved in its state.
    InstanceId
}
id! {
    /// A Master and the Stems that belong to it: minted by the Master, saved in its state.
    SessionId
}

/// The text is not 16 hexadecimal digits, or all are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnId;

/// A process, distinct from all others that this machine has run or will run, and each loaded copy of this library
/// from each other: in one process the CLAP and the VST3 build have a roster each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Which start of the machine; zero if the system does not tell.
    pub boot: u64,
    /// The system's number for the process.
    pub pid: u64,
    /// When it started, in the system's own unit; zero if the system does not tell.
    pub start: u64,
    /// What tells it apart where all that is not enough.
    pub nonce: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_on_one_thread_and_on_many() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..1000).map(|_| unique()).collect::<Vec<_>>())).collect();
        let all: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4000);
        // every bit is used
        let (ones, zeros) = all.iter().fold((0, 0), |(ones, zeros), id| (ones | id.get(), zeros | !id.get()));
        assert_eq!((ones, zeros), (u64::MAX, u64::MAX));
    }

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = InstanceId::mint();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(InstanceId::new(0xab).unwrap().to_string(), "00000000000000ab");
        for bad in ["", "0", "0000000000000000", "+00000000000000a", "00000000000000ab0", "zzzzzzzzzzzzzzzz"]
        {
            assert_eq!(bad.parse::<InstanceId>(), Err(NotAnId), "{bad}");
        }
    }
}
