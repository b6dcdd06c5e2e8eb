//! For each job a list of jobs, all lists in one array: eight bytes an edge and a job, and no allocation for each.

use crate::model::name::JobId;

/// The lists, one after the other; `starts[job]..starts[job + 1]` is a job's.
#[derive(Debug)]
pub(super) struct Edges {
    starts: Vec<u32>,
    ends: Vec<JobId>,
}

impl Edges {
    /// One list a job, in the order of the jobs.
    pub(super) fn new<'a>(lists: impl Iterator<Item = impl IntoIterator<Item = &'a JobId>>) -> Edges {
        let mut edges = Edges { starts: vec![0], ends: Vec::new() };
        for list in lists {
            edges.ends.extend(list);
            edges.starts.push(offset(edges.ends.len()));
        }
        edges
    }

    /// How many jobs there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// The list of `job`.
    pub(super) fn of(&self, job: JobId) -> &[JobId] {
        &self.ends[self.starts[job.index()] as usize..self.starts[job.index() + 1] as usize]
    }

    /// The same edges from their other end; each list is in the order of the jobs.
    pub(super) fn reversed(&self) -> Edges {
        let mut starts = vec![0; self.starts.len()];
        for end in &self.ends {
            starts[end.index() + 1] += 1;
        }
        for job in 1..starts.len() {
            starts[job] += starts[job - 1];
        }
        let mut free = starts.clone();
        let mut ends = vec![JobId(0); self.ends.len()];
        for from in (0..self.len()).map(JobId::new) {
            for to in self.of(from) {
                ends[free[to.index()] as usize] = from;
                free[to.index()] += 1;
            }
        }
        Edges { starts, ends }
    }
}

fn offset(edges: usize) -> u32 {
    u32::try_from(edges).expect("a plan has fewer than 2^32 edges")
}
