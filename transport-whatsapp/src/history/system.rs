//! The lines that the network writes into a chat by itself.

use seatport::conversation::Content;
use whatsapp_rust::buffa::Enumeration;
use whatsapp_rust::waproto::whatsapp::web_message_info::StubType;

/// What such a line says: the network's name for it, and whom or what it is about. None for those of no interest to a person.
pub(super) fn content(stub: StubType, about: &[String]) -> Option<Content> {
    match stub {
        StubType::REVOKE | StubType::ADMIN_REVOKE => return Some(Content::Deleted),
        StubType::CIPHERTEXT => return Some(Content::Undecryptable),
        _ => {}
    }
    let name = stub.proto_name();
    let of_interest =
        ["GROUP_PARTICIPANT_", "GROUP_CHANGE_", "CALL_MISSED_"].iter().any(|prefix| name.starts_with(prefix))
            || matches!(
                stub,
                StubType::GROUP_CREATE
                    | StubType::GROUP_DELETE
                    | StubType::E2E_IDENTITY_CHANGED
                    | StubType::INDIVIDUAL_CHANGE_NUMBER
                    | StubType::BLOCK_CONTACT
                    | StubType::CHANGE_EPHEMERAL_SETTING
            );
    if !of_interest {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('_', " ");
    let about: Vec<_> = about.iter().map(String::as_str).filter(|about| !about.is_empty()).collect();
    Some(Content::System(if about.is_empty() { name } else { format!("{name}: {}", about.join(", ")) }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_happened_and_to_whom() {
        let members = ["5522@s.whatsapp.net".to_owned(), "5533@s.whatsapp.net".to_owned()];
        let added = content(StubType::GROUP_PARTICIPANT_ADD, &members);
        let expected = "group participant add: 5522@s.whatsapp.net, 5533@s.whatsapp.net";
        assert_eq!(added, Some(Content::System(expected.to_owned())));
        assert_eq!(content(StubType::CALL_MISSED_VOICE, &[]), Some(Content::System("call missed voice".to_owned())));
        assert_eq!(content(StubType::REVOKE, &[]), Some(Content::Deleted));
        assert_eq!(content(StubType::BIZ_INTRO_TOP, &[]), None);
    }
}
