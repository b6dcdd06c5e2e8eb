//! The names of deploy's refs. Nothing else says `refs/deploy`.

use super::Refusal;

/// The refs of one environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refs {
    environment: String,
}

impl Refs {
    /// Refuses what git would not take as a part of a ref's name; see git-check-ref-format(1).
    pub(crate) fn new(environment: &str) -> Result<Refs, Refusal> {
        let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        let name = environment;
        if name.is_empty()
            || !name.chars().all(allowed)
            || name.starts_with(['.', '-'])
            || name.ends_with('.')
            || name.strip_suffix(".lock").is_some()
            || name.contains("..")
        {
            let message = format!(
                "an environment can't be called `{}`: git could not keep its history",
                name.escape_debug()
            );
            return Err(Refusal::new(message, "use letters, digits, `-`, `_` and single dots inside"));
        }
        Ok(Refs { environment: environment.to_owned() })
    }

    pub(crate) fn environment(&self) -> &str {
        &self.environment
    }

    /// The ledger: a chain of commits, one for each event.
    pub(crate) fn log(&self) -> String {
        format!("refs/deploy/{}/log", self.environment)
    }

    /// The same chain on the team's remote, under its prefix there.
    pub(crate) fn shared(&self, prefix: &str) -> String {
        format!("{prefix}/{}/log", self.environment)
    }

    /// What the team's ledger was when it was last seen: it must never go back behind that.
    pub(crate) fn seen(&self) -> String {
        format!("refs/deploy/{}/seen", self.environment)
    }

    /// What the team's remote holds, as it was fetched last.
    pub(crate) fn theirs(&self) -> String {
        format!("refs/deploy/{}/theirs", self.environment)
    }

    /// An event that the team's ledger does not have yet.
    pub(crate) fn next(&self) -> String {
        format!("refs/deploy/{}/next", self.environment)
    }

    /// A ledger that was kept here before the team's was known.
    pub(crate) fn alone(&self) -> String {
        format!("refs/deploy/{}/alone", self.environment)
    }

    /// The release commit of a number; what keeps its objects.
    pub(crate) fn release(&self, number: u32) -> String {
        format!("refs/deploy/{}/releases/{number}", self.environment)
    }

    /// What the target's branch held when it was last fetched.
    pub(crate) fn target(&self) -> String {
        format!("refs/deploy/{}/target", self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_git_refuses_are_refused() {
        for good in ["staging", "eu-1", "v1.2", "größe", "_"] {
            assert!(Refs::new(good).is_ok(), "{good}");
        }
        for bad in
            ["", ".", "..", "-x", ".x", "x.", "a..b", "x.lock", "a/b", "a b", "a:b", "a~1", "a\n", "@{", "*"]
        {
            assert!(Refs::new(bad).is_err(), "{bad}");
        }
    }
}
