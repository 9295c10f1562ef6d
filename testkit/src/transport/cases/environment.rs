//! What the account runs in.

use seatport::{Environment, Platform};

use crate::transport::trial::{Ending, Trial};

pub(crate) async fn any_of_it_is_no_obstacle(trial: &Trial) {
    let mut seat = trial.seat();
    seat.environment = Environment::new()
        .device_name("Front desk 3 前台")
        .and_then(|environment| environment.platform(Platform::Windows).locale("zh-CN"))
        .and_then(|environment| environment.time_zone("Asia/Shanghai"))
        .and_then(|environment| environment.label("team", "sales"))
        .unwrap();
    trial.log_in(&seat, 1).await;
}

/// How dialling ends through a proxy through which nothing gets.
async fn through_a_dead_proxy(trial: &Trial, password: &str) -> Ending {
    let mut seat = trial.seat();
    let proxy = trial.peer("name a dead proxy", trial.peer.dead_proxy(password.to_owned())).await;
    seat.environment = Environment::new().proxy(&proxy).unwrap();
    trial.not_online(&seat).await
}

pub(crate) async fn nothing_goes_around_a_proxy(trial: &Trial) {
    let ending = through_a_dead_proxy(trial, "hunter2").await;
    assert!(ending.reason().is_some(), "nothing gets through the proxy, and dialling came to {ending:?}");
}

pub(crate) async fn the_password_of_a_proxy_is_not_told(trial: &Trial) {
    let password = format!("pw{:08x}", trial.random.below(1 << 32));
    let ending = through_a_dead_proxy(trial, &password).await;
    assert!(!format!("{ending:?}").contains(&password), "the reason tells the password");
    assert!(!format!("{:?}", trial.transport).contains(&password), "the transport's Debug tells the password");
}
