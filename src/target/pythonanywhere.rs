//! `pythonanywhere = "domain"`: the release's files get into the web app's folder by ssh, `build` runs there, and the API
//! starts the app anew. There is no deployment that one could follow: until the reload the app runs what it ran, and
//! where something fails before it, the earlier files come back.

use std::time::Duration;

use serde_json::Value;

use super::platform::api::{Api, ApiError, Pauses, escaped};
use super::{Crew, Holds, NotShipped, Shipment, refused, sending};
use crate::model::event::{Failure, Stream, Told};
use crate::model::host::{Agent, PATIENCE, There};
use crate::model::release::ObjectId;
use crate::model::step::Planned;
use crate::model::target::PythonAnywhereTarget;
use crate::process::Stop;

/// What is done in the folder.
const PROGRAM: &str = include_str!("pythonanywhere/far.sh");

/// How often a reload is asked for whose answer did not come: to do it twice does no harm.
const RELOADS: usize = 3;

/// The longest pause between them.
const PAUSE: Duration = Duration::from_secs(5);

/// How much of the error log is shown, in lines.
const LOG_LINES: usize = 40;

const TITLE: &str = "PythonAnywhere";

/// Brings a release, new or earlier, to its web app.
pub(crate) fn ship(
    target: &PythonAnywhereTarget<Planned>,
    shipment: &Shipment<'_>,
    mut crew: Crew<'_>,
) -> Result<(), NotShipped> {
    let user = user(target)?;
    let token = target.token.reveal(shipment.vault);
    let base =
        target.endpoint.as_ref().map_or_else(|| format!("https://{}", target.host), ToString::to_string);
    let api = Api::new(TITLE, &base, ("Token", &token), crew.stop, crew.deadline)?;
    let domain = target.domain.to_string();
    let app = WebApp {
        api: &api,
        app: format!("/api/v0/user/{}/webapps/{}/", escaped(&user), escaped(&domain)),
        log: format!("/api/v0/user/{}/files/path/var/log/{}.error.log", escaped(&user), escaped(&domain)),
        log_page: format!("{base}/user/{}/files/var/log/{}.error.log", escaped(&user), escaped(&domain)),
        domain,
    };
    app.look(&mut crew)?;
    let path = target.path.to_string();
    // One logs in at home.
    let path = path.strip_prefix("~/").unwrap_or(&path).to_owned();
    let folder = Folder { there: there(target), path };
    let before = folder.look(&mut crew)?;
    let logged = app.logged();
    crew.go_on()?;
    folder.send(shipment, &mut crew)?;
    let brought = folder.fill(shipment.commit, &mut crew).and_then(|()| {
        for line in &target.build {
            crew.hosts.line(&folder.there, line, &folder.path, crew.stop, crew.tell).inspect_err(|_| {
                (crew.tell)(Told::Note(format!("`build` failed: {line}")));
            })?;
        }
        crew.go_on()
    });
    let reloaded = brought.map_err(|failure| (failure, Holds::Before)).and_then(|()| app.reload(&mut crew));
    if let Err((failure, holds)) = reloaded {
        // Nobody knows whether the app runs the new files: they stay.
        let holds = if holds == Holds::Before { folder.put_back(before.as_ref(), &mut crew) } else { holds };
        return Err(NotShipped { failure, holds });
    }
    app.show_log(logged.as_deref(), &mut crew);
    Ok(())
}

/// Whose web app it is.
fn user(target: &PythonAnywhereTarget<Planned>) -> Result<String, Failure> {
    let ssh = target.ssh.to_string();
    let named = target.user.as_ref().map(ToString::to_string);
    let by_login = || {
        let login = ssh.strip_prefix("ssh://").unwrap_or(&ssh);
        login.rsplit_once('@').map(|(user, _)| user.to_owned())
    };
    named.or_else(by_login).filter(|user| !user.is_empty()).ok_or_else(|| {
        refused(
            format!("whose web app it is is not said: `{ssh}` names no user"),
            "user = \"USER\", beside `ssh`",
        )
    })
}

/// The account's host, by the run's connection.
fn there(target: &PythonAnywhereTarget<Planned>) -> There {
    let ssh = target.ssh.to_string();
    There { host: ssh.as_str().into(), ssh, agent: Agent::Kept, patience: PATIENCE, dir: None, sudo: None }
}

/// The web app, as the API has it.
struct WebApp<'a> {
    api: &'a Api<'a>,
    domain: String,
    app: String,
    log: String,
    /// Where people read the log.
    log_page: String,
}

