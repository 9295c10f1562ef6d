//! The story is told, whole and in order.

use std::time::Duration;

use crate::quickstart;

/// What has to be there, in this order.
const STORY: &[&str] = &[
    "Seatport quickstart",
    "1. The office opens",
    "two licence ports: 8001 and 8002",
    "2. An account is added, and scanned",
    "socks5://desk1@proxy.example:1080",
    "It occupies a port from now on",
    "hotline                 li     8001",
    "█▀▀▀▀▀█",
    "login code 1, ",
    "awaiting login       0",
    "+8613800138000   online               0",
    "3. Customers write",
    "+8613800138000   online               1",
    "+8613800138000   online               3",
    "hotline, busy at noon   li     8001",
    "hotline, busy at noon   chen   8001",
    "4. The agents at work",
    "✗ agent li may not bind or change agents: ask a supervisor",
    "✗ agent li may not read the audit trail: ask a supervisor",
    "+8613800138000   online               1",
    "Bo: The number is 4711.",
    "hotline: It comes today, before six.",
    "sent, delivered, read",
    "5. Two ports for three accounts",
    "returns                 -      8002",
    "✗ no free port: 2 of 2 occupied and 0 waiting; stop a session or raise the capacity",
    "8001: hotline, busy at noon; 8002: returns.",
    "press                   -      8002",
    "Li restarts the hotline",
    "+8613800138000   online               1  hotline, busy at noon   chen   8001",
    "6. Stopped, and started again",
    "✗ cannot delete a session that is online: stop it first",
    "+8613800138000   offline              1  hotline, busy at noon   chen   -",
    "stay readable",
    "Bo: My parcel has not come.",
    "+8613800138000   online               2  hotline, busy at noon   chen   8001",
    "7. The process ends, and comes back",
    "The host shuts down",
    "+8613800138000   online               2  hotline, busy at noon   chen   8001",
    "not started          0  returns                 -      -",
    "awaiting login       0  press                   -      8002",
    "as in a crash",
    "Bo's message is there, once",
    "+8613800138000   online               3  hotline, busy at noon   chen   8001",
    "8. Found again",
    "+8613900139000   online               2  press                   -      8002",
    "press, Bo@simulated: The parcel was open when it came.",
    "hotline, Bo@simulated: My parcel has not come.",
    "press, 蔡敏@simulated: 你好，上周的水壶可以退款吗？",
    "9. The data centre",
    "✗ agent li may not see the data centre: ask a supervisor",
    "hotline  2 new, 0 duplicate, 1 answered; mean answer ",
    "press    1 new, 1 duplicate, 0 answered; mean answer -",
    "all      3 new, 1 duplicate, 1 answered; mean answer ",
    "chen     0 new, 0 duplicate, 0 answered; mean answer ",
    "li       2 new, 0 duplicate, 1 answered; mean answer -",
    "nobody   1 new, 1 duplicate, 0 answered; mean answer -",
    "session,session_name,new,",
    "10. What is on record",
    "10 remark changed",
    "message from Bo@simulated",
    "li, bind or change agents: not allowed to",
    "mei, delete sessions: not in this state",
    "none was changed",
    "11. Deleted, for good",
    "✗ unknown session ",
    "What the data centre counted stays",
    "0 of 2 ports occupied",
    "The office closes.",
];

#[test]
fn the_story_is_told_in_order_within_thirty_seconds() {
    let run = quickstart(&[]);
    assert!(run.succeeded, "{}{}", run.out, run.err);
    assert!(run.took < Duration::from_secs(30), "{:?}", run.took);
    let mut rest = run.out.as_str();
    for sentence in STORY {
        let Some((_, after)) = rest.split_once(sentence) else {
            panic!("{sentence:?} is not where it belongs in\n{}", run.out)
        };
        rest = after;
    }
    assert_eq!(run.err, "");
    assert!(!run.out.contains("a-password"), "the proxy's password is shown");
    let path = run.out.split_once("The database is ").unwrap().1.split_once(" and is removed").unwrap().0;
    assert!(!std::path::Path::new(path).exists(), "{path} is still there");
}

#[test]
fn a_database_that_is_kept_can_be_opened_by_its_user_alone_and_is_not_told_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("story.db");
    let database = path.to_str().unwrap();
    let run = quickstart(&["--database", database, "--pace", "0"]);
    assert!(run.succeeded, "{}{}", run.out, run.err);
    assert!(run.out.ends_with(&format!("The database stays: {database}\n")), "{}", run.out);
    #[cfg(unix)]
    for file in ["story.db", "story.db.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = folder.path().join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let again = quickstart(&["--database", database, "--pace", "0"]);
    assert!(!again.succeeded);
    assert_eq!(again.err, format!("error: {database} has sessions in it already; name another file for the story\n"));
}
