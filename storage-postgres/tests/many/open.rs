//! Opening a database, or being told why not.

use std::time::Duration;

use futures_util::future::join_all;
use seatport::agent::Role;
use seatport::storage::{AgentStore, SessionStore, Storage, StorageError, StorageErrorKind};
use seatport::{Agent, Page, SessionFilter};
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::{Cluster, PASSWORD};

use crate::office::{Office, adding, record};

/// The error, and all that it says.
async fn refused(office: &Office, url: &str) -> (StorageError, String) {
    let error = office.options().open(url).await.unwrap_err();
    let words = format!("{error} {error:?}");
    (error, words)
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_that_open_an_empty_database_at_once_find_one_set_of_tables() {
    let office = Office::new();
    let opened =
        join_all((0..10).map(|_| office.options().connections(1).open(&*Box::leak(Cluster::shared().url().into()))))
            .await;
    let storages: Vec<_> = opened.into_iter().map(Result::unwrap).collect();
    assert_eq!(office.sql("SELECT count(*) FROM {}.migration"), "1");
    assert_eq!(office.sql("SELECT count(*) FROM {}.organisation"), "1");
    storages[0].put_agent(Agent::new("mei", "Mei", Role::Agent).unwrap()).await.unwrap();
    assert_eq!(storages[9].agents().await.unwrap().len(), 1);
    join_all(storages.iter().map(Storage::close)).await;
}

#[tokio::test]
async fn two_schemas_in_one_database_do_not_see_each_other() {
    let (east, west) = (Office::new(), Office::new());
    let (one, two) = (east.open().await, west.open().await);
    one.commit(adding(record(1))).await.unwrap();
    two.commit(adding(record(1))).await.unwrap();
    two.commit(adding(record(2))).await.unwrap();
    let count = async |storage: &PostgresStorage| {
        storage.sessions(&SessionFilter::default(), Page::first(9)).await.unwrap().len()
    };
    assert_eq!((count(&one).await, count(&two).await), (1, 2));
}

#[tokio::test]
async fn a_name_with_capitals_and_dashes_is_a_name() {
    let office = Office::new();
    let name = format!("{}-East", office.schema);
    let storage = office.open_with(office.options().schema(&name)).await;
    storage.commit(adding(record(1))).await.unwrap();
    let again = office.open_with(office.options().schema(&name)).await;
    assert!(again.session(record(1).id).await.unwrap().is_some());
    let error = office.options().schema("no; DROP").open(&Cluster::shared().url()).await.unwrap_err();
    assert_eq!(error.kind(), StorageErrorKind::Other);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let office = Office::new();
    let (error, words) = refused(&office, "postgres://mei:hush@127.0.0.1:9/office").await;
    assert_eq!(error.kind(), StorageErrorKind::Busy, "{words}");
    assert!(words.contains("127.0.0.1:9/office") && !words.contains("hush"), "{words}");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_not_repeated() {
    let office = Office::new();
    let (error, words) = refused(&office, &Cluster::shared().guarded_url("hush-hush")).await;
    assert_eq!(error.kind(), StorageErrorKind::Other, "{words}");
    assert!(words.contains("refused the user or the password") && !words.contains("hush-hush"), "{words}");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_told() {
    let office = Office::new();
    let (error, words) = refused(&office, &Cluster::shared().url_of("nowhere")).await;
    assert_eq!(error.kind(), StorageErrorKind::Other, "{words}");
    assert!(words.contains("no such database"), "{words}");
}

#[tokio::test]
async fn a_user_without_the_right_to_create_a_schema_may_be_given_one() {
    let office = Office::new();
    office.sql("CREATE ROLE stranger LOGIN");
    let url = Cluster::shared().url().replacen("postgres@", "stranger@", 1);
    let (error, words) = refused(&office, &url).await;
    assert_eq!(error.kind(), StorageErrorKind::Other, "{words}");
    assert!(words.contains("grant it the rights"), "{words}");

    office.sql("CREATE SCHEMA {} AUTHORIZATION stranger");
    let storage = office.options().open(&url).await.unwrap();
    storage.commit(adding(record(1))).await.unwrap();
}

#[tokio::test]
async fn no_password_shows_in_what_is_printed() {
    let office = Office::new();
    let storage = office.options().open(&Cluster::shared().guarded_url(PASSWORD)).await.unwrap();
    assert!(!format!("{storage:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_database_that_only_reads_is_told() {
    let office = Office::new();
    let url = format!("{}?options=-c%20default_transaction_read_only%3Don", Cluster::shared().url());
    let (error, words) = refused(&office, &url).await;
    assert_eq!(error.kind(), StorageErrorKind::ReadOnly, "{words}");
    assert!(words.contains("name the primary"), "{words}");
}

#[tokio::test]
async fn a_newer_version_is_left_alone() {
    let office = Office::new();
    office.open().await.close().await.unwrap();
    office.sql("INSERT INTO {}.migration VALUES (99, now())");
    let (error, words) = refused(&office, &Cluster::shared().url()).await;
    assert_eq!(error.kind(), StorageErrorKind::NewerVersion, "{words}");
    assert!(words.contains("version 99"), "{words}");
}

#[tokio::test]
async fn tables_of_somebody_else_are_left_alone() {
    for tables in [
        "CREATE TABLE {}.book (title text)",
        "CREATE TABLE {}.migration (name text)",
        "CREATE TABLE {}.migration (version bigint)",
    ] {
        let office = Office::new();
        office.sql("CREATE SCHEMA {}");
        office.sql(tables);
        let (error, words) = refused(&office, &Cluster::shared().url()).await;
        assert_eq!(error.kind(), StorageErrorKind::Corrupt, "{words}");
        assert!(words.contains(&office.schema), "{words}");
        let left = "SELECT count(*) FROM pg_class WHERE relnamespace = '{}'::regnamespace AND relkind = 'r'";
        assert_eq!(office.sql(left), "1");
    }
}

#[tokio::test]
async fn whoever_closes_leaves_no_connection_and_no_mark() {
    let office = Office::new();
    let storage = office.open().await;
    storage.commit(adding(record(1))).await.unwrap();
    assert!(office.connections("true") >= 3);
    storage.close().await.unwrap();
    crate::office::until("all connections are closed", || office.connections("true") == 0).await;
    assert_eq!(office.sql("SELECT count(*) FROM {}.landed"), "0");
}

#[tokio::test]
async fn whoever_just_drops_it_finishes_what_was_begun() {
    let office = Office::new();
    let storage = office.open_with(office.options().poll(Duration::from_millis(50))).await;
    storage.commit(adding(record(1))).await.unwrap();
    let late = crate::office::committing(&storage, crate::office::noting(1));
    drop(storage);
    assert_eq!(late.await.unwrap().unwrap().last_event, 1);
    crate::office::until("all connections are closed", || office.connections("true") == 0).await;
}
