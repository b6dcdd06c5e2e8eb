//! What is measured: how many tasks of which shape, what is asked for, and what the least is that it can cost. The goals
//! are ratios to that least; docs/performance.md says which are reached.

/// One row of the table.
#[derive(Clone, Copy)]
pub(crate) struct Workload {
    pub(crate) kind: Kind,
    /// How many tasks there are, beside one that only needs others.
    pub(crate) size: usize,
    /// How many of them may run at once.
    pub(crate) at_once: usize,
    /// The ratio to the floor that deploy is to reach.
    pub(crate) goal: f64,
    pub(crate) length: Length,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// All tasks of the file are listed.
    List,
    /// One that needs nothing is run.
    One,
    /// All do nothing, each in a shell of its own.
    Shell,
    /// All are one program without a shell, where one can say so.
    Simple,
    /// Each needs the one before.
    Chain,
    /// A hundred a layer; each needs three of the layer before.
    Layers,
    /// Each makes a file of a file, and all are as they should be.
    Fresh,
    Print(Shown),
}

/// How what is printed is shown.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shown {
    /// One task, in the way that costs its tool least.
    Alone,
    /// Each line behind the name of its task.
    Prefixed,
    /// What a task printed in one piece.
    Grouped,
}

/// Whether `--quick` measures it.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Length {
    Quick,
    Long,
}

const TABLE: [Workload; 28] = [
    row(Kind::List, 3, 1, 1.6, Length::Quick),
    row(Kind::One, 3, 1, 1.4, Length::Quick),
    row(Kind::List, 1_000, 1, 3.0, Length::Quick),
    row(Kind::One, 1_000, 1, 2.0, Length::Quick),
    row(Kind::List, 10_000, 1, 6.0, Length::Quick),
    row(Kind::One, 10_000, 1, 5.0, Length::Quick),
    row(Kind::List, 100_000, 1, 10.0, Length::Long),
    row(Kind::One, 100_000, 1, 10.0, Length::Long),
    row(Kind::Shell, 1_000, 1, 1.08, Length::Quick),
    row(Kind::Shell, 1_000, 2, 1.08, Length::Quick),
    row(Kind::Shell, 1_000, 8, 1.08, Length::Quick),
    row(Kind::Shell, 10_000, 1, 1.08, Length::Long),
    row(Kind::Shell, 10_000, 2, 1.08, Length::Long),
    row(Kind::Shell, 10_000, 8, 1.08, Length::Long),
    row(Kind::Simple, 1_000, 1, 1.0, Length::Quick),
    row(Kind::Simple, 1_000, 2, 1.0, Length::Quick),
    row(Kind::Simple, 1_000, 8, 1.0, Length::Quick),
    row(Kind::Simple, 10_000, 1, 1.0, Length::Long),
    row(Kind::Simple, 10_000, 2, 1.0, Length::Long),
    row(Kind::Simple, 10_000, 8, 1.0, Length::Long),
    row(Kind::Chain, 1_000, 8, 1.08, Length::Quick),
    row(Kind::Layers, 10_000, 2, 1.08, Length::Long),
    row(Kind::Fresh, 10_000, 2, 1.5, Length::Quick),
    row(Kind::Fresh, 100_000, 2, 2.0, Length::Long),
    row(Kind::Print(Shown::Alone), 1, 1, 1.05, Length::Quick),
    row(Kind::Print(Shown::Prefixed), 1, 2, 1.5, Length::Quick),
    row(Kind::Print(Shown::Prefixed), 8, 8, 2.0, Length::Quick),
    row(Kind::Print(Shown::Grouped), 8, 8, 2.0, Length::Quick),
];

const fn row(kind: Kind, size: usize, at_once: usize, goal: f64, length: Length) -> Workload {
    Workload { kind, size, at_once, goal, length }
}

/// Those whose name is one of these words, or goes on behind it: `list` is all of `list-…`. Without a word all, or those
/// that are quick.
pub(crate) fn chosen(words: &[String], longest: Length) -> Vec<Workload> {
    let is_wanted = |workload: &Workload| match words {
        [] => longest == Length::Long || workload.length == Length::Quick,
        words => words.iter().any(|word| {
            let name = workload.name();
            name.strip_prefix(word.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        }),
    };
    TABLE.into_iter().filter(is_wanted).collect()
}

impl Workload {
    /// What it is asked for by, on the command line.
    pub(crate) fn name(&self) -> String {
        let Self { size, at_once, .. } = self;
        match self.kind {
            Kind::List => format!("list-{size}"),
            Kind::One => format!("one-{size}"),
            Kind::Shell => format!("shell-{size}-j{at_once}"),
            Kind::Simple => format!("simple-{size}-j{at_once}"),
            Kind::Chain => format!("chain-{size}"),
            Kind::Layers => format!("layers-{size}-j{at_once}"),
            Kind::Fresh => format!("fresh-{size}"),
            Kind::Print(Shown::Alone) => "print-alone".to_owned(),
            Kind::Print(Shown::Prefixed) => format!("print-prefixed-{size}"),
            Kind::Print(Shown::Grouped) => format!("print-grouped-{size}"),
        }
    }

    /// Others of its family differ in size alone.
    pub(crate) fn is_larger_than(&self, other: &Self) -> bool {
        self.kind == other.kind && self.at_once == other.at_once && self.size > other.size
    }

    /// How much each task prints, in millions of bytes.
    pub(crate) fn megabytes(&self) -> usize {
        match self.size {
            1 => 200,
            _ => 20,
        }
    }

    /// What is told to run.
    pub(crate) fn target(&self) -> String {
        match self.kind {
            Kind::List | Kind::One | Kind::Print(Shown::Alone) => "t0".to_owned(),
            Kind::Chain => format!("t{}", self.size - 1),
            Kind::Shell | Kind::Simple | Kind::Layers | Kind::Fresh | Kind::Print(_) => "all".to_owned(),
        }
    }
}
