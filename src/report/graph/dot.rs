//! For graphviz: `deploy graph --format dot | dot -Tpng`, or whatever else reads its language.

use std::fmt::Write as _;

use super::place;
use crate::plan::web::{Edge, Kind, Tie, Web};

/// The graph in graphviz's language.
pub(crate) fn dot(web: &Web, title: &str) -> String {
    let mut text = format!("digraph {} {{\n", quoted(title));
    text.push_str("  rankdir=LR\n");
    text.push_str("  node [shape=box, style=rounded, fontname=\"monospace\"]\n");
    text.push_str("  edge [fontname=\"sans-serif\", fontsize=10]\n\n");
    for node in &web.nodes {
        let look = match node.kind {
            Kind::Environment => " [shape=oval, style=filled, color=\"#0969da\", fillcolor=\"#ddf4ff\"]",
            Kind::Task => "",
            Kind::Private => " [style=\"rounded,dashed\"]",
        };
        let _written = writeln!(text, "  {}{look}", quoted(&node.name));
    }
    text.push('\n');
    for edge in &web.edges {
        let (from, to) = (quoted(&web.nodes[edge.from].name), quoted(&web.nodes[edge.to].name));
        let _written = writeln!(text, "  {from} -> {to}{}", look(edge));
    }
    text.push_str("}\n");
    text
}

fn look(edge: &Edge) -> String {
    let (style, word) = match edge.tie {
        Tie::Needs => (None, None),
        Tie::Deploys => (Some("style=bold"), Some("deploys")),
        Tie::Calls => (Some("style=dotted"), Some("calls")),
        // It gives order where both run, and pulls no node out of its place.
        Tie::After => (Some("style=dashed, constraint=false"), Some("after")),
    };
    let words: Vec<String> = word.map(str::to_owned).into_iter().chain(place(edge)).collect();
    let label = (!words.is_empty()).then(|| format!("label={}", quoted(&words.join(" "))));
    let looping = edge.looping.then(|| "color=\"#cf222e\"".to_owned());
    let all: Vec<String> = style.map(str::to_owned).into_iter().chain(label).chain(looping).collect();
    if all.is_empty() { String::new() } else { format!(" [{}]", all.join(", ")) }
}

/// A name of any characters. A backslash begins an escape in graphviz's labels.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
