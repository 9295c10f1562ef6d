//! TLS: whenever it is used, the server is who it says it is.

use std::io::Write;

use seatport::storage::{SessionStore, StorageErrorKind};
use seatport_postgres::PostgresStorage;
use seatport_testkit::postgres::Cluster;
use tempfile::NamedTempFile;

use crate::office::{adding, record};

/// A server that shows a certificate for this name, and a file with the certificate.
fn server(name: &str) -> (Cluster, NamedTempFile) {
    let own = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(own.cert.pem().as_bytes()).unwrap();
    (Cluster::tls(&own.cert.pem(), &own.signing_key.serialize_pem()), file)
}

async fn kind(url: &str) -> (StorageErrorKind, String) {
    let error = PostgresStorage::open(url).await.unwrap_err();
    (error.kind(), format!("{error} {error:?}"))
}

#[tokio::test]
async fn a_server_is_believed_by_its_certificate_and_its_name() {
    let (server, file) = server("127.0.0.1");
    let url = server.url();
    let with = |parameters: &str| format!("{url}{}{parameters}", if url.contains('?') { '&' } else { '?' });
    let root = file.path().display();

    for mode in ["require", "verify-ca", "verify-full", "prefer"] {
        let storage = PostgresStorage::open(&with(&format!("sslmode={mode}&sslrootcert={root}"))).await.unwrap();
        let _ = storage.commit(adding(record(1))).await;
        let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
             WHERE application_name = 'seatport'";
        assert_eq!(server.sql(encrypted), "t", "{mode}");
    }
    let storage =
        PostgresStorage::options().root_certificate(file.path()).open(&with("sslmode=require")).await.unwrap();
    assert!(storage.session(record(1).id).await.unwrap().is_some());

    // Nobody whom browsers trust vouches for it.
    for mode in ["prefer", "require", "verify-full"] {
        let (kind, words) = kind(&with(&format!("sslmode={mode}"))).await;
        assert_eq!(kind, StorageErrorKind::Other, "{words}");
        assert!(words.contains("sslrootcert=FILE"), "{words}");
    }
    // It takes nobody without TLS.
    let (kind, words) = kind(&with("sslmode=disable")).await;
    assert_eq!(kind, StorageErrorKind::Other, "{words}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let (server, file) = server("db.example");
    let url = server.url();
    let sign = if url.contains('?') { '&' } else { '?' };
    let (kind, words) = kind(&format!("{url}{sign}sslmode=require&sslrootcert={}", file.path().display())).await;
    assert_eq!(kind, StorageErrorKind::Other, "{words}");
    assert!(words.contains("sslrootcert=FILE"), "{words}");
}
