//! What is saved of an environment, with its values; and the work of `deploy backup` and `deploy restore`, which no task
//! says.

use super::super::scope::Scope;
use super::super::select::Node;
use super::super::{Data, Present, Quest};
use super::block::plain_step;
use super::{Renderer, data};
use crate::diagnostic::{Diagnostic, Span};
use crate::model::backup::{Backup, Matter, Restore, Scratch};
use crate::model::files::{Files, Pattern};
use crate::model::path;
use crate::model::script::Script;
use crate::model::step::{Action, Planned, Step};
use crate::model::store::{Address, Place};
use crate::model::task::Block;
use crate::model::template::{Part, Template};
use crate::model::text::Text;

impl<'a> Renderer<'a> {
    /// A backup by its name, as a step of an environment's.
    pub(super) fn backup(&mut self, scope: &Scope<'a>, name: &str, at: Span) -> Option<Backup> {
        let Some(environment) = scope.environment else {
            self.problems.push(
                Diagnostic::new(format!("`{name}` is saved of an environment"))
                    .at(at, "and none is named")
                    .help("name one: deploy ENVIRONMENT TASK"),
            );
            return None;
        };
        let declared = self.project.backups.iter().find(|backup| backup.name == name)?;
        let place = self.named_place(scope, &declared.store)?;
        let matter = match &declared.matter {
            Matter::Dump(script) => Matter::Dump(self.script(scope, script)),
            Matter::Files(files) => Matter::Files(self.saved_files(scope, files)),
            Matter::Bucket { bucket, files } => {
                let bucket = self.bucket(scope, bucket, &place)?;
                Matter::Bucket { bucket, files: self.files(scope, files) }
            }
        };
        let mut shell = |script: &Script<Template>| self.script(scope, script);
        let restore = declared.restore.as_ref().map(&mut shell);
        let scratch = declared.scratch.as_ref().map(|scratch| Scratch {
            create: shell(&scratch.create),
            drop: scratch.drop.as_ref().map(&mut shell),
            variable: scratch.variable.clone(),
        });
        let recipients = declared.recipients.iter();
        let recipients = recipients.filter_map(|who| self.open(scope, who, "a recipient")).collect();
        let identity =
            declared.identity.as_ref().and_then(|file| self.open(scope, file, "the path of a file"));
        let folder = &self.project.file(declared.at).folder;
        let dir = declared.dir.as_ref().and_then(|dir| self.open(scope, dir, "a folder"));
        let dir = self.facts.root.join(folder).join(dir.unwrap_or_default());
        Some(Backup {
            name: name.to_owned(),
            environment: environment.name.clone(),
            matter,
            restore,
            place,
            keep: environment.keep.or(declared.keep),
            compress: declared.compress,
            recipients,
            identity: identity.map(|file| path::near(&dir, &self.facts.env, &file)),
            scratch,
            env: self.env(scope, &declared.env),
            dir,
        })
    }

    fn named_place(&mut self, scope: &Scope<'a>, (store, at): &(String, Span)) -> Option<Place> {
        let named = Template { parts: vec![Part::Plain(store.clone())], at: *at };
        self.place(scope, &named, "the name of a store")
    }

    /// The bucket that is saved, which is another one than that which it is saved to.
    fn bucket(&mut self, scope: &Scope<'a>, named: &(String, Span), to: &Place) -> Option<Place> {
        let place = self.named_place(scope, named)?;
        let problem = match (&place.address, &to.address) {
            (Address::Folder(folder), _) => {
                Diagnostic::new(format!("`{}` is no bucket", named.0)).at(named.1, "a folder").help(format!(
                    "say it by `dir`, and what of it: dir = \"{}\", files = [\"**\"]",
                    folder.display()
                ))
            }
            (Address::Bucket { .. }, _) if place.holds(to) => {
                Diagnostic::new(format!("a backup of `{}` would save backups", named.0))
                    .at(named.1, format!("they are kept there too: {to}"))
                    .help("keep them in another bucket, so that what takes one away leaves the other")
            }
            (Address::Bucket { .. }, _) => return Some(place),
        };
        self.problems.push(problem);
        None
    }

    /// The patterns of a backup, which comes back beneath a folder: so it lies beneath one.
    fn saved_files(&mut self, scope: &Scope<'a>, files: &Files<Template>) -> Files<Pattern> {
        let files = self.files(scope, files);
        if let Some(pattern) = files.outside() {
            self.problems.push(
                Diagnostic::new(format!("`{pattern}` lies outside of the backup's folder"))
                    .at(files.at, "such as this one")
                    .help("say the folder by `dir`, and the files from there: dir = \"/srv/shop/shared\""),
            );
        }
        files
    }

    /// The step that saves something.
    fn saving(&mut self, scope: &Scope<'a>, name: &str, at: Span) -> Option<Step<Planned>> {
        let backup = self.backup(scope, name, at)?;
        let declared = self.project.backups.iter().find(|declared| declared.name == name);
        let at = declared.map_or(at, |declared| declared.at);
        Some(plain_step(Action::Backup(Box::new(backup)), &format!("backup {name}"), at))
    }

    /// What is saved before a release of an environment.
    pub(super) fn before_release(&mut self, node: Node) -> Vec<Step<Planned>> {
        let Some(index) = node.environment.filter(|_| self.request.back.is_none()) else { return Vec::new() };
        let environment = &self.project.environments[index];
        let scope = self.scope(Some(index), None, 0);
        environment.backups.iter().filter_map(|(name, at)| self.saving(&scope, name, *at)).collect()
    }

    /// What `deploy backup` and `deploy restore` do.
    pub(super) fn data(&mut self, node: Node, data: &Data) -> Block {
        let index = node.environment.expect("data is an environment's");
        let at = self.project.environments[index].at;
        let scope = self.scope(Some(index), None, 0);
        let steps = match &data.quest {
            Quest::Save => data.names.iter().filter_map(|name| self.saving(&scope, name, at)).collect(),
            Quest::Restore { from, present } => {
                let name = data.names.first().map(String::as_str).unwrap_or_default();
                let saving = match present {
                    Present::Saved => self.saving(&scope, name, at),
                    Present::Lost => None,
                };
                let restoring = self.backup(&scope, name, at).map(|backup| {
                    let restore = Restore { backup, from: from.clone() };
                    plain_step(Action::Restore(Box::new(restore)), &format!("restore {name}"), at)
                });
                saving.into_iter().chain(restoring).collect()
            }
        };
        Block { steps, ..self.plain_block(data.word(), &scope, at) }
    }

    /// The questions of a job that overwrites data of a protected environment, each with the word to type.
    pub(in crate::plan) fn overwritten(&self, node: Node, body: &Block) -> Option<(String, String)> {
        let environment = &self.project.environments[node.environment?];
        environment.protect.at?;
        let restore = data::restored(&body.steps)?;
        let from =
            restore.from.as_ref().map_or_else(|| "the newest backup".to_owned(), |id| format!("backup {id}"));
        let question = format!(
            "Restore {} of {} from {from}, over what is there now?",
            restore.backup.name, environment.name
        );
        Some((question, environment.name.clone()))
    }

    /// The texts of a step that the plan can't do without: none where its backup has a mistake.
    pub(super) fn backup_action(
        &mut self,
        scope: &Scope<'a>,
        name: &str,
        at: Span,
        act: fn(Backup) -> Action<Planned>,
    ) -> Action<Planned> {
        // What is told already leaves no plan: any step may stand here.
        self.backup(scope, name, at).map_or_else(|| Action::Exec(vec![Text::default()]), act)
    }
}
