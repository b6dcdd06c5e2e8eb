//! For a terminal: each node below what needs it. It is opened once only, and never so deep that it leaves the screen,
//! so the text grows with the file and no faster.

use super::super::words::{BAD, FAINT, NAME, paint};
use super::place;
use crate::plan::web::{Edge, Kind, Tie, Web};

/// How far the tree grows to the right; what lies deeper begins again at the margin.
const DEEPEST: usize = 16;

/// The tree, or the trees, as text.
pub(crate) fn tree(web: &Web) -> String {
    let mut tree =
        Tree { web, is_open: vec![false; web.nodes.len()], below: Vec::new(), text: String::new() };
    for root in web.roots.iter().copied() {
        // A name that was asked for twice is shown once.
        tree.grow(root);
    }
    // What nothing needs has been shown; what is left goes round in loops.
    for node in 0..web.nodes.len() {
        tree.grow(node);
    }
    tree.text
}

struct Tree<'a> {
    web: &'a Web,
    /// Whether a node has been shown with what it needs.
    is_open: Vec<bool>,
    /// What lies too deep, and goes on below.
    below: Vec<usize>,
    text: String,
}

/// A node whose edges are being shown.
struct Branch<'a> {
    edges: std::iter::Peekable<std::slice::Iter<'a, Edge>>,
    /// How long the margin of its edges is.
    margin: usize,
}

/// Where what a node needs is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It needs nothing that would be shown here.
    Leaf,
    /// In the lines that follow.
    Opens,
    /// Further up.
    Shown,
    /// Further down, at the margin.
    Below,
}

impl<'a> Tree<'a> {
    /// Shows a node at the margin, and then what lay too deep below it.
    fn grow(&mut self, root: usize) {
        self.below.push(root);
        let mut next = self.below.len() - 1;
        while let Some(node) = self.below.get(next).copied() {
            next += 1;
            if !self.is_open[node] {
                self.trunk(node);
            }
        }
        self.below.clear();
    }

    fn trunk(&mut self, root: usize) {
        self.node(root, None, State::Opens);
        let mut margin = String::new();
        let mut branches = vec![self.branch(root, 0)];
        while let Some(branch) = branches.last_mut() {
            margin.truncate(branch.margin);
            let Some(edge) = branch.edges.next() else {
                branches.pop();
                continue;
            };
            let (corner, beam) =
                if branch.edges.peek().is_some() { ("├── ", "│   ") } else { ("└── ", "    ") };
            self.text.push_str(&margin);
            self.text.push_str(corner);
            // What comes after is order, and no need: it is shown where it belongs.
            let is_leaf = edge.tie == Tie::After || self.web.edges_of(edge.to).is_empty();
            let state = match (is_leaf, self.is_open[edge.to]) {
                (true, _) => State::Leaf,
                (false, true) => State::Shown,
                (false, false) if branches.len() >= DEEPEST => State::Below,
                (false, false) => State::Opens,
            };
            self.node(edge.to, Some(edge), state);
            if state == State::Below {
                self.below.push(edge.to);
            }
            self.is_open[edge.to] |= state == State::Leaf && edge.tie != Tie::After;
            if state == State::Opens {
                margin.push_str(beam);
                let branch = self.branch(edge.to, margin.len());
                branches.push(branch);
            }
        }
    }

    fn branch(&mut self, node: usize, margin: usize) -> Branch<'a> {
        self.is_open[node] = true;
        Branch { edges: self.web.edges_of(node).iter().peekable(), margin }
    }

    /// A line: what a node is, what it has to do with the one above it, and where more of it is.
    fn node(&mut self, node: usize, edge: Option<&Edge>, state: State) {
        let node = &self.web.nodes[node];
        let name = match node.kind {
            Kind::Environment => paint(NAME, &node.name),
            Kind::Task | Kind::Private => node.name.clone(),
        };
        let kind = match node.kind {
            Kind::Environment => Some("environment"),
            Kind::Task => None,
            Kind::Private => Some("private"),
        };
        let tie = edge.and_then(|edge| match edge.tie {
            Tie::Needs => None,
            Tie::Deploys => Some("deploys"),
            Tie::Calls => Some("called"),
            Tie::After => Some("after"),
        });
        let only = (!node.only.is_empty()).then(|| format!("only {}", node.only.join(", ")));
        let on = (!node.on.is_empty()).then(|| format!("on {}", node.on.join(", ")));
        let words = [kind.map(str::to_owned), only, on, tie.map(str::to_owned), edge.and_then(place)];
        let words: Vec<String> = words.into_iter().flatten().collect();
        let words = (!words.is_empty()).then(|| paint(FAINT, format!("({})", words.join(", "))));
        let looping = edge.filter(|edge| edge.looping).map(|_| paint(BAD, "(loop)"));
        let more = match state {
            State::Leaf | State::Opens => None,
            State::Shown => Some(paint(FAINT, "(*)")),
            State::Below => Some(paint(FAINT, "(below)")),
        };
        let line: Vec<String> = [Some(name), words, looping, more].into_iter().flatten().collect();
        self.text.push_str(&line.join(" "));
        self.text.push('\n');
    }
}
