//! A manual page in roff, as `man` reads it. It knows the form alone: what the page says is handed to it.

use std::fmt::Write as _;

/// A page that is being written.
pub(crate) struct Page {
    text: String,
}

impl Page {
    /// A page of section 1, with what stands at its foot.
    pub(crate) fn new(name: &str, version: &str) -> Page {
        let (name, version) = (escaped(&name.to_uppercase()), escaped(version));
        Page { text: format!(".TH \"{name}\" 1 \"\" \"{version}\" \"\"\n") }
    }

    /// The line that `whatis` and `apropos` show.
    pub(crate) fn name(&mut self, name: &str, about: &str) {
        let _written = writeln!(self.text, ".SH \"NAME\"\n{} \\- {}", escaped(name), escaped(about));
    }

    /// `COMMANDS`, in capitals by custom.
    pub(crate) fn section(&mut self, title: &str) {
        let _written = writeln!(self.text, ".SH \"{}\"", escaped(title));
    }

    /// A heading below a section.
    pub(crate) fn heading(&mut self, title: &str) {
        let _written = writeln!(self.text, ".SS \"{}\"", escaped(title));
    }

    /// Running text; what stands between backticks is what one types.
    pub(crate) fn paragraph(&mut self, text: &str) {
        let _written = writeln!(self.text, ".PP\n{}", line(text));
    }

    /// A term, and what it means.
    pub(crate) fn item(&mut self, term: &str, meaning: &str) {
        let _written = writeln!(self.text, ".TP\n{}\n{}", bold(term), line(meaning));
    }

    /// Lines as they are, one below the other.
    pub(crate) fn lines<'a>(&mut self, lines: impl Iterator<Item = &'a str>) {
        self.text.push_str(".PP\n.nf\n");
        for line in lines {
            let _written = writeln!(self.text, "{}", bold(line));
        }
        self.text.push_str(".fi\n");
    }

    /// What belongs to the item before.
    pub(crate) fn indented(&mut self, inside: impl FnOnce(&mut Page)) {
        let before = self.text.len();
        inside(self);
        if self.text.len() > before {
            self.text.insert_str(before, ".RS\n");
            self.text.push_str(".RE\n");
        }
    }

    /// The page as `man` reads it.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Text of one paragraph.
fn line(text: &str) -> String {
    let mut line = String::new();
    for (index, part) in text.split('`').enumerate() {
        line.push_str(&if index % 2 == 0 { escaped(part) } else { bold(part) });
    }
    // At the begin of a line these would be a request to roff.
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}

fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

/// A text that means itself. A page is ASCII, so that every reader of pages can read it.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '"' => escaped.push_str("\\(dq"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            '\n' => escaped.push(' '),
            c if c.is_ascii() => escaped.push(c),
            c => drop(write!(escaped, "\\[u{:04X}]", u32::from(c))),
        }
    }
    escaped
}
