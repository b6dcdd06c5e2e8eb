//! The table as a picture: a line a workload, a mark a tool, as far to the right as its ratio to the least, in seconds of
//! the processors: other work on the machine moves them least. The scale is logarithmic, or nothing between 1 and 10 could
//! be seen. Readable on light and on dark ground.

use std::fmt::Write;

use crate::table::Row;
use crate::tools::TOOLS;

/// In pixels, as all that follows.
const WIDTH: f64 = 920.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 62.0;
const ROW: f64 = 19.0;
const BOTTOM: f64 = 40.0;

/// How far a mark reaches from its middle; deploy's own reaches further.
const REACH: f64 = 4.0;
const OUR_REACH: f64 = 5.5;

/// Where the scale begins: below the least that a tool was ever measured at.
const BEGIN: f64 = 0.5;

/// What is written at the foot; between the powers of ten two more lines help the eye.
const LINES: [(f64, &str); 11] = [
    (0.5, "½"),
    (1.0, "1"),
    (2.0, "2"),
    (5.0, "5"),
    (10.0, "10"),
    (20.0, "20"),
    (50.0, "50"),
    (100.0, "100"),
    (200.0, "200"),
    (500.0, "500"),
    (1000.0, "1000"),
];

const STYLE: &str = "text { font: 12px sans-serif; fill: #333 } .end { text-anchor: end } .middle { text-anchor: middle }
.line { stroke: #ddd } .one { stroke: #888 } .mark { stroke-width: 1.6; fill-opacity: .55 }
.t0 { stroke: #d6336c; fill: #d6336c; fill-opacity: 1 } .t1 { stroke: #1971c2; fill: #1971c2 }
.t2 { stroke: #2f9e44; fill: #2f9e44 } .t3 { stroke: #9c36b5; fill: #9c36b5 } .t4 { stroke: #0c8599; fill: #0c8599 }
.t5 { stroke: #e8590c; fill: #e8590c } .t6 { stroke: #846358; fill: #846358 } .t7 { stroke: #868e96; fill: none }
.t8 { stroke: #b08900; fill: none }
@media (prefers-color-scheme: dark) { text { fill: #ddd } .line { stroke: #3a3a3a } .one { stroke: #999 } }";

/// The SVG.
pub(crate) fn plot(rows: &[Row]) -> String {
    let shown: Vec<&Row> = rows.iter().filter(|row| marks(row).next().is_some()).collect();
    let farthest = shown.iter().flat_map(|row| marks(row)).map(|(_, ratio)| ratio).fold(BEGIN, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "a few rows")]
    let bottom = TOP + ROW * shown.len() as f64;
    let height = bottom + BOTTOM;
    let scale = Scale { farthest: farthest * 1.2 };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\">\n<title>Processor time beside the least that each workload can cost</title>\n<style>{STYLE}</style>\n"
    );
    legend(&mut svg);
    for (value, word) in LINES.iter().filter(|(value, _)| *value <= scale.farthest) {
        let (x, y) = (scale.x(*value), bottom + 16.0);
        let class = if (*value - 1.0).abs() < f64::EPSILON { "one" } else { "line" };
        writeln!(svg, "<path class=\"{class}\" d=\"M{x:.1} {TOP}V{bottom}\"/><text class=\"middle\" x=\"{x:.1}\" y=\"{y}\">{word}</text>")
            .expect("memory");
    }
    let (x, y) = (LEFT, bottom + 34.0);
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\">processor time, as a multiple of the least that the workload can cost; logarithmic, less is better</text>"
    )
    .expect("memory");
    let mut middle = TOP - ROW / 2.0;
    for row in shown {
        middle += ROW;
        let (x, y) = (LEFT - 10.0, middle + 4.0);
        writeln!(svg, "<text class=\"end\" x=\"{x}\" y=\"{y}\">{}</text>", row.workload.name())
            .expect("memory");
        // deploy's own comes last, on top of the others.
        let mut marks: Vec<_> = marks(row).collect();
        marks.reverse();
        for (tool, ratio) in marks {
            svg.push_str(&mark(tool, scale.x(ratio), middle));
        }
    }
    svg.push_str("</svg>\n");
    svg
}

struct Scale {
    farthest: f64,
}

impl Scale {
    fn x(&self, ratio: f64) -> f64 {
        let part = (ratio.max(BEGIN) / BEGIN).ln() / (self.farthest / BEGIN).ln();
        LEFT + part * (WIDTH - LEFT - RIGHT)
    }
}

/// The tools that were measured, by their place, with their ratios.
fn marks(row: &Row) -> impl Iterator<Item = (usize, f64)> {
    let ratios = row.cells.iter().map(|cell| cell.ratio(|figure| figure.processor));
    ratios.enumerate().filter_map(|(tool, ratio)| Some((tool, ratio?)))
}

fn legend(svg: &mut String) {
    let mut x = LEFT;
    for (place, tool) in TOOLS.iter().enumerate() {
        svg.push_str(&mark(place, x, 26.0));
        writeln!(svg, "<text x=\"{}\" y=\"30\">{}</text>", x + 10.0, tool.name).expect("memory");
        #[expect(clippy::cast_precision_loss, reason = "a short name")]
        let wide = tool.name.len() as f64;
        x += 34.0 + wide * 7.0;
    }
}

/// Each tool has a colour and a form, for those who don't tell colours apart.
fn mark(tool: usize, x: f64, y: f64) -> String {
    let r = if tool == 0 { OUR_REACH } else { REACH };
    let (left, right, up, down) = (x - r, x + r, y - r, y + r);
    let path = match tool {
        0 | 7 => format!("M{left:.1} {y:.1}a{r} {r} 0 1 0 {0} 0a{r} {r} 0 1 0 -{0} 0Z", 2.0 * r),
        1 | 8 => format!("M{left:.1} {up:.1}H{right:.1}V{down:.1}H{left:.1}Z"),
        2 => format!("M{x:.1} {up:.1}L{right:.1} {down:.1}H{left:.1}Z"),
        3 => format!("M{x:.1} {up:.1}L{right:.1} {y:.1}L{x:.1} {down:.1}L{left:.1} {y:.1}Z"),
        4 => format!("M{x:.1} {down:.1}L{right:.1} {up:.1}H{left:.1}Z"),
        5 => format!("M{x:.1} {up:.1}V{down:.1}M{left:.1} {y:.1}H{right:.1}"),
        _ => format!("M{left:.1} {up:.1}L{right:.1} {down:.1}M{left:.1} {down:.1}L{right:.1} {up:.1}"),
    };
    format!("<path class=\"mark t{tool}\" d=\"{path}\"/>\n")
}
