//! Ids in the saved document.

use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// Id as it is saved: 16 hexadecimal digits, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Hex(pub(super) NonZeroU64);

impl From<Hex> for String {
    fn from(Hex(number): Hex) -> Self {
        format!("{number:016x}")
    }
}

impl TryFrom<String> for Hex {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = if digits { u64::from_str_radix(&text, 16).ok() } else { None };
        number.and_then(NonZeroU64::new).map(Self).ok_or("not an id")
    }
}
