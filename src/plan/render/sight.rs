//! What a text sees: the layers of values around it, and the dotenv files beneath the caller's environment.

use std::rc::Rc;
use std::sync::Arc;

use super::super::scope::{EnvFile, Layer, Scope};
use super::Renderer;
use crate::model::environment::Environment;
use crate::model::task::{Dotenv, Task};

impl<'a> Renderer<'a> {
    /// What a task sees that is given these arguments; without a task, what its environment's own texts see.
    pub(in crate::plan) fn scope(
        &mut self,
        environment: Option<usize>,
        task: Option<&'a Task>,
        arguments: u32,
    ) -> Scope<'a> {
        self.scope_in(environment, task, arguments, task.map_or(0, |task| task.at.source as usize))
    }

    /// What the texts of a file see that belong to none of its tasks.
    pub(in crate::plan) fn file_scope(&mut self, environment: Option<usize>, file: usize) -> Scope<'a> {
        self.scope_in(environment, None, 0, file)
    }

    fn scope_in(
        &mut self,
        environment: Option<usize>,
        task: Option<&'a Task>,
        arguments: u32,
        file: usize,
    ) -> Scope<'a> {
        let within = environment.map(|index| &self.project.environments[index]);
        let given = (arguments != 0).then(|| Layer::Given(Rc::clone(self.arguments.of(arguments))));
        let mut scope = Scope {
            layers: given.into_iter().chain(self.layers(within, task, file)).collect(),
            environment: within,
            file: &self.project.files[file],
            files: &self.project.files,
            dotenv: Arc::default(),
            secrets: &self.project.secrets,
            seen: Rc::clone(&self.seen),
            guessed: Rc::clone(&self.guessed),
            project: Arc::clone(&self.name),
            request: self.request,
            facts: self.facts,
            there: None,
            delivers: environment.is_some_and(|index| self.delivers.contains(&index)),
        };
        scope.dotenv = self.dotenv(&scope, environment, file);
        if let Some(task) = task {
            self.add_dotenv(&mut scope, task);
        }
        scope
    }

    /// The variables that a task sees: its own, the environment's, its file's, the project's.
    pub(in crate::plan) fn layers(
        &self,
        environment: Option<&'a Environment>,
        task: Option<&'a Task>,
        file: usize,
    ) -> impl Iterator<Item = Layer<'a>> + use<'a> {
        let project = self.project;
        let of_task = task.map(|task| &task.vars).into_iter();
        let of_environment = environment
            .into_iter()
            .flat_map(|environment| [&environment.vars].into_iter().chain(&environment.inherited));
        let of_file = (file != 0).then(|| &project.files[file].vars).into_iter();
        let tables = of_task.chain(of_environment).chain(of_file).chain([&project.files[0].vars]);
        tables.filter(|table| !table.is_empty()).map(|table| Layer::Variables(table))
    }

    /// The dotenv files of a file's settings and of an environment.
    fn dotenv(&mut self, scope: &Scope<'a>, environment: Option<usize>, file: usize) -> Arc<[EnvFile]> {
        if let Some(known) = self.dotenvs.get(&(environment, file)) {
            return Arc::clone(known);
        }
        // The root's hold for all tasks; those of an included file for its own, and beat them.
        let of_root = self.project.files[0].dotenv.iter();
        let of_file = if file == 0 { &[][..] } else { &self.project.files[file].dotenv };
        let of_environment = scope.environment.map_or(&[][..], |environment| &environment.dotenv);
        let files: Vec<EnvFile> = of_root
            .chain(of_file)
            .chain(of_environment)
            .filter_map(|file| self.env_file(scope, file))
            .collect();
        let files: Arc<[EnvFile]> = files.into();
        self.dotenvs.insert((environment, file), Arc::clone(&files));
        files
    }

    /// Adds the dotenv files of a task, which beat those before.
    pub(in crate::plan) fn add_dotenv(&mut self, scope: &mut Scope<'a>, task: &'a Task) {
        if !task.dotenv.is_empty() {
            let own: Vec<EnvFile> =
                task.dotenv.iter().filter_map(|file| self.env_file(scope, file)).collect();
            scope.dotenv = scope.dotenv.iter().cloned().chain(own).collect();
        }
    }

    fn env_file(&mut self, scope: &Scope<'a>, file: &Dotenv) -> Option<EnvFile> {
        let path = self.open(scope, &file.path, "the path of a dotenv file")?;
        let folder = &self.project.file(file.path.at).folder;
        Some(EnvFile { path: folder.join(path), presence: file.presence, at: file.path.at })
    }
}
