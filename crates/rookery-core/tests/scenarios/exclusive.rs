//! `$exclusive/`: as in EMQX, what one client holds is the filter as written, wildcards included.

use rookery_codec::{QoS, Version};

use super::stage::Stage;
use crate::{message, qos, v5};

#[test]
fn a_filter_has_one_exclusive_subscriber_with_or_without_wildcards() {
    for filter in ["$exclusive/a/b", "$exclusive/a/+", "$exclusive/#"] {
        let mut stage = Stage::new();
        let mut first = stage.connect(&v5("first"));
        assert_eq!(first.granted(&mut stage, filter, qos(QoS::AtMostOnce)), 0x8F, "switched off");
        stage.mqtt(|m| m.exclusive_subscription = true);
        let mut second = stage.connect(&v5("second"));
        assert_eq!(first.granted(&mut stage, filter, qos(QoS::AtMostOnce)), 0);
        assert_eq!(second.granted(&mut stage, filter, qos(QoS::AtMostOnce)), 0x97, "taken");
        // Another filter, if it matches the same topics or not, is another matter; so is the plain one.
        let plain = filter.trim_start_matches("$exclusive/");
        assert_eq!(second.granted(&mut stage, "$exclusive/+/b", qos(QoS::AtMostOnce)), 0);
        assert_eq!(second.granted(&mut stage, plain, qos(QoS::AtMostOnce)), 0);
        second.send(&mut stage, |out| message("a/b", QoS::AtMostOnce, 0).encode(Version::V5, out));
        assert_eq!(first.take(&mut stage), ["PUBLISH a/b 0"]);
        assert_eq!(second.take(&mut stage), ["PUBLISH a/b 0"]);
        first.lose(&mut stage);
        assert_eq!(second.granted(&mut stage, filter, qos(QoS::AtMostOnce)), 0, "free again");
    }
}

#[test]
fn an_exclusive_wildcard_obeys_the_wildcard_switch() {
    let mut stage = Stage::new();
    stage.mqtt(|m| {
        m.exclusive_subscription = true;
        m.wildcard_subscription = false;
    });
    let mut a = stage.connect(&v5("a"));
    assert_eq!(a.granted(&mut stage, "$exclusive/#", qos(QoS::AtMostOnce)), 0xA2);
    assert_eq!(a.granted(&mut stage, "$exclusive/a", qos(QoS::AtMostOnce)), 0);
}
