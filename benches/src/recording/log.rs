//! SQLite's write-ahead log, read as it lies there: which transaction wrote which pages.
//!
//! Its format is documented at <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

const LOG_HEADER: u64 = 32;
const FRAME_HEADER: u64 = 24;

/// The transactions of a write-ahead log, from its beginning.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    page_size: u64,
    pub(super) transactions: Vec<Transaction>,
}

/// The pages that one transaction wrote.
#[derive(Debug)]
pub(super) struct Transaction {
    /// Each page's number, and where in the log it is.
    pages: Vec<(u64, u64)>,
    /// How many pages the database has from then on.
    database: u64,
}

impl Log {
    /// Reads the log beside this database.
    pub(super) fn beside(database: &Path) -> Result<Self> {
        let path = beside(database, "-wal");
        let file = File::open(&path).with_context(|| format!("no write-ahead log at {}", path.display()))?;
        let mut header = [0; LOG_HEADER as usize];
        file.read_exact_at(&mut header, 0).context("the write-ahead log is empty")?;
        ensure!(number(&header, 0) & !1 == 0x377f_0682, "{} is no write-ahead log", path.display());
        let page_size = u64::from(number(&header, 8));
        let salts = &header[16..24];
        let (mut transactions, mut pages) = (Vec::new(), Vec::new());
        let mut at = LOG_HEADER;
        loop {
            let mut frame = [0; FRAME_HEADER as usize];
            match file.read_exact_at(&mut frame, at) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                result => result?,
            }
            // What lies behind the last transaction is left over from an earlier round of the log.
            if frame[8..16] != *salts {
                break;
            }
            pages.push((u64::from(number(&frame, 0)), at + FRAME_HEADER));
            let database = u64::from(number(&frame, 4));
            if database > 0 {
                transactions.push(Transaction { pages: std::mem::take(&mut pages), database });
            }
            at += FRAME_HEADER + page_size;
        }
        Ok(Self { file, page_size, transactions })
    }

    /// Writes the pages of a transaction into a database that nobody has open.
    pub(super) fn apply(&self, transaction: &Transaction, database: &File) -> Result<()> {
        let mut page = vec![0; usize::try_from(self.page_size)?];
        for (number, at) in &transaction.pages {
            self.file.read_exact_at(&mut page, *at)?;
            database.write_all_at(&page, (number - 1) * self.page_size)?;
        }
        Ok(database.set_len(transaction.database * self.page_size)?)
    }
}

/// The file beside a database with this ending.
pub(super) fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(ending);
    path.into()
}

fn number(bytes: &[u8], at: usize) -> u32 {
    let four = bytes[at..].iter().take(4);
    four.fold(0, |number, byte| number << 8 | u32::from(*byte))
}

/// How many transactions a database in use has seen, counted by SQLite itself in the index of the log; it wraps around.
///
/// See `iChange` in <https://www.sqlite.org/walformat.html>: a number in the byte order of the machine.
pub(super) fn transactions_seen(database: &Path) -> Result<u32> {
    let mut bytes = [0; 4];
    File::open(beside(database, "-shm"))?.read_exact_at(&mut bytes, 8)?;
    Ok(u32::from_ne_bytes(bytes))
}
