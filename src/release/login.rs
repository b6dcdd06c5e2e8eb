//! A token for a host that git reaches over https. It is in the environment of that git alone: in no URL, no argument, no
//! file. Only that host is shown it, wherever it may redirect to; no keeper of passwords of the user's is asked or told.

use super::git::Git;
use crate::model::target::authority;

/// Who comes, and what opens.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) token: String,
}

const USER: &str = "DEPLOY_GIT_USER";
const TOKEN: &str = "DEPLOY_GIT_TOKEN";

/// What answers git, as gitcredentials(7) has it: a line of sh, whose `printf` is no process, so that nothing is among
/// arguments. It is told which passwords worked, too, and keeps none.
const HELPER: &str = r#"!f() { test "$1" != get || printf 'username=%s\npassword=%s\n' "$DEPLOY_GIT_USER" "$DEPLOY_GIT_TOKEN"; }; f"#;

impl Login {
    /// The same git, which shows this to the host of a URL.
    pub(super) fn shown_by(&self, git: Git, url: &str) -> Git {
        let (user, host) = authority(url);
        let scheme = url.split_once("://").map_or("https", |(scheme, _)| scheme);
        let ours = format!("credential.{scheme}://{host}.helper");
        // An empty one takes away all that were named before.
        let git = git.with_settings([("credential.helper", ""), (ours.as_str(), HELPER)]);
        git.with_env([
            (USER.into(), user.unwrap_or(&self.user).into()),
            (TOKEN.into(), self.token.as_str().into()),
        ])
    }
}
