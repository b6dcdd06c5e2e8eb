//! `each`: one job for every combination.

use crate::support::Sandbox;

const MATRIX: &str = r#"
[tasks.test]
each = { python = [3.11, "3.12"], db = ["pg", "sqlite"] }
run = "echo {{ python }}/{{ db }} >> ran"

[tasks.all]
needs = ["test"]
run = "sort ran"

[tasks.one]
needs = [{ task = "test", with = { python = "3.12" } }]
run = "sort ran"

[tasks.in_order]
steps = [{ task = "test" }, "cat ran"]

[tasks.late]
after = ["test"]
run = "wc -l < ran"
"#;

#[test]
fn makes_a_job_of_every_combination() {
    let shop = Sandbox::new().tasks(MATRIX);
    let all = shop.deploy(["all", "--output", "stream"]);
    all.succeeds().prints("3.11/pg\n3.11/sqlite\n3.12/pg\n3.12/sqlite\n").says("5 succeeded");
    let plan = shop.deploy(["plan", "test"]);
    plan.succeeds().shows("test[python=3.11,db=pg]").shows("test[python=3.12,db=sqlite]");
}

#[test]
fn can_be_narrowed_by_who_needs_it_and_by_the_command_line() {
    let shop = Sandbox::new().tasks(MATRIX);
    shop.deploy(["one", "--output", "stream"]).prints("3.12/pg\n3.12/sqlite\n");
    let shop = Sandbox::new().tasks(MATRIX);
    shop.deploy(["all", "--set", "db=my", "--output", "stream"]).prints("3.11/my\n3.12/my\n");
    let wrong = MATRIX.replace("with = { python = \"3.12\" }", "with = { python = \"2.7\" }");
    let shop = Sandbox::new().tasks(&wrong);
    shop.deploy(["one"]).fails_with(2).says("`python` of `test` is one of `3.11`, `3.12`, not `2.7`");
}

#[test]
fn is_done_one_after_the_other_where_a_step_calls_it() {
    let shop = Sandbox::new().tasks(MATRIX);
    shop.deploy(["in_order"]).succeeds().prints("3.11/pg\n3.11/sqlite\n3.12/pg\n3.12/sqlite\n");
}

#[test]
fn is_waited_for_whole_by_what_comes_after() {
    let shop = Sandbox::new().tasks(MATRIX);
    shop.deploy(["late", "test", "--output", "stream"]).succeeds().shows("4\n");
}

#[test]
fn takes_a_list_that_is_a_value() {
    let shop = Sandbox::new().tasks(
        r#"
        [vars]
        pythons = ["3.12", "3.13"]
        [tasks.test]
        each = { python = "{{ pythons }}" }
        if = "python != '3.12'"
        run = "echo {{ python }}"
        [tasks.wrong]
        each = { python = "{{ pythons | first }}" }
        run = "echo {{ python }}"
        "#,
    );
    shop.deploy(["test"]).succeeds().prints("3.13\n");
    shop.deploy(["wrong"]).fails_with(2).says("`python` of `wrong` is no list").says("it is `3.12`");
}

#[test]
fn a_value_can_not_forge_lines_of_the_output() {
    let shop = Sandbox::new()
        .tasks("[tasks.test]\neach = { name = [\"a\\nb | forged\", \"\\u001b[31mred\"] }\nrun = 'true'\n");
    let plan = shop.deploy(["plan", "test"]);
    plan.succeeds().shows("test[name=a\\nb | forged]").never_mentions("\u{1b}");
}
