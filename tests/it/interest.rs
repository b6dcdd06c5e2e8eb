//! What `plan` points at before a release goes out: migrations, and what pip would install otherwise than now.

use serde_json::{Value, json};

use crate::git_target::STAGING;
use crate::support::Sandbox;

/// A shop whose first commit is live on staging, and whose HEAD has other requirements and a migration.
fn moved_on() -> Sandbox {
    let sandbox = Sandbox::shop(STAGING)
        .file("shop/migrations/0001_initial.py", "")
        .file("shop/migrations/__init__.py", "")
        .remote("staging");
    sandbox.commit("The first tables");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write(
        "requirements/base.txt",
        "Django>=5.2, <6  # the next one breaks us\npillow\n-c ../bounds.txt\n",
    );
    sandbox.write("requirements/staging.txt", "-r base.txt\n-r https://ada:opensesame@host/more.txt\n");
    sandbox.write("requirements/dev.txt", "-r base.txt\nruff==1\n");
    sandbox.write("bounds.txt", "sqlparse<1\n");
    sandbox.write("shop/migrations/0001_initial.py", "# mended\n");
    sandbox.write("shop/migrations/0002_price.py", "");
    sandbox.write("shop/migrations/__init__.py", "# nothing\n");
    sandbox.commit("Prices");
    sandbox
}

#[test]
fn a_plan_shows_migrations_and_what_pip_would_install_otherwise() {
    let sandbox = moved_on();
    let before = sandbox.picture();
    let plan = sandbox.deploy(["plan", "staging"]);
    plan.succeeds().shows(
        "  migrations among what changes
    ~ shop/migrations/0001_initial.py
    + shop/migrations/0002_price.py
  requirements that change
    + -r https://…@host/more.txt
    ~ django==5.2 -> Django>=5.2, <6
    + pillow
    - sentry-sdk
    + sqlparse<1 (constraint)
",
    );
    plan.never_mentions("opensesame").never_mentions("ruff");
    before.assert_unchanged();
}

#[test]
fn programs_get_them_with_the_files_that_say_so() {
    let sandbox = moved_on();
    let plan = sandbox.deploy(["plan", "staging", "--json"]);
    let plan: Value = serde_json::from_str(&plan.succeeds().stdout).expect("JSON");
    let release = &plan[0]["releases"][0];
    assert_eq!(release["migrations"][1], json!({ "path": "shop/migrations/0002_price.py", "how": "added" }));
    assert_eq!(
        release["requirements"][1],
        json!({
            "what": "django",
            "role": "requirement",
            "before": [{ "written": "django==5.2", "file": "requirements/base.txt" }],
            "after": [{ "written": "Django>=5.2, <6", "file": "requirements/base.txt" }],
        })
    );
}

#[test]
fn where_nothing_of_it_changes_nothing_is_said() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    let plan = sandbox.deploy(["plan", "staging", "--json"]);
    let plan: Value = serde_json::from_str(&plan.succeeds().stdout).expect("JSON");
    assert_eq!(plan[0]["releases"][0]["requirements"], Value::Null, "nothing is live to compare with");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.write("shop.py", "print('faster')\n");
    sandbox.write("requirements/base.txt", "django == 5.2  # as before\n");
    sandbox.commit("Faster");
    sandbox.deploy(["plan", "staging"]).succeeds().never_mentions("migrations").never_mentions("that change");
}

#[test]
fn another_swap_is_seen_though_no_commit_is_new() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    let tasks = STAGING.replace("requirements/staging.txt", "requirements/production.txt");
    sandbox.write("tasks.toml", &tasks);
    sandbox.deploy(["plan", "staging"]).succeeds().shows(
        "  requirements that change
    + gunicorn
    - sentry-sdk
",
    );
}

#[test]
fn a_clone_without_what_is_live_says_so() {
    let sandbox = Sandbox::shop(STAGING).remote("staging");
    sandbox.deploy(["staging"]).succeeds();
    sandbox.commit("Second");
    // The ledger without the release's objects: as another machine has it.
    let script = "git clone --quiet --depth 1 file://$PWD ../shallow
        git init --quiet --bare ../shallow/.deploy/repository.git
        git --git-dir=../shallow/.deploy/repository.git fetch --quiet .deploy/repository.git +refs/deploy/*/log:refs/deploy/*/log";
    sandbox.shell(script).succeeds();
    let plan = sandbox.deploy_in("../shallow", ["plan", "staging"]);
    plan.succeeds().shows("that change can't be told: what is live is not in this clone");
    sandbox.deploy(["plan", "staging"]).succeeds().never_mentions("can't be told");
}
