//! As a picture that a browser shows, in the reader's light or dark. It stands alone: no script, no font, no link.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use super::layers::{Way, layout};
use super::place;
use crate::plan::web::{Edge, Kind, Tie, Web};

/// Around everything.
const MARGIN: f64 = 24.0;

/// The title's line, with the space below it.
const TITLE: f64 = 44.0;

/// The legend's line, with the space above it.
const LEGEND: f64 = 46.0;

/// How wide a cell of the names' font is at most, at 13 pixels.
const CELL: f64 = 8.0;

/// A box's height, and what its name leaves free in its width.
const HEIGHT: f64 = 34.0;
const PADDING: f64 = 28.0;

const STYLE: &str = "
  .paper { fill: #ffffff; }
  text { fill: #1f2328; font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; }
  .title { font: 600 17px system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif; }
  .legend, .word { fill: #59636e; font: 12px system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif; }
  .word { font-size: 11px; stroke: #ffffff; stroke-width: 4px; paint-order: stroke; }
  .node { fill: #f6f8fa; stroke: #818b98; stroke-width: 1.25; }
  .environment { fill: #ddf4ff; stroke: #0969da; }
  .private { stroke-dasharray: 4 3; }
  .edge { fill: none; stroke: #818b98; stroke-width: 1.5; }
  .tip { fill: #818b98; }
  .deploys { stroke: #0969da; stroke-width: 2.25; }
  .tip.deploys { fill: #0969da; stroke: none; }
  .calls { stroke-dasharray: 1.5 4; stroke-linecap: round; stroke-width: 2; }
  .after { stroke-dasharray: 7 5; }
  .tip.calls, .tip.after { stroke: none; }
  .loop { stroke: #cf222e; }
  .tip.loop { fill: #cf222e; stroke: none; }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; }
    text { fill: #e6edf3; }
    .legend, .word { fill: #9198a1; }
    .word { stroke: #0d1117; }
    .node { fill: #1c2129; stroke: #656c76; }
    .environment { fill: #0c2d5e; stroke: #58a6ff; }
    .edge { stroke: #767e88; }
    .tip { fill: #767e88; }
    .edge.deploys { stroke: #58a6ff; }
    .tip.deploys { fill: #58a6ff; }
    .edge.loop { stroke: #ff7b72; }
    .tip.loop { fill: #ff7b72; }
  }
";

/// The graph as an SVG document.
pub(crate) fn svg(web: &Web, title: &str) -> String {
    let sizes: Vec<(f64, f64)> =
        web.nodes.iter().map(|node| (cells(&node.name) * CELL + PADDING, HEIGHT)).collect();
    let ends: Vec<(usize, usize)> = web.edges.iter().map(|edge| (edge.from, edge.to)).collect();
    let layout = layout(&sizes, &ends);
    let (key, key_width) = legend(web);
    let width = layout.size.0.max(key_width).max(cells(title) * 11.0) + 2.0 * MARGIN;
    let bottom = if key.is_empty() { 0.0 } else { LEGEND };
    let height = layout.size.1 + TITLE + bottom + 2.0 * MARGIN;

    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.0} {height:.0}\">\n"
    );
    let title = escaped(title);
    let _written = writeln!(text, "<title>{title}</title>\n<style>{STYLE}</style>");
    let _written = writeln!(text, "<rect class=\"paper\" width=\"100%\" height=\"100%\" rx=\"8\"/>");
    let _written =
        writeln!(text, "<text class=\"title\" x=\"{MARGIN}\" y=\"{:.0}\">{title}</text>", MARGIN + 16.0);
    let _written = writeln!(text, "<g transform=\"translate({MARGIN} {})\">", MARGIN + TITLE);
    for (edge, way) in web.edges.iter().zip(&layout.ways) {
        draw_edge(web, edge, way, &mut text);
    }
    for ((node, size), corner) in web.nodes.iter().zip(&sizes).zip(&layout.corners) {
        draw_box(&node.name, node.kind, *corner, *size, &mut text);
    }
    text.push_str("</g>\n");
    if !key.is_empty() {
        let y = height - MARGIN - 4.0;
        let _written = writeln!(text, "<g transform=\"translate({MARGIN} {y:.0})\">\n{key}</g>");
    }
    text.push_str("</svg>\n");
    text
}

fn draw_box(name: &str, kind: Kind, (x, y): (f64, f64), (width, height): (f64, f64), text: &mut String) {
    let (class, round) = match kind {
        Kind::Environment => ("node environment", height / 2.0),
        Kind::Task => ("node", 6.0),
        Kind::Private => ("node private", 6.0),
    };
    let _written = writeln!(
        text,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"{round}\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
        x + width / 2.0,
        y + height / 2.0 + 4.5,
        escaped(name),
    );
}

fn draw_edge(web: &Web, edge: &Edge, way: &Way, text: &mut String) {
    let class = class(edge);
    let (start, end) = (way.points[0], way.points[way.points.len() - 1]);
    if edge.from == edge.to {
        // Out of the right side, over the box, and into its top.
        let (x, y) = (start.0, start.1);
        let top = y - HEIGHT / 2.0;
        let _written = writeln!(
            text,
            "<path class=\"edge {class}\" d=\"M{x:.1},{y:.1} C{:.1},{y:.1} {:.1},{:.1} {:.1},{:.1}\"/>{}",
            x + 26.0,
            x - 14.0,
            top - 28.0,
            x - 14.0,
            top - 7.0,
            tip((x - 14.0, top), Heading::Down, &class),
        );
        return;
    }
    let (line, tip) = if way.turned {
        (curve(way, (start.0 + TIP, end.0)), tip(start, Heading::Left, &class))
    } else {
        (curve(way, (start.0, end.0 - TIP)), tip(end, Heading::Right, &class))
    };
    let about = format!("{} {} {}", web.nodes[edge.from].name, says(edge.tie), web.nodes[edge.to].name);
    let _written = writeln!(
        text,
        "<path class=\"edge {class}\" d=\"{line}\"><title>{}</title></path>{tip}",
        escaped(&about)
    );
    if let Some(place) = place(edge) {
        let before = way.points[way.points.len() - 2];
        let (x, y) = (f64::midpoint(before.0, end.0), f64::midpoint(before.1, end.1) - 5.0);
        let _written = writeln!(
            text,
            "<text class=\"word\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{}</text>",
            escaped(&place)
        );
    }
}

/// The way as a path: level through the columns, bent between them. Its ends leave room for a tip.
fn curve(way: &Way, (first, last): (f64, f64)) -> String {
    let mut points = way.points.clone();
    let end = points.len() - 1;
    points[0].0 = first;
    points[end].0 = last;
    let mut path = format!("M{:.1},{:.1}", points[0].0, points[0].1);
    for pair in points[1..].chunks_exact(2) {
        let ((x, y), (to_x, to_y)) = (pair[0], pair[1]);
        let middle = f64::midpoint(x, to_x);
        let _written = write!(path, " H{x:.1} C{middle:.1},{y:.1} {middle:.1},{to_y:.1} {to_x:.1},{to_y:.1}");
    }
    path
}

/// How long a tip is.
const TIP: f64 = 8.0;

/// Where a tip points to.
#[derive(Clone, Copy)]
enum Heading {
    Right,
    Left,
    Down,
}

/// The tip of an edge that ends at this place.
fn tip((x, y): (f64, f64), heading: Heading, class: &str) -> String {
    let (half, back) = (TIP / 2.0, TIP);
    let corners = match heading {
        Heading::Right => [(x - back, y - half), (x - back, y + half)],
        Heading::Left => [(x + back, y - half), (x + back, y + half)],
        Heading::Down => [(x - half, y - back), (x + half, y - back)],
    };
    let [(ax, ay), (bx, by)] = corners;
    format!("<path class=\"tip {class}\" d=\"M{x:.1},{y:.1} L{ax:.1},{ay:.1} L{bx:.1},{by:.1} z\"/>")
}

/// The kinds of edges that the picture has, each with a line of it; and how wide that is.
fn legend(web: &Web) -> (String, f64) {
    let ties = [Tie::Needs, Tie::Deploys, Tie::Calls, Tie::After];
    let has = |tie: Tie| web.edges.iter().any(|edge| edge.tie == tie);
    let mut shown: Vec<(&str, &str)> =
        ties.into_iter().filter(|tie| has(*tie)).map(|tie| (class_of(tie), says(tie))).collect();
    if web.edges.iter().any(|edge| edge.looping) {
        shown.push(("loop", "a loop"));
    }
    let (mut text, mut x) = (String::new(), 0.0);
    for (class, words) in shown {
        let tip = tip((x + 36.0, -4.0), Heading::Right, class);
        let _written = writeln!(
            text,
            "<path class=\"edge {class}\" d=\"M{x:.1},-4 H{:.1}\"/>{tip}<text class=\"legend\" x=\"{:.1}\" y=\"0\">{words}</text>",
            x + 36.0 - TIP,
            x + 44.0,
        );
        x += 44.0 + cells(words) * 6.4 + 24.0;
    }
    (text, x)
}

fn class(edge: &Edge) -> String {
    let of_loop = if edge.looping { " loop" } else { "" };
    format!("{}{of_loop}", class_of(edge.tie))
}

fn class_of(tie: Tie) -> &'static str {
    match tie {
        Tie::Needs => "needs",
        Tie::Deploys => "deploys",
        Tie::Calls => "calls",
        Tie::After => "after",
    }
}

/// What the legend says of an edge.
fn says(tie: Tie) -> &'static str {
    match tie {
        Tie::Needs => "needs",
        Tie::Deploys => "is deployed to by",
        Tie::Calls => "calls",
        Tie::After => "comes after, if both run",
    }
}

/// How many cells of a terminal a text takes: letters of some scripts take two.
fn cells(text: &str) -> f64 {
    u32::try_from(text.width()).map_or(f64::MAX, f64::from)
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to write these.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
