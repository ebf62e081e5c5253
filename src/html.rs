//! Text in pages that the program writes itself: the API's description, reports, forecasts. Not here: pages that browsers build
//! (`pages`).

/// As text or within quotes of an attribute, single or double.
pub fn escaped(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&#39;"),
            c => written.push(c),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_that_was_typed_becomes_markup() {
        assert_eq!(escaped("<b title='a\"b'>热线 &amp;"), "&lt;b title=&#39;a&quot;b&#39;&gt;热线 &amp;amp;");
    }
}
