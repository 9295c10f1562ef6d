//! How the device appears: in the phone's list of linked devices, and to the network.

use seatport::{Environment, Platform};
use whatsapp_rust::ClientProfile;
use whatsapp_rust::wacore::store::{DeviceCommand, DevicePropsOverride};

/// What to tell the client of the environment, before every login: it keeps none of it.
///
/// The phone lists a device by its name, or else by its operating system. The network is told the language; it has no use for
/// the time zone.
pub(crate) fn appearance(environment: &Environment) -> [DeviceCommand; 2] {
    let system = environment.platform.map_or("Linux", system);
    let listed = environment.device_name.as_deref().unwrap_or(system);
    let mut profile = ClientProfile::web();
    if let Some((language, country)) = environment.locale.as_deref().map(locale) {
        profile.locale_language = language;
        if let Some(country) = country {
            profile.locale_country = country;
        }
    }
    [
        DeviceCommand::SetDeviceProps(DevicePropsOverride::new().with_os(listed)),
        DeviceCommand::SetClientProfile(profile),
    ]
}

/// The system's name as browsers give it.
fn system(platform: Platform) -> &'static str {
    match platform {
        Platform::Windows => "Windows",
        Platform::MacOs => "Mac OS",
        Platform::Android => "Android",
        Platform::Ios => "iOS",
        _ => "Linux",
    }
}

/// Language and country of a BCP 47 tag, as ISO 639-1 and ISO 3166-1 write them.
fn locale(tag: &str) -> (String, Option<String>) {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default().to_owned();
    let is_country = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    (language, parts.find(is_country).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(environment: &Environment) -> (Option<String>, String, String) {
        let [DeviceCommand::SetDeviceProps(props), DeviceCommand::SetClientProfile(profile)] = appearance(environment)
        else {
            panic!("other commands");
        };
        (props.os, profile.locale_language, profile.locale_country)
    }

    #[test]
    fn the_environment_is_what_the_phone_and_the_network_see() {
        let of =
            |os: &str, language: &str, country: &str| (Some(os.to_owned()), language.to_owned(), country.to_owned());
        assert_eq!(seen(&Environment::new()), of("Linux", "en", "US"));
        let environment = Environment::new().platform(Platform::MacOs).locale("zh-Hans-CN").unwrap();
        assert_eq!(seen(&environment), of("Mac OS", "zh", "CN"));
        let environment = environment.device_name("Front desk 3").unwrap().locale("pt").unwrap();
        assert_eq!(seen(&environment), of("Front desk 3", "pt", "US"));
    }
}
