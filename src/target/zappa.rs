//! `zappa = "stage"`: the release's files and a fresh virtualenv become the code of a function at AWS Lambda, by the Zappa
//! of that virtualenv. Whether they have is told by the code's digest, which Lambda keeps: Zappa says "Done!" also where
//! it has done nothing.

use std::path::PathBuf;

use serde::Deserialize;

use super::folder::Folder;
use super::{Crew, Holds, NotShipped, Shipment, refused, unmet};
use crate::model::event::{Failure, Stream, Told};
use crate::model::release::Release;
use crate::model::step::Planned;
use crate::model::target::ZappaTarget;
use crate::model::text::Text;

/// Tells what code the function has.
const LOOK: &str = include_str!("zappa/look.py");

/// Runs a program as it runs where the virtualenv `$0` is active.
const ACTIVE: &str = r#"VIRTUAL_ENV="$0" PATH="$0/bin:$PATH" exec "$@""#;

/// A stage's function.
#[derive(Deserialize)]
struct Function {
    #[serde(rename = "function")]
    name: String,
    /// The digest of the code that it runs; none if there is no function yet.
    latest: Option<String>,
    /// The digests of the versions that Zappa can go back to, the newest first.
    versions: Vec<String>,
    /// Whether all of the code is in the function: with a slim handler the most of it is elsewhere.
    whole: bool,
}

