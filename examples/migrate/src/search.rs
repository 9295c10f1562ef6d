//! What is found by its text: rows that SQLite does not have in this form, made from those of messages and contacts.

use seatport::conversation::{Contact, Content};
use seatport_postgres::import::{contact_grams, message_grams};

use crate::failure::Failure;
use crate::table::Plan;
use crate::value::Value;

/// The texts of a table's rows.
#[derive(Debug)]
pub(crate) struct Texts {
    /// The table that they go into.
    pub(crate) table: &'static str,
    /// The columns that it has beside `grams`.
    pub(crate) place: [&'static str; 2],
}

/// A row of such a table.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) place: [Value; 2],
    pub(crate) grams: Vec<i32>,
}

const MESSAGES: Texts = Texts { table: "message_text", place: ["session", "seq"] };
const CONTACTS: Texts = Texts { table: "contact_text", place: ["session", "address"] };

impl Texts {
    /// Of the tables that have some.
    pub(crate) fn of(plan: &Plan) -> Option<&'static Self> {
        match plan.name() {
            "message" => Some(&MESSAGES),
            "contact" => Some(&CONTACTS),
            _ => None,
        }
    }

    /// The text of a row; none if there is no word in it.
    pub(crate) fn text(&self, plan: &Plan, row: &[Value]) -> Result<Option<Text>, Failure> {
        let wrong = || Failure::Value(plan.name().to_owned());
        let value = |column: &str| plan.place(column).map(|place| &row[place]).ok_or_else(wrong);
        let text = |column: &str| match value(column)? {
            Value::Text(text) => Ok(Some(text.as_str())),
            Value::Null => Ok(None),
            _ => Err(wrong()),
        };
        let Value::Integer(session) = value("session")? else { return Err(wrong()) };
        let grams = if plan.name() == "message" {
            let content = text("content")?.ok_or_else(wrong)?;
            let content: Content = serde_json::from_str(content).map_err(|_| wrong())?;
            message_grams(*session, &content)
        } else {
            let owned = |column| text(column).map(|text| text.map(str::to_owned));
            let contact = Contact {
                address: text("address")?.and_then(|text| text.parse().ok()).ok_or_else(wrong)?,
                phone: owned("phone")?,
                name: owned("name")?,
                saved_name: owned("saved_name")?,
                avatar: None,
                first_seen: None,
                last_seen: None,
            };
            contact_grams(*session, &contact)
        };
        let place = [value(self.place[0])?.clone(), value(self.place[1])?.clone()];
        Ok(Some(Text { place, grams }).filter(|text| !text.grams.is_empty()))
    }
}
