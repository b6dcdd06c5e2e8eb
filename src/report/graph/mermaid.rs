//! For Markdown: GitHub and GitLab draw a block that is fenced as `mermaid`.

use std::fmt::Write as _;

use super::place;
use crate::plan::web::{Edge, Kind, Tie, Web};

/// The graph in mermaid's language.
pub(crate) fn mermaid(web: &Web) -> String {
    let mut text = "flowchart LR\n".to_owned();
    for (index, node) in web.nodes.iter().enumerate() {
        let label = label(&node.name);
        let _written = match node.kind {
            Kind::Environment => writeln!(text, "  n{index}([\"{label}\"]):::environment"),
            Kind::Task => writeln!(text, "  n{index}[\"{label}\"]"),
            Kind::Private => writeln!(text, "  n{index}[\"{label}\"]:::private"),
        };
    }
    for edge in &web.edges {
        let _written = writeln!(text, "  n{} {} n{}", edge.from, arrow(edge), edge.to);
    }
    let of_kind = |kind: Kind| web.nodes.iter().any(|node| node.kind == kind);
    if of_kind(Kind::Environment) {
        text.push_str("  classDef environment fill:#ddf4ff,stroke:#0969da,color:#0550ae\n");
    }
    if of_kind(Kind::Private) {
        text.push_str("  classDef private stroke-dasharray:4 3\n");
    }
    let looping = web.edges.iter().enumerate().filter(|(_, edge)| edge.looping);
    let looping: Vec<String> = looping.map(|(index, _)| index.to_string()).collect();
    if !looping.is_empty() {
        let _written = writeln!(text, "  linkStyle {} stroke:#cf222e", looping.join(","));
    }
    text
}

fn arrow(edge: &Edge) -> String {
    let (line, word) = match edge.tie {
        Tie::Needs => ("-->", None),
        Tie::Deploys => ("==>", Some("deploys")),
        Tie::Calls => ("-->", Some("calls")),
        Tie::After => ("-.->", Some("after")),
    };
    let words: Vec<String> =
        word.map(str::to_owned).into_iter().chain(place(edge).map(|place| label(&place))).collect();
    if words.is_empty() { line.to_owned() } else { format!("{line}|\"{}\"|", words.join(" ")) }
}

/// A text between quotes. What is neither a letter nor a digit may mean something to mermaid, to HTML or to Markdown;
/// what names are mostly made of does not.
fn label(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '.' | ':' | '/' | ',' | '=' | '@' | ' ');
    let mut label = String::new();
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        // Within a word it is no emphasis.
        let within = c == '_'
            && before.is_some_and(char::is_alphanumeric)
            && rest.peek().is_some_and(|after| after.is_alphanumeric());
        if plain(c) || within {
            label.push(c);
        } else {
            let _written = write!(label, "#{};", u32::from(c));
        }
        before = Some(c);
    }
    label
}
