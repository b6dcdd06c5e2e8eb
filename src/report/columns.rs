//! Rows of words under one another, each column as wide as its widest word.

/// The rows as lines; the last column is left as it is.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            rows.iter().filter_map(|row| row.get(column)).map(|word| width(word)).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (word, width_of) in row.iter().zip(&widths) {
            line.push_str(word);
            line.extend(std::iter::repeat_n(' ', width_of - width(word) + GAP));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Blanks between two columns.
const GAP: usize = 2;

fn width(word: &str) -> usize {
    word.chars().count()
}