impl WebApp<'_> {
    /// Sees that it is there, and may be told what to do, before anything is changed.
    fn look(&self, crew: &mut Crew<'_>) -> Result<(), Failure> {
        let app: Value = self.api.get(&self.app).map_err(|error| error.failure(TITLE))?;
        if app["enabled"] == Value::Bool(false) {
            crew.note(format!("{TITLE}: {} is disabled: a reload does not change that", self.domain));
        }
        Ok(())
    }

    /// Starts it anew.
    fn reload(&self, crew: &mut Crew<'_>) -> Result<(), (Failure, Holds)> {
        let path = format!("{}reload/", self.app);
        let mut pauses = Pauses::up_to(PAUSE);
        for tried in 1.. {
            match self.api.post::<Value>(&path, &Value::Null) {
                Ok(_) | Err(ApiError::Unreadable { .. }) => {
                    crew.note(format!("{TITLE} has reloaded {}", self.domain));
                    return Ok(());
                }
                Err(ApiError::Refused { status: 409, said, .. }) if said.contains("cname_error") => {
                    let domain = &self.domain;
                    crew.note(format!(
                        "{TITLE} has reloaded {domain}, and finds that the name does not lead there (cname_error): \
                         see its DNS"
                    ));
                    return Ok(());
                }
                Err(error @ ApiError::Refused { .. }) => return Err((error.failure(TITLE), Holds::Before)),
                Err(error @ ApiError::Unclear { .. }) if tried < RELOADS => {
                    crew.note(format!("{}; it is asked again", error.sentence(TITLE)));
                    let pause = pauses.next().unwrap_or(PAUSE);
                    self.api.pause(pause).map_err(|error| (error.failure(TITLE), Holds::Unknown))?;
                }
                Err(error) => return Err((error.failure(TITLE), Holds::Unknown)),
            }
        }
        unreachable!("the last try returns")
    }

    /// What the error log holds; nothing if it can't be had, or there is none yet.
    fn logged(&self) -> Option<String> {
        self.api.file(&self.log).ok()
    }

    /// What it says since.
    fn show_log(&self, before: Option<&str>, crew: &mut Crew<'_>) {
        let Some(now) = self.logged() else { return };
        // It begins anew now and then.
        let new = now.strip_prefix(before.unwrap_or_default()).unwrap_or(&now);
        let lines: Vec<&str> = new.lines().collect();
        if lines.is_empty() {
            return;
        }
        crew.note(format!("the error log since the reload; the whole of it: {}", self.log_page));
        let text = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n") + "\n";
        (crew.tell)(Told::Output(Stream::Err, text.into_bytes()));
    }
}

/// The folder of its code.
struct Folder {
    there: There,
    path: String,
}

impl Folder {
    /// The commit whose files are there, if one's are whole.
    fn look(&self, crew: &mut Crew<'_>) -> Result<Option<ObjectId>, Failure> {
        let held = self.ask(&["look"], crew.stop, crew)?;
        if held.trim() == "foreign" {
            return Err(refused(
                format!("`{}` at {} holds files that deploy did not bring there", self.path, self.there.ssh),
                "give deploy a `path` of its own, and let the web app take its code from there",
            ));
        }
        let mut held = held.lines().filter_map(ObjectId::parse);
        match (held.next(), held.next()) {
            (Some(commit), None) => Ok(Some(commit)),
            (None | Some(_), _) => Ok(None),
        }
    }

    /// Sends the commit to a repository beside the folder: what it has already stays here.
    fn send(&self, shipment: &Shipment<'_>, crew: &mut Crew<'_>) -> Result<(), Failure> {
        self.ask(&["repository"], crew.stop, crew)?;
        let path = format!("{}.deploy.git", self.path);
        sending::send(crew.hosts, &self.there, &path, shipment, crew.stop)
    }

    /// Makes the folder hold the commit's files. What no commit brought stays.
    fn fill(&self, commit: &ObjectId, crew: &mut Crew<'_>) -> Result<(), Failure> {
        self.ask(&["files", commit.as_str()], crew.stop, crew).map(drop)
    }

    /// Makes it hold again what it held, also where the run is stopped; and what the target holds then.
    fn put_back(&self, before: Option<&ObjectId>, crew: &mut Crew<'_>) -> Holds {
        let Some(before) = before else {
            crew.note(format!("`{}` holds files of this release; the app was not reloaded", self.path));
            return Holds::Before;
        };
        let stop = Stop::new(Duration::ZERO);
        match self.ask(&["files", before.as_str()], &stop, crew) {
            Ok(_) => {
                crew.note(format!("`{}` holds the earlier files again; the app was not reloaded", self.path));
            }
            Err(_) => {
                crew.note(format!(
                    "the earlier files could not be put back to `{}`: deploy again before the app is reloaded",
                    self.path
                ));
            }
        }
        Holds::Before
    }

    fn ask(&self, words: &[&str], stop: &Stop, crew: &mut Crew<'_>) -> Result<String, Failure> {
        let (action, rest) = words.split_first().expect("an action");
        let program = ["sh", "-c", PROGRAM, "sh", action, &self.path];
        let words = program.iter().chain(rest).map(|word| (*word).to_owned()).collect();
        crew.hosts.ask(&self.there, words, stop, crew.tell)
    }
}
