//! Text in the page.

use crate::markup;

/// Text as it stands in the page.
pub(super) fn escaped(text: &str) -> String {
    markup::escaped(text, '\u{fffd}')
}
