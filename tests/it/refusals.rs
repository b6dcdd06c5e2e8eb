//! What can't become a release is refused before anything is pushed, with the mend: swaps that lead nowhere, places
//! that can't be swapped, addresses that are commands.

use crate::support::Sandbox;

/// Deploys a shop with this swap; it must be refused, with these words, and the target must stay empty.
#[track_caller]
fn refused(swap: &str, prepare: impl FnOnce(&Sandbox), words: &[&str]) {
    let tasks = format!("[environments.staging]\ntarget = {{ git = 'staging' }}\nswap = {{ {swap} }}\n");
    let sandbox = Sandbox::shop(&tasks).remote("staging");
    prepare(&sandbox);
    let before = sandbox.picture();
    let refused = sandbox.deploy(["staging"]);
    refused.fails_with(3).says("help");
    for word in words {
        refused.says(word);
    }
    sandbox.deploy(["plan", "staging"]).succeeds().mentions(words[0]);
    before.assert_unchanged();
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

/// Deploys a shop with this swap; it must go well.
#[track_caller]
fn accepted(swap: &str, prepare: impl FnOnce(&Sandbox)) {
    let tasks = format!("[environments.staging]\ntarget = {{ git = 'staging' }}\nswap = {{ {swap} }}\n");
    let sandbox = Sandbox::shop(&tasks).remote("staging");
    prepare(&sandbox);
    sandbox.deploy(["staging"]).succeeds();
    assert!(sandbox.target("staging").tip("main").is_some());
}

fn nothing(_: &Sandbox) {}

#[test]
fn a_source_that_does_not_exist() {
    refused(
        "'requirements.txt' = { from = 'requirements/stagign.txt' }",
        nothing,
        &["requirements/stagign.txt"],
    );
}

#[test]
fn a_source_that_is_not_committed() {
    let write = |sandbox: &Sandbox| sandbox.write("requirements/new.txt", "django\n");
    refused(
        "'requirements.txt' = { from = 'requirements/new.txt' }",
        write,
        &["requirements/new.txt", "git add", "git commit"],
    );
}

#[test]
fn a_source_that_is_a_folder() {
    refused("'requirements.txt' = { from = 'requirements' }", nothing, &["requirements"]);
}

#[test]
fn requirements_that_include_what_is_not_there() {
    refused("'requirements.txt' = '-r requirements/stagign.txt'", nothing, &["requirements/stagign.txt"]);
    refused("'requirements.txt' = '-c constraints.txt'", nothing, &["constraints.txt"]);
    refused("'requirements.txt' = '--requirement=gone.txt'", nothing, &["gone.txt"]);
    refused("'requirements.txt' = '--constraint gone.txt'", nothing, &["gone.txt"]);
}

#[test]
fn requirements_that_include_what_is_not_committed() {
    let write = |sandbox: &Sandbox| sandbox.write("requirements/new.txt", "django\n");
    refused("'requirements.txt' = '-r requirements/new.txt'", write, &["requirements/new.txt", "git commit"]);
}

#[test]
fn requirements_that_include_what_is_not_there_further_down() {
    let break_the_chain = |sandbox: &Sandbox| {
        sandbox.write("requirements/staging.txt", "-r middle.txt\n");
        sandbox.write("requirements/middle.txt", "django\n-r gone.txt  # with a comment\n");
        sandbox.commit("A chain that ends in nothing");
    };
    refused(
        "'requirements.txt' = '-r requirements/staging.txt'",
        break_the_chain,
        &["requirements/gone.txt", "requirements/middle.txt"],
    );
}

#[test]
fn requirements_that_leave_the_tree() {
    let leave = |sandbox: &Sandbox| {
        sandbox.write("../outside.txt", "django\n");
        sandbox.write("requirements/staging.txt", "-r ../../outside.txt\n");
        sandbox.commit("A chain that leaves the tree");
    };
    refused("'requirements.txt' = '-r requirements/staging.txt'", leave, &["../../outside.txt"]);
    refused("'requirements.txt' = '-r /etc/hostname'", nothing, &["/etc/hostname"]);
}

#[test]
fn requirements_that_another_swap_removes() {
    refused(
        "'requirements.txt' = '-r requirements/staging.txt', 'requirements/base.txt' = { remove = true }",
        nothing,
        &["requirements/base.txt"],
    );
}

#[test]
fn requirements_that_another_swap_brings() {
    accepted("'requirements.txt' = '-r requirements/site.txt', 'requirements/site.txt' = 'django'", nothing);
}

#[test]
fn requirements_in_every_spelling() {
    let spell = |sandbox: &Sandbox| {
        let spellings = "\n# -r comment.txt\n-rbase.txt\n-r  base.txt # a comment\n--requirement=base.txt\n--requirement base.txt\n\
                         -c ./base.txt\n-cbase.txt\n--constraint=../requirements/base.txt\n-r https://example.com/x.txt\n\
                         django \\\n  --hash=sha256:00\n-e .\n";
        sandbox.write("requirements/staging.txt", spellings);
        sandbox.commit("Spellings");
    };
    accepted("'requirements.txt' = '-r requirements/staging.txt'", spell);
}

#[test]
fn requirements_that_include_each_other() {
    let circle = |sandbox: &Sandbox| {
        sandbox.write("requirements/staging.txt", "-r base.txt\n");
        sandbox.write("requirements/base.txt", "-r staging.txt\n");
        sandbox.commit("A circle, which pip refuses");
    };
    refused("'requirements.txt' = '-r requirements/staging.txt'", circle, &["requirements/base.txt"]);
}

#[test]
fn a_symlink_in_the_place() {
    let link = |sandbox: &Sandbox| {
        sandbox.shell("rm requirements.txt").succeeds();
        sandbox.link("requirements.txt", "requirements/dev.txt");
        sandbox.commit("A link");
    };
    refused("'requirements.txt' = 'django'", link, &["requirements.txt", "symlink"]);
}

#[test]
fn a_symlink_on_the_way() {
    let link = |sandbox: &Sandbox| {
        sandbox.link("lists", "requirements");
        sandbox.commit("A link");
    };
    refused("'lists/base.txt' = 'django'", link, &["lists", "symlink"]);
}

#[test]
fn a_folder_in_the_place() {
    refused("'requirements' = 'django'", nothing, &["requirements", "folder"]);
}

#[test]
fn a_file_on_the_way() {
    refused("'shop.py/settings.py' = 'x'", nothing, &["shop.py"]);
}

#[test]
fn a_path_that_is_not_in_the_tree() {
    for path in ["../x", "/etc/x", "a/../../x", ".git/config", ".GIT/config", "", ".", "a//b", "a/"] {
        let tasks =
            format!("[environments.staging]\ntarget = {{ git = 'staging' }}\nswap = {{ '{path}' = 'x' }}\n");
        let sandbox = Sandbox::shop(&tasks).remote("staging");
        sandbox.deploy(["staging"]).fails_with(2).says("tasks.toml:3:10");
        assert_eq!(sandbox.target("staging").tip("main"), None);
    }
}

#[test]
fn an_address_that_is_a_command_or_an_option() {
    let addresses = [
        "ext::sh -c touch% pwned",
        "--upload-pack=touch pwned",
        "--receive-pack=touch pwned",
        "-oProxyCommand=touch pwned",
        "ssh://-oProxyCommand=touch%20pwned/x",
        "-oProxyCommand=touch pwned:x",
    ];
    for address in addresses {
        let sandbox = Sandbox::shop(&format!("[environments.staging]\ntarget = {{ git = '{address}' }}\n"));
        sandbox.deploy(["staging"]).fails();
        sandbox.deploy(["plan", "staging"]).ends();
        assert!(!sandbox.has("pwned"), "{address} was executed");
    }
}

#[test]
fn a_branch_that_can_not_be_one() {
    for branch in ["--force", "-d", "a..b", "two words", "a~1", "", ":main", "main:other", "a.lock"] {
        let tasks = format!("[environments.staging]\ntarget = {{ git = 'staging', branch = '{branch}' }}\n");
        let sandbox = Sandbox::shop(&tasks).remote("staging");
        let refused = sandbox.deploy(["staging"]);
        assert!(refused.code == 2, "{branch:?} is a branch:\n{refused}");
        refused.says("tasks.toml:2");
        assert_eq!(sandbox.target("staging").git(["for-each-ref"]), "");
    }
}

#[test]
fn a_ref_that_is_an_option() {
    let sandbox = Sandbox::shop(crate::git_target::STAGING).remote("staging");
    sandbox.deploy(["staging", "--ref", "--output=pwned"]).fails();
    sandbox.deploy(["staging", "--ref=--output=pwned"]).fails();
    assert!(!sandbox.has("pwned"));
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn a_password_in_an_address_is_never_shown() {
    let tasks = "[environments.staging]\ntarget = { git = 'http://ada:opensesame@127.0.0.1:9/shop.git' }\n";
    let sandbox = Sandbox::shop(tasks);
    for arguments in [["-n", "staging"], ["-v", "staging"]] {
        sandbox.deploy(arguments).ends().never_mentions("opensesame");
    }
    sandbox.deploy(["history", "staging"]).ends().never_mentions("opensesame");
}

#[test]
fn a_project_without_a_commit_or_a_repository() {
    let tasks = "[environments.staging]\ntarget = { git = 'SANDBOX/remotes/staging.git' }\n[tasks.hi]\nrun = 'echo hi'\n";
    let sandbox = Sandbox::new().tasks(tasks).remote("staging");
    sandbox.deploy(["hi"]).succeeds().prints("hi\n");
    sandbox.deploy(["staging"]).fails().says("git");
    sandbox.repository().git(["init", "--quiet", "--initial-branch=main"]);
    sandbox.deploy(["hi"]).succeeds().prints("hi\n");
    sandbox.deploy(["staging"]).fails().says("commit");
    assert_eq!(sandbox.target("staging").tip("main"), None);
}

#[test]
fn what_can_only_be_done_is_not_done_by_a_dry_run() {
    let sandbox = Sandbox::shop(crate::git_target::STAGING).remote("staging");
    for arguments in
        [["lock", "staging", "--reason=holiday", "-n"], ["unlock", "staging", "--reason=over", "-n"]]
    {
        sandbox.deploy(arguments).fails_with(2).says("has no --dry-run").says("help: deploy status");
    }
    sandbox.deploy(["recover", "--dry-run"]).fails_with(2).says("`deploy recover` has no --dry-run");
    sandbox.deploy(["status"]).succeeds().never_mentions("holiday");
}