/// Packs the release, and makes it the stage's code; gives the digest of that.
pub(crate) fn ship(
    target: &ZappaTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<String, NotShipped> {
    let stage = Stage::set_up(target, shipment, &mut crew)?;
    let before = stage.look(&mut crew)?;
    before.tell_if_other(shipment.deployment, &mut crew);
    // A stage that was never there is made, with its routes; later on its code alone is new.
    let verb = if before.latest.is_none() { "deploy" } else { "update" };
    let after = stage.change(&[verb, &stage.name], &before, &mut crew)?;
    let Some(latest) = after.latest else {
        return Err(holding(
            Holds::Before,
            unmet(
                format!("zappa has made nothing: there is no function `{}`", after.name),
                "see what it said",
            ),
        ));
    };
    if after.whole && Some(&latest) == before.latest.as_ref() {
        let message = format!("zappa has changed nothing: `{}` runs the same code as before", after.name);
        return Err(holding(Holds::Before, unmet(message, "see what it said")));
    }
    crew.note(format!("`{}` runs code {latest}", after.name));
    Ok(latest)
}

/// Brings back the code of an earlier release, by its digest.
pub(crate) fn rollback(
    target: &ZappaTarget<Planned>,
    shipment: &Shipment<'_>,
    earlier: &Release,
    mut crew: Crew<'_>,
) -> Result<String, NotShipped> {
    let again = || format!("deploy its commit again: deploy {} --ref COMMIT", shipment.environment);
    let Some(wanted) = &earlier.deployment else {
        let message = "the ledger does not know what code that release was at Lambda";
        return Err(refused(message, again()).into());
    };
    let stage = Stage::set_up(target, shipment, &mut crew)?;
    let before = stage.look(&mut crew)?;
    before.tell_if_other(shipment.deployment, &mut crew);
    if !before.whole {
        let message =
            "with `slim_handler` most of the code is not in the function, and zappa brings back only that";
        return Err(refused(message, again()).into());
    }
    if before.latest.as_ref() == Some(wanted) {
        crew.note(format!("`{}` runs code {wanted} already", before.name));
        return Ok(wanted.clone());
    }
    let Some(back) = before.steps_back(wanted) else {
        let message =
            format!("`{}` has no version with code {wanted} that zappa can go back to", before.name);
        return Err(refused(message, again()).into());
    };
    let after = stage.change(&["rollback", &stage.name, "-n", &back.to_string()], &before, &mut crew)?;
    if after.latest.as_ref() != Some(wanted) {
        let has = after.latest.clone().unwrap_or_else(|| "nothing".to_owned());
        let message = format!("zappa has not brought back code {wanted}: `{}` runs {has}", after.name);
        let holds = if after.latest == before.latest { Holds::Before } else { Holds::Unknown };
        return Err(holding(holds, unmet(message, again())));
    }
    crew.note(format!("`{}` runs code {wanted} again", after.name));
    Ok(wanted.clone())
}

impl Function {
    /// That somebody else was there is worth knowing, and no reason to stop: the release replaces it.
    fn tell_if_other(&self, ours: Option<&str>, crew: &mut Crew<'_>) {
        if let (Some(latest), Some(ours)) = (&self.latest, ours)
            && latest != ours
        {
            crew.note(format!(
                "`{}` runs code {latest}, which deploy did not ship: somebody else has updated it",
                self.name
            ));
        }
    }

    /// What `-n` has to be. It counts from the newest version, which may be a rollback itself: that one is 0, and Zappa
    /// takes no 0.
    fn steps_back(&self, wanted: &str) -> Option<usize> {
        let found = self.versions.iter().enumerate().skip(1).find(|(_, digest)| *digest == wanted);
        found.map(|(place, _)| place)
    }
}

/// A stage, with all that Zappa needs for it.
struct Stage {
    name: String,
    folder: Folder,
    virtualenv: PathBuf,
}

impl Stage {
    /// Writes the release's files, and fills a virtualenv as they say.
    fn set_up(
        target: &ZappaTarget<Planned>,
        shipment: &Shipment<'_>,
        crew: &mut Crew<'_>,
    ) -> Result<Stage, Failure> {
        let [name, requirements, python] =
            [&target.stage, &target.requirements, &target.python].map(ToString::to_string);
        if name.starts_with('-') || name.is_empty() {
            return Err(refused(format!("`{name}` is no stage of Zappa"), "zappa = \"production\""));
        }
        let folder = Folder::filled(shipment, crew)?;
        if !folder.files.join(&requirements).is_file() {
            return Err(refused(
                format!("`{requirements}` is not in the release, and the virtualenv would be filled by it"),
                "commit it, or say which one it is: requirements = \"requirements/production.txt\"",
            ));
        }
        let virtualenv = folder.beside("virtualenv");
        let place = virtualenv.to_string_lossy().into_owned();
        crew.note(format!("a fresh virtualenv gets what `{requirements}` says"));
        crew.go_on()?;
        crew.program(&words(&[&python, "-m", "venv", &place]), &folder.files)?;
        let stage = Stage { name, folder, virtualenv };
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        let install: Vec<&str> = ["python"].into_iter().chain(install).chain([&*requirements]).collect();
        stage.run(&install, crew)?;
        if !stage.virtualenv.join("bin/zappa").exists() {
            return Err(refused(
                format!("`{requirements}` does not bring zappa into the virtualenv"),
                format!("add a line `zappa==VERSION` to `{requirements}`"),
            ));
        }
        Ok(stage)
    }

    /// Runs Zappa, and sees what code the function has then.
    fn change(&self, words: &[&str], before: &Function, crew: &mut Crew<'_>) -> Result<Function, NotShipped> {
        let zappa: Vec<&str> = ["zappa"].into_iter().chain(words.iter().copied()).collect();
        let Err(failure) = self.run(&zappa, crew) else {
            return self.look(crew).map_err(|failure| holding(Holds::Unknown, failure));
        };
        let after = if matches!(failure, Failure::Stopped | Failure::TimedOut(_)) {
            None
        } else {
            self.look(crew).ok()
        };
        let name = &self.name;
        let (holds, note) = match after {
            None => (Holds::Unknown, Some(format!("what `zappa {}` has done is not known", words.join(" ")))),
            Some(after) if after.latest == before.latest => (Holds::Before, None),
            Some(_) if before.latest.is_none() => (
                Holds::Unknown,
                Some(format!(
                    "zappa has made a part of the stage: `zappa undeploy {name}` takes it away, then deploy again"
                )),
            ),
            Some(_) => (Holds::Release, Some("the new code is there all the same".to_owned())),
        };
        if let Some(note) = note {
            crew.note(note);
        }
        Err(holding(holds, failure))
    }

    fn look(&self, crew: &mut Crew<'_>) -> Result<Function, Failure> {
        crew.go_on()?;
        let words = self.active(&["python", "-c", LOOK, &self.name]);
        let mut said = Vec::new();
        let Crew { program, tell, .. } = crew;
        program(&words, &self.folder.files, &mut |told| match told {
            Told::Output(Stream::Out, bytes) => said.extend(bytes),
            told => tell(told),
        })?;
        serde_json::from_slice(&said).map_err(|error| {
            let said = String::from_utf8_lossy(&said);
            unmet(
                format!("zappa's own code answers with what can't be read: {error}: {said}"),
                "deploy is tested with zappa 0.63: is yours another one?",
            )
        })
    }

    fn run(&self, words: &[&str], crew: &mut Crew<'_>) -> Result<(), Failure> {
        crew.go_on()?;
        crew.program(&self.active(words), &self.folder.files)
    }

    fn active(&self, words: &[&str]) -> Vec<Text> {
        let virtualenv = self.virtualenv.to_string_lossy();
        let all: Vec<&str> =
            ["sh", "-c", ACTIVE, &virtualenv].into_iter().chain(words.iter().copied()).collect();
        self::words(&all)
    }
}

fn words(words: &[&str]) -> Vec<Text> {
    words.iter().copied().map(Text::from).collect()
}

fn holding(holds: Holds, failure: Failure) -> NotShipped {
    NotShipped { failure, holds }
}
