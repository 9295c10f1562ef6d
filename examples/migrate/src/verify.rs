//! Whether everything arrived: of every table the number of its rows, and a hash over all of them in the order of the key, on both
//! sides from the same bytes.

use sha2::{Digest as _, Sha256};

use crate::failure::Failure;
use crate::report::{Progress, Report};
use crate::search::{Text, Texts};
use crate::source::Source;
use crate::table::Plan;
use crate::target::Target;
use crate::value::{Value, encode};

/// What a table holds, in short.
#[derive(Clone, Default)]
struct Sum {
    hash: Sha256,
    rows: u64,
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
        self.rows += 1;
    }

    fn row(&mut self, row: &[Value]) {
        self.add(&encode(row));
    }

    fn text(&mut self, text: &Text) {
        let mut bytes = encode(&text.place);
        bytes.extend(text.grams.iter().flat_map(|gram| gram.to_be_bytes()));
        self.add(&bytes);
    }

    fn finish(self) -> (u64, String) {
        let hash = self.hash.finalize();
        (self.rows, hash.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Compares all of it.
pub(crate) async fn everything(
    source: &Source,
    target: &Target,
    plans: &[Plan],
    progress: &Progress,
) -> Result<Report, Failure> {
    let (mut report, mut differing) = (Report::default(), Vec::new());
    let mut compare = |name: &'static str, there: Sum, here: Sum| {
        let (there, here) = (there.finish(), here.finish());
        if there == here {
            report.add(name, there.0, there.1);
        } else {
            differing.push(format!("{name} ({} rows in SQLite, {} in PostgreSQL)", there.0, here.0));
        }
    };
    for plan in plans {
        let count = source.count(plan)?;
        progress.begin("comparing", plan.name(), 0, count);
        let texts = Texts::of(plan);
        let (mut there, mut texts_there, mut wrong) = (Sum::default(), Sum::default(), None);
        source.each(plan, |row| {
            there.row(row);
            match texts.map(|texts| texts.text(plan, row)) {
                Some(Ok(Some(text))) => texts_there.text(&text),
                Some(Err(failure)) => wrong = Some(failure),
                Some(Ok(None)) | None => {}
            }
        })?;
        if let Some(failure) = wrong {
            return Err(failure);
        }
        let mut here = Sum::default();
        target.each(plan, |row| here.row(row)).await?;
        compare(plan.name(), there, here);
        if let Some(texts) = texts {
            let mut here = Sum::default();
            target.each_text(plan, texts, |text| here.text(&text)).await?;
            // Those that belong to no row were not shown.
            here.rows = target.count(texts.table).await?;
            compare(texts.table, texts_there, here);
        }
    }
    if differing.is_empty() { Ok(report) } else { Err(Failure::Differs(differing)) }
}
