use super::*;

#[cfg(not(feature = "testkit"))]
#[test]
fn without_the_testkit_there_is_no_messenger_and_the_error_says_how_to_get_one() {
    let Err(SeatportError::NotBuilt { feature, detail }) = Messenger::new(7) else { panic!("there is one") };
    assert_eq!(feature, "testkit");
    assert!(detail.contains("--features testkit"));
}

#[cfg(feature = "testkit")]
mod built {
    use super::*;
    use crate::conversation::Content;
    use crate::secret::Secret;

    fn invalid<T>(result: Result<T, SeatportError>) -> String {
        match result {
            Err(SeatportError::Invalid { detail, .. }) => detail,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it was accepted"),
        }
    }

    #[test]
    fn people_write_to_each_other_without_a_runtime() {
        let messenger = Messenger::new(7).unwrap();
        let [mei, li] = ["Mei", "Li"].map(|name| messenger.person(name.to_owned()).unwrap());
        let (to, from) = (li.address().unwrap(), mei.address().unwrap());
        let id = mei.write(to.clone(), "hello".to_owned()).unwrap();
        mei.reply(to, id.clone(), "are you there?".to_owned()).unwrap();
        let received = li.received().unwrap();
        assert_eq!(received.iter().map(|one| one.text.as_str()).collect::<Vec<_>>(), ["hello", "are you there?"]);
        assert_eq!((received[0].sender.as_str(), received[1].quoted.as_ref()), (from.as_str(), Some(&id)));
    }

    #[test]
    fn a_group_hears_what_people_write_in_it() {
        let messenger = Messenger::new(7).unwrap();
        let phone = messenger.phone("+8613800138000".to_owned()).unwrap();
        let group = messenger.group("Sales".to_owned(), vec![phone]).unwrap();
        let mei = messenger.person("Mei".to_owned()).unwrap();
        mei.send(group.address().unwrap(), Content::Text { text: "hello".to_owned() }).unwrap();
        assert_eq!(group.received().unwrap()[0].text, "hello");
    }

    #[test]
    fn what_no_network_could_take_is_refused_and_nothing_panics() {
        let messenger = Messenger::new(7).unwrap();
        for name in ["", "a\nb", &"x".repeat(247)] {
            assert!(invalid(messenger.person(name.to_owned())).contains("name"));
            assert!(invalid(messenger.group(name.to_owned(), Vec::new())).contains("name"));
            assert!(invalid(messenger.channel(name.to_owned(), Vec::new())).contains("name"));
        }
        assert!(messenger.person("x".repeat(246)).is_ok());
        assert!(messenger.group("x".repeat(237), Vec::new()).is_ok());
        assert!(messenger.channel("x".repeat(237), Vec::new()).is_ok());
        for number in ["", "Mei", "1234567890123456"] {
            assert!(invalid(messenger.phone(number.to_owned())).contains("phone number"));
        }
        let conditions = Conditions { lost_acks: 101, ..Conditions::default() };
        assert!(invalid(messenger.set_conditions(conditions)).contains("101 of 100"));
        let phone = messenger.phone("+8613800138000".to_owned()).unwrap();
        let detail = invalid(phone.scan(Secret::new("hunter2".to_owned())));
        assert!(detail.contains("no login code") && !detail.contains("hunter2"), "{detail}");
        assert!(invalid(phone.log_out("seat 1".to_owned())).contains("session id"));
    }
}
