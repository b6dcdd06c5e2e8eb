//! What needs what, as text and as pictures: one file a format. All of them show every node and every edge once, of
//! any number; how it looks is all that they decide.

mod dot;
mod layers;
mod mermaid;
mod svg;
mod tree;

pub(crate) use dot::dot;
pub(crate) use mermaid::mermaid;
pub(crate) use svg::svg;
pub(crate) use tree::tree;

use crate::plan::web::Edge;

/// `in staging`, where a task is needed in an environment.
fn place(edge: &Edge) -> Option<String> {
    edge.place.as_ref().map(|place| format!("in {place}"))
}
