//! Which job waits for which. A graph has no loop: that is checked where it is made.
//! Everything is a flat array and a work list, never a recursion, so 100,000 jobs in a chain are fine.

mod cycle;
mod edges;
#[cfg(test)]
mod tests;

pub(crate) use cycle::Cycle;

use edges::Edges;

use crate::model::name::JobId;

/// The jobs of a plan and what each waits for.
#[derive(Debug)]
pub(crate) struct Graph {
    needs: Edges,
    dependents: Edges,
    waits: Edges,
    followers: Edges,
    order: Vec<JobId>,
    ranks: Vec<u32>,
}

impl Graph {
    /// A job needs the success of `needs[job]`, and waits for the end of `after[job]` whatever that end is.
    ///
    /// Both lists have one entry a job, and name only jobs that they have an entry for.
    pub(crate) fn new(needs: &[Vec<JobId>], after: &[Vec<JobId>]) -> Result<Graph, Cycle> {
        assert_eq!(needs.len(), after.len(), "needs and after speak of the same jobs");
        let waits = Edges::new(needs.iter().zip(after).map(|(needs, after)| needs.iter().chain(after)));
        let followers = waits.reversed();
        let order = match topological(&waits, &followers) {
            Ok(order) => order,
            Err(stuck) => return Err(Cycle::find(&waits, &followers, &stuck)),
        };
        let ranks = longest_paths(&followers, &order);
        let needs = Edges::new(needs.iter());
        let dependents = needs.reversed();
        Ok(Graph { needs, dependents, waits, followers, order, ranks })
    }

    /// How many jobs there are.
    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// All jobs, in the order of the plan.
    pub(crate) fn jobs(&self) -> impl Iterator<Item = JobId> + use<> {
        (0..self.len()).map(JobId::new)
    }

    /// The jobs that must succeed before `job` can start.
    pub(crate) fn needs(&self, job: JobId) -> &[JobId] {
        self.needs.of(job)
    }

    /// The jobs that can't start unless `job` succeeds.
    pub(crate) fn dependents(&self, job: JobId) -> &[JobId] {
        self.dependents.of(job)
    }

    /// The jobs that must have ended before `job` can start: its needs, and what it only comes after.
    pub(crate) fn waits(&self, job: JobId) -> &[JobId] {
        self.waits.of(job)
    }

    /// The jobs that wait for `job` to end: its dependents, and what only comes after it.
    pub(crate) fn followers(&self, job: JobId) -> &[JobId] {
        self.followers.of(job)
    }

    /// How many jobs the longest path from `job` to the end of the plan has, itself included.
    pub(crate) fn rank(&self, job: JobId) -> u32 {
        self.ranks[job.index()]
    }

    /// Every job, each behind all that it waits for.
    pub(crate) fn order(&self) -> &[JobId] {
        &self.order
    }
}

/// The jobs in layers: first those that wait for nothing, last those that wait for the most.
///
/// Where there are loops, `Err` says for each job whether it is on one or behind one.
fn topological(waits: &Edges, followers: &Edges) -> Result<Vec<JobId>, Vec<bool>> {
    let jobs = || (0..waits.len()).map(JobId::new);
    let mut unmet: Vec<usize> = jobs().map(|job| waits.of(job).len()).collect();
    let mut order: Vec<JobId> = jobs().filter(|job| unmet[job.index()] == 0).collect();
    let mut done = 0;
    while let Some(&job) = order.get(done) {
        done += 1;
        for &follower in followers.of(job) {
            unmet[follower.index()] -= 1;
            if unmet[follower.index()] == 0 {
                order.push(follower);
            }
        }
    }
    if order.len() == waits.len() { Ok(order) } else { Err(unmet.iter().map(|&unmet| unmet > 0).collect()) }
}

fn longest_paths(followers: &Edges, order: &[JobId]) -> Vec<u32> {
    let mut ranks = vec![0; order.len()];
    for &job in order.iter().rev() {
        let behind = followers.of(job).iter().map(|follower| ranks[follower.index()]).max();
        ranks[job.index()] = 1 + behind.unwrap_or(0);
    }
    ranks
}
