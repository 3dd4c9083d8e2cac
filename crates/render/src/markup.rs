//! Text inside HTML and XML.

/// `text` as it stands between tags and in attributes; what XML does not allow, or what would turn text around, becomes `spare`.
pub(super) fn escaped(text: &str, spare: char) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{fffe}' | '\u{ffff}' => out.push(spare),
            c if c.is_control() => out.push(spare),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_tag_or_an_attribute() {
        assert_eq!(escaped("a<b>&\"'c", '?'), "a&lt;b&gt;&amp;&quot;&#39;c");
        assert_eq!(escaped("a\0b\u{202e}c\u{ffff}ü\n", '?'), "a?b?c?ü?");
    }
}
