//! Ids of instances, sessions and processes.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::num::NonZeroU64;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Returns a number that is unique on this machine with overwhelming probability.
///
/// Made of the standard library's per-thread hash keys, which the system seeds, a counter, the time and the process
/// number. For telling things apart, not for secrets. Any thread; the first call on a thread may ask the system.
pub fn unique_id() -> NonZeroU64 {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    loop {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(COUNTER.fetch_add(1, Ordering::Relaxed));
        hasher.write_u64(unix_nanoseconds());
        hasher.write_u32(std::process::id());
        if let Some(number) = NonZeroU64::new(hasher.finish()) {
            return number;
        }
    }
}

/// Returns the system's clock in nanoseconds since 1970, for ordering instances by age.
pub fn unix_nanoseconds() -> u64 {
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
            /// A new id, different from all others.
            pub fn mint() -> Self {
                Self(unique_id())
            }

            /// The id with this number; `None` for zero.
            pub const fn new(number: u64) -> Option<Self> {
                match NonZeroU64::new(number) {
                    Some(number) => Some(Self(number)),
                    None => None,
                }
            }

            /// The id as a number, never zero.
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
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let hexadecimal = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
                let number = if hexadecimal { u64::from_str_radix(text, 16).ok() } else { None };
                number.and_then(Self::new).ok_or(InvalidId)
            }
        }
    };
}

id! {
    /// Id of one plugin, saved in its state and valid as long as it exists in its project.
    InstanceId
}
id! {
    /// Id of a Master and the Stems that belong to it: minted by the Master, saved in its state.
    SessionId
}

/// Error of parsing an id: the text is not 16 hexadecimal digits, or all of them are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidId;

/// Identity of a process, distinct from all others that this machine has run or will run, and of each loaded copy of
/// this library: the CLAP and the VST3 build in one process have a roster each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessIdentity {
    /// Id of the machine's boot; zero if the system does not give one.
    pub boot: u64,
    /// The system's process number.
    pub pid: u64,
    /// Start time in the system's own unit; zero if the system does not give one.
    pub start: u64,
    /// Random number, new with every loaded copy of the library.
    pub nonce: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_differ_on_one_thread_and_on_many() {
        let threads: Vec<_> = (0..4)
            .map(|_| std::thread::spawn(|| (0..1000).map(|_| unique_id()).collect::<Vec<_>>()))
            .collect();
        let all: HashSet<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(all.len(), 4000);
        // every bit is used
        let (ones, zeros) = all.iter().fold((0, 0), |(ones, zeros), id| (ones | id.get(), zeros | !id.get()));
        assert_eq!((ones, zeros), (u64::MAX, u64::MAX));
    }

    #[test]
    fn ids_survive_a_round_trip_through_text() {
        let id = InstanceId::mint();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(InstanceId::new(0xab).unwrap().to_string(), "00000000000000ab");
        for bad in ["", "0", "0000000000000000", "+00000000000000a", "00000000000000ab0", "zzzzzzzzzzzzzzzz"]
        {
            assert_eq!(bad.parse::<InstanceId>(), Err(InvalidId), "{bad}");
        }
    }
}
