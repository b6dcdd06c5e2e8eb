//! Names of backups and of stores: every `backups`, `backup`, `restore` and `store` of the file.

use super::Check;
use crate::diagnostic::{Diagnostic, Span, nearest};
use crate::model::backup::Matter;

impl Check<'_> {
    pub(super) fn backups(&self) {
        for environment in &self.project.environments {
            for (name, at) in &environment.backups {
                self.backup(name, *at);
            }
        }
        for backup in &self.project.backups {
            self.store(&backup.store);
            if let Matter::Bucket { bucket, .. } = &backup.matter {
                self.store(bucket);
            }
        }
    }

    fn store(&self, (store, at): &(String, Span)) {
        let known = || self.project.stores.iter().map(|store| store.name.as_str());
        if known().any(|known| known == store) {
            return;
        }
        let near = nearest(store, known()).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| format!("[stores.{store}]\nurl = \"s3://bucket/folder\""));
        let problem = Diagnostic::new(format!("there is no store `{store}`"));
        self.problem(problem.at(*at, "unknown store").help(help));
    }

    pub(super) fn backup(&self, name: &str, at: Span) {
        let known = || self.project.backups.iter().map(|backup| backup.name.as_str());
        if known().any(|known| known == name) {
            return;
        }
        let near = nearest(name, known()).map(|near| format!("did you mean `{near}`?"));
        let help =
            near.unwrap_or_else(|| format!("[backups.{name}]\ndump = \"pg_dump -Fc …\"\nstore = \"…\""));
        self.problem(
            Diagnostic::new(format!("there is no backup `{name}`")).at(at, "unknown backup").help(help),
        );
    }
}
