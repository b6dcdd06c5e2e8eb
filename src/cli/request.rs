//! From words to a plan: what the command line names, and the facts that planning it wants.

use super::args::{Common, Words};
use super::error::{Error, Kind};
use super::session::Session;
use crate::diagnostic::{Diagnostic, nearest};
use crate::facts::{Manner, Site};
use crate::model::name::RunId;
use crate::model::project::Named;
use crate::plan::{self, Asked, Dependencies, Facts, Freshness, Known, Plan, Request, Swapping, Unplanned};
use crate::plan::{lint, scope};

/// The commit that is shipped, unless another one is named.
pub(crate) const HEAD: &str = "HEAD";

/// The words of a line that has to be about something: without any, about what `deploy` alone does.
///
/// # Errors
/// The project has no `default`.
pub(crate) fn named(session: &Session, common: &Common, words: &Words) -> Result<Words, Error> {
    let mut words = words.clone();
    if words.names.is_empty() && common.environment.is_none() {
        let Some((name, _)) = &session.project.default else {
            let problem = Error::new(Kind::Usage, "nothing is named, and tasks.toml has no `default`");
            return Err(problem.help("name an environment or a task; `deploy :list` shows what there is"));
        };
        words.names.push(name.clone());
    }
    Ok(words)
}

/// The parts of a command line: each environment, with the tasks that follow it.
///
/// # Errors
/// Names that mean nothing, all of them.
pub(crate) fn requests(session: &Session, common: &Common, words: &Words) -> Result<Vec<Request>, Error> {
    let request = |environment: Option<String>| Request {
        environment,
        tasks: Vec::new(),
        given: Vec::new(),
        args: words.args.clone(),
        set: common.set.clone(),
        dependencies: if common.no_deps { Dependencies::LeaveOut } else { Dependencies::Run },
        swapping: if common.in_place { Swapping::InPlace } else { Swapping::Beside },
        freshness: if common.force { Freshness::Ignore } else { Freshness::Respect },
        back: None,
        data: None,
    };
    let mut requests = vec![request(common.environment.clone())];
    let mut given = words.given.iter().cloned();
    for name in &words.names {
        let given = given.next().unwrap_or_default();
        if let (Some(Named::Environment(_)), Some(other)) =
            (session.project.names.get(name), &common.environment)
            && name != other
        {
            return Err(Error::new(
                Kind::Usage,
                format!("--environment {other} and `{name}` name two environments"),
            )
            .help(format!("one after the other: deploy {other} {name}")));
        }
        match session.project.names.get(name) {
            Some(Named::Environment(_)) => requests.push(Request { given, ..request(Some(name.clone())) }),
            // What means nothing is told when it is planned, with the nearest name.
            Some(Named::Task(_)) | None => {
                let last = requests.last_mut().expect("there is one from the start");
                last.tasks.push(Asked { task: name.clone(), given });
            }
        }
    }
    for request in requests.iter().filter(|request| !request.tasks.is_empty()) {
        if let (Some((name, _)), Some(environment)) = (request.given.first(), &request.environment) {
            let message = format!(
                "`{name}` is a parameter of the deploy of {environment}, and tasks are named instead"
            );
            return Err(Error::new(Kind::Usage, message).help("say it after the name of its task"));
        }
    }
    known(session, common)?;
    if !words.args.is_empty() && !lint::mentions(&session.project, "args") {
        return Err(Error::new(Kind::Usage, "nothing in tasks.toml takes what follows `--`")
            .help("a task takes it by {{ args }}: run = \"pytest {{ args }}\""));
    }
    // What comes before the first environment is a part of its own only if it names something.
    if requests.len() > 1 && requests[0].tasks.is_empty() {
        requests.remove(0);
    }
    Ok(requests)
}

/// Plans, and gathers what the plan turns out to want.
pub(crate) fn planned(
    session: &Session,
    common: &Common,
    site: &Site,
    request: &Request,
    manner: Manner,
) -> Result<(Facts, Plan), Error> {
    let mut facts = site.facts();
    if let Some(back) = &request.back {
        facts.source = Known::Is(back.as_source());
    }
    answered_from(session, common, site, manner, facts, |facts| plan::plan(&session.project, request, facts))
}

/// Asks something of facts, and gathers what the answer turns out to want.
pub(crate) fn answered<T>(
    session: &Session,
    common: &Common,
    site: &Site,
    manner: Manner,
    ask: impl Fn(&Facts) -> Result<T, Unplanned>,
) -> Result<(Facts, T), Error> {
    answered_from(session, common, site, manner, site.facts(), ask)
}

fn answered_from<T>(
    session: &Session,
    common: &Common,
    site: &Site,
    manner: Manner,
    mut facts: Facts,
    ask: impl Fn(&Facts) -> Result<T, Unplanned>,
) -> Result<(Facts, T), Error> {
    let reference = common.reference.as_deref().unwrap_or(HEAD);
    if manner == Manner::Look {
        facts.run = RunId("(known when run)".to_owned());
    }
    loop {
        match ask(&facts) {
            Ok(answer) => return Ok((facts, answer)),
            Err(Unplanned::Wrong(problems)) => return Err(Error::diagnostics(problems, &session.sources)),
            Err(Unplanned::Wants(wants)) => site.gather(&mut facts, &wants, reference, manner)?,
        }
    }
}

/// Refuses a `--set` of a name that nothing has: it would be a slip of the pen.
fn known(session: &Session, common: &Common) -> Result<(), Error> {
    if common.set.is_empty() {
        return Ok(());
    }
    let names = scope::names(&session.project);
    let unknown = common.set.iter().find(|(name, _)| !names.contains(name.as_str()));
    let Some((name, _)) = unknown else { return Ok(()) };
    let problem = Diagnostic::new(format!("there is no value `{name}` to set"));
    let help = nearest(name, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
    let help = help.unwrap_or_else(|| format!("define it first: [vars]\n{name} = \"…\""));
    Err(Error::diagnostics(problem.help(help).into(), &session.sources))
}
