//! That the PostgreSQL of the tests is one: what is dumped there comes back, and nothing of it stays.

use std::net::TcpStream;

use crate::support::{Postgres, Sandbox};

#[test]
fn a_database_is_dumped_and_comes_back_and_the_cluster_ends() {
    let (sandbox, postgres) = (Sandbox::new(), Postgres::start());
    postgres.sql("postgres", "create database shop");
    postgres.sql(
        "shop",
        "create table orders (id int, what text); insert into orders values (1, 'tea'), (2, 'ö')",
    );
    let url = postgres.url("shop");
    sandbox.shell(&format!("pg_dump --format=custom --file=dump '{url}'")).succeeds();
    postgres.sql("shop", "drop table orders");
    sandbox.shell(&format!("pg_restore --dbname='{url}' dump")).succeeds();
    assert_eq!(postgres.sql("shop", "select * from orders order by id"), "1|tea\n2|ö");

    let address = url.split_once('@').and_then(|(_, rest)| rest.split_once('/')).unwrap().0.to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(postgres);
    assert!(TcpStream::connect(&address).is_err(), "it ended with the test");
}
