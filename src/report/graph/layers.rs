//! Where the boxes of a picture go (Sugiyama's way): each node in a column right of all that need it, the columns
//! sorted so that few edges cross, the boxes near what they are tied to. It knows sizes and ties, and no looks.

/// Between two columns, for the edges and the words on them.
const COLUMN_GAP: f64 = 88.0;

/// Between two boxes of a column.
const ROW_GAP: f64 = 18.0;

/// How often columns are sorted, and boxes moved, there and back: more changes next to nothing.
const SWEEPS: usize = 6;

/// How many columns edges may cross in all; past it, edges run straight, so that a picture of anything ends.
const MOST_BENDS: usize = 50_000;

/// Where everything is.
pub(super) struct Layout {
    /// The left upper corner of each box.
    pub(super) corners: Vec<(f64, f64)>,
    /// The ways of the edges from left to right, each with whether it was turned round for that.
    pub(super) ways: Vec<Way>,
    pub(super) size: (f64, f64),
}

/// How an edge runs: points from the right side of a box, in and out of every column, to the left side of another.
pub(super) struct Way {
    pub(super) points: Vec<(f64, f64)>,
    /// Whether the edge comes from where the way ends.
    pub(super) turned: bool,
}

/// Lays out boxes of these sizes.
pub(super) fn layout(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Layout {
    let turned = turned(sizes.len(), edges);
    let forward: Vec<(usize, usize)> =
        edges.iter().zip(&turned).map(|(&(a, b), turned)| if *turned { (b, a) } else { (a, b) }).collect();
    let mut grid = Grid::new(sizes, &forward);
    for _ in 0..SWEEPS {
        grid.sort();
    }
    grid.place(sizes);
    let ways = forward
        .iter()
        .zip(&grid.chains)
        .zip(turned)
        .map(|((&(from, to), chain), turned)| Way { points: grid.way(sizes, from, chain, to), turned });
    let ways = ways.collect();
    let corners: Vec<(f64, f64)> =
        (0..sizes.len()).map(|node| (grid.left[grid.columns_of[node]], grid.tops[node])).collect();
    let ends = corners.iter().zip(sizes).map(|((x, y), (width, height))| (x + width, y + height));
    let size = ends.fold((0.0, 0.0), |(x, y): (f64, f64), end| (x.max(end.0), y.max(end.1)));
    Layout { corners, ways, size }
}

/// Which edges lead back to where the walk came from: turned round, no loop is left.
fn turned(count: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut is_root = vec![true; count];
    for (index, &(from, to)) in edges.iter().enumerate() {
        of[from].push(index);
        is_root[to] = false;
    }
    let mut turned = vec![false; edges.len()];
    let (mut seen, mut on_path) = (vec![false; count], vec![false; count]);
    let roots = (0..count).filter(|node| is_root[*node]).chain((0..count).filter(|node| !is_root[*node]));
    for root in roots {
        let mut path = vec![(root, 0)];
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        on_path[root] = true;
        while let Some((node, next)) = path.last_mut() {
            let node = *node;
            let Some(&edge) = of[node].get(*next) else {
                on_path[node] = false;
                path.pop();
                continue;
            };
            *next += 1;
            let to = edges[edge].1;
            turned[edge] = on_path[to];
            if !std::mem::replace(&mut seen[to], true) {
                on_path[to] = true;
                path.push((to, 0));
            }
        }
    }
    turned
}

/// Boxes and bends by column. A bend is where an edge passes through a column; it is numbered behind the boxes.
struct Grid {
    columns: Vec<Vec<usize>>,
    columns_of: Vec<usize>,
    /// The bends of each edge.
    chains: Vec<Vec<usize>>,
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// The left side of each column, and of one more.
    left: Vec<f64>,
    widths: Vec<f64>,
    tops: Vec<f64>,
}

impl Grid {
    fn new(sizes: &[(f64, f64)], edges: &[(usize, usize)]) -> Grid {
        let mut columns_of = longest_ways(sizes.len(), edges);
        let (mut before, mut behind) = (vec![Vec::new(); sizes.len()], vec![Vec::new(); sizes.len()]);
        let mut chains = Vec::with_capacity(edges.len());
        for &(from, to) in edges {
            let mut chain = Vec::new();
            let between = columns_of[from] + 1..columns_of[to].max(columns_of[from] + 1);
            let mut last = from;
            if columns_of.len() + between.len() < sizes.len() + MOST_BENDS {
                for column in between {
                    let bend = columns_of.len();
                    columns_of.push(column);
                    before.push(vec![last]);
                    behind.push(Vec::new());
                    behind[last].push(bend);
                    chain.push(bend);
                    last = bend;
                }
            }
            if from != to {
                behind[last].push(to);
                before[to].push(last);
            }
            chains.push(chain);
        }
        let count = columns_of.iter().max().map_or(0, |last| last + 1);
        let mut columns = vec![Vec::new(); count];
        let mut widths = vec![0.0; count];
        for (index, column) in columns_of.iter().enumerate() {
            columns[*column].push(index);
            let width = sizes.get(index).map_or(0.0, |(width, _)| *width);
            widths[*column] = f64::max(widths[*column], width);
        }
        let mut left = vec![0.0];
        for width in &widths {
            left.push(left[left.len() - 1] + width + COLUMN_GAP);
        }
        let tops = vec![0.0; columns_of.len()];
        Grid { columns, columns_of, chains, before, behind, left, widths, tops }
    }

    /// Sorts each column by where its neighbours are: to the right first, then back.
    fn sort(&mut self) {
        let mut ranks = vec![0.0; self.columns_of.len()];
        for column in &self.columns {
            rank(column, &mut ranks);
        }
        for (column, side) in there_and_back(self.columns.len()) {
            let neighbours = side.of(&self.before, &self.behind);
            let middle: Vec<f64> = self.columns[column]
                .iter()
                .map(|index| {
                    mean(neighbours[*index].iter().map(|other| ranks[*other])).unwrap_or(ranks[*index])
                })
                .collect();
            let mut sorted: Vec<(f64, usize)> =
                middle.into_iter().zip(self.columns[column].iter().copied()).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
            self.columns[column] = sorted.into_iter().map(|(_, index)| index).collect();
            rank(&self.columns[column], &mut ranks);
        }
    }

    /// Moves everything as near to its neighbours as the order of the columns allows.
    fn place(&mut self, sizes: &[(f64, f64)]) {
        let height = |index: usize| sizes.get(index).map_or(0.0, |(_, height)| *height);
        for column in &self.columns {
            let mut top = 0.0;
            for index in column {
                self.tops[*index] = top;
                top += height(*index) + ROW_GAP;
            }
        }
        for (column, side) in (0..SWEEPS).flat_map(|_| there_and_back(self.columns.len())) {
            let neighbours = side.of(&self.before, &self.behind);
            let mut offset = 0.0;
            let mut offsets = Vec::new();
            let mut wanted = Vec::new();
            for &index in &self.columns[column] {
                let middle =
                    mean(neighbours[index].iter().map(|other| self.tops[*other] + height(*other) / 2.0));
                wanted.push(middle.map_or(self.tops[index], |middle| middle - height(index) / 2.0) - offset);
                offsets.push(offset);
                offset += height(index) + ROW_GAP;
            }
            for ((index, place), offset) in self.columns[column].iter().zip(rising(&wanted)).zip(offsets) {
                self.tops[*index] = place + offset;
            }
        }
        let highest = self.tops.iter().copied().fold(f64::INFINITY, f64::min);
        self.tops.iter_mut().for_each(|top| *top -= highest);
    }

    fn way(&self, sizes: &[(f64, f64)], from: usize, chain: &[usize], to: usize) -> Vec<(f64, f64)> {
        let middle = |node: usize| self.tops[node] + sizes[node].1 / 2.0;
        let column = self.columns_of[from];
        let mut points = vec![(self.left[column] + sizes[from].0, middle(from))];
        // Past the widest box of its column it may turn.
        points.push((self.left[column] + self.widths[column], middle(from)));
        for bend in chain {
            let column = self.columns_of[*bend];
            points.push((self.left[column], self.tops[*bend]));
            points.push((self.left[column] + self.widths[column], self.tops[*bend]));
        }
        points.push((self.left[self.columns_of[to]], middle(to)));
        points
    }
}

/// The neighbours that a column is sorted by.
#[derive(Clone, Copy)]
enum Side {
    Before,
    Behind,
}

impl Side {
    fn of<'a>(self, before: &'a [Vec<usize>], behind: &'a [Vec<usize>]) -> &'a [Vec<usize>] {
        match self {
            Side::Before => before,
            Side::Behind => behind,
        }
    }
}

fn there_and_back(columns: usize) -> impl Iterator<Item = (usize, Side)> {
    let there = (0..columns).map(|column| (column, Side::Before));
    there.chain((0..columns).rev().map(|column| (column, Side::Behind)))
}

fn rank(column: &[usize], ranks: &mut [f64]) {
    let mut rank = 0.0;
    for index in column {
        ranks[*index] = rank;
        rank += 1.0;
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

/// The numbers nearest to `wanted` that never fall: neighbours that would pass each other meet halfway.
fn rising(wanted: &[f64]) -> Vec<f64> {
    // The mean of each run of numbers that met, how many they are, and the same as a number to reckon with.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for &value in wanted {
        let mut block = (value, 1.0, 1);
        while let Some(&(before, weight, count)) = blocks.last()
            && before > block.0
        {
            blocks.pop();
            let sum = weight + block.1;
            block = ((before * weight + block.0 * block.1) / sum, sum, count + block.2);
        }
        blocks.push(block);
    }
    blocks.into_iter().flat_map(|(value, _, count)| std::iter::repeat_n(value, count)).collect()
}

/// The column of each node: how many edges the longest way to it has. There must be no loop but of single nodes.
fn longest_ways(count: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut unmet = vec![0; count];
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        of[from].push(to);
        unmet[to] += 1;
    }
    let mut columns = vec![0; count];
    let mut ready: Vec<usize> = (0..count).filter(|node| unmet[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for &to in &of[node] {
            columns[to] = columns[to].max(columns[node] + 1);
            unmet[to] -= 1;
            if unmet[to] == 0 {
                ready.push(to);
            }
        }
    }
    columns
}
