//! The command line.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::Parser;

/// Moves everything from a SQLite file of Seatport into a PostgreSQL database, and makes sure that it arrived.
///
/// Seatport must not be running on either. When this is interrupted, run it again: it goes on where it was. Until it has come to its
/// end no Seatport opens the schema. The SQLite file is only read.
#[derive(Debug, Parser)]
#[command(
    name = "seatport-migrate",
    version,
    after_help = "Example:\n  \
    cargo run --release -p seatport-migrate -- --from sqlite:seatport.db \
    --to postgres://seatport@db.example/office?schema=seatport"
)]
pub(crate) struct Arguments {
    /// Where everything is: sqlite:PATH
    #[arg(long, value_name = "SQLITE", value_parser = sqlite)]
    pub(crate) from: PathBuf,

    /// Where it goes: postgres://USER:PASSWORD@HOST:PORT/DATABASE, with ?schema=NAME unless the schema is `seatport`. Given in the
    /// environment, other users of this machine do not see the password
    #[arg(long, value_name = "POSTGRES", env = "SEATPORT_MIGRATE_TO", hide_env_values = true)]
    pub(crate) to: Place,

    /// How many rows go into one transaction at most
    #[arg(long, value_name = "ROWS", default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rows: u32,

    /// Copy nothing: only compare, after moving and before Seatport runs there
    #[arg(long)]
    pub(crate) verify: bool,
}

impl Arguments {
    /// Reads the command line. Leaves the process with a word on what would be right if it is wrong.
    pub(crate) fn read() -> Self {
        Self::parse()
    }
}

fn sqlite(text: &str) -> Result<PathBuf, String> {
    let path = text.strip_prefix("sqlite:").filter(|path| !path.is_empty());
    path.map(PathBuf::from).ok_or_else(|| "write sqlite:PATH, for instance sqlite:seatport.db".to_owned())
}

/// A schema of a PostgreSQL database. Not to be printed, for it may hold a password.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) schema: Option<String>,
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl FromStr for Place {
    type Err = Infallible;

    /// Takes the schema out of a URL. Whether the rest is one turns out on connecting: what is refused here would be repeated, with
    /// the password.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let Some((url, parameters)) = text.rsplit_once('?') else {
            return Ok(Self { url: text.to_owned(), schema: None });
        };
        let (ours, others): (Vec<&str>, Vec<&str>) =
            parameters.split('&').partition(|parameter| parameter.starts_with("schema="));
        let schema = ours.last().and_then(|parameter| parameter.strip_prefix("schema=")).map(str::to_owned);
        let url = if others.is_empty() { url.to_owned() } else { format!("{url}?{}", others.join("&")) };
        Ok(Self { url, schema })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_taken_out_of_the_url() {
        for (text, url, schema) in [
            ("postgres://u:p%3F@h/d", "postgres://u:p%3F@h/d", None),
            ("postgres://h/d?schema=east", "postgres://h/d", Some("east")),
            ("postgresql://h/d?sslmode=require&schema=east", "postgresql://h/d?sslmode=require", Some("east")),
        ] {
            let place: Place = text.parse().unwrap();
            assert_eq!((place.url.as_str(), place.schema.as_deref()), (url, schema));
        }
    }

    #[test]
    fn a_file_is_named_with_what_it_is() {
        assert!(sqlite("seatport.db").is_err() && sqlite("sqlite:").is_err());
        assert_eq!(sqlite("sqlite:a:b.db"), Ok("a:b.db".into()));
    }

    #[test]
    fn a_place_shows_no_password() {
        let place: Place = "postgres://u:hush@h/d".parse().unwrap();
        assert!(!format!("{place:?}").contains("hush"));
    }
}
