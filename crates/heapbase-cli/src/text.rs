//! Text that is not ours, made safe for a terminal.

/// Text from a module or a file, without what would move the cursor, change colours or turn the direction of writing.
/// Lines stay lines.
pub(crate) fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        let turns = matches!(c, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if (c.is_control() && c != '\n') || turns {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// The same for text that takes one line, so that nobody writes the next one.
pub(crate) fn one_line(text: &str) -> String {
    printable(text).replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::{one_line, printable};

    #[test]
    fn nothing_reaches_the_terminal_but_text() {
        assert_eq!(printable("a\u{1b}[31mb\nc\u{7}\u{202e}d é"), "a\\u{1b}[31mb\nc\\u{7}\\u{202e}d é");
        assert_eq!(one_line("a\nwarning: b"), "a\\nwarning: b");
    }
}
