//! What a CI server says of the run that it started us in: where it is shown, and for which branch.

use super::Site;

impl Site {
    /// Where the CI server shows this run, if one runs it.
    pub(crate) fn ci_address(&self) -> Option<String> {
        let github = || {
            let (server, repository) =
                (self.variable("GITHUB_SERVER_URL")?, self.variable("GITHUB_REPOSITORY")?);
            Some(format!("{server}/{repository}/actions/runs/{}", self.variable("GITHUB_RUN_ID")?))
        };
        github().or_else(|| self.variable("CI_JOB_URL").map(str::to_owned))
    }

    /// A variable of the caller's that is set.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().find(|(known, _)| known == name)?;
        found.1.to_str().filter(|value| !value.is_empty())
    }

    /// The branch that a CI server says it runs for: it checks out a commit, not the branch.
    pub(super) fn ci_branch(&self, commit: &str) -> Option<String> {
        let github = || {
            let is_branch = self.variable("GITHUB_REF_TYPE")? == "branch";
            let branch = is_branch.then(|| self.variable("GITHUB_REF_NAME"))?;
            (self.variable("GITHUB_SHA")? == commit).then_some(branch?)
        };
        let gitlab =
            || (self.variable("CI_COMMIT_SHA")? == commit).then(|| self.variable("CI_COMMIT_BRANCH"))?;
        github().or_else(gitlab).map(str::to_owned)
    }
}
