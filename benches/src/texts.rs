//! What people write to a customer-service team: Chinese and Latin texts of 5 to 200 characters, the short ones more often.

use std::sync::LazyLock;

use seatport::Random;

const LATIN: &str = "hello please where is my order the parcel has not arrived yet thanks how much does shipping cost to can \
    I return this size is wrong invoice for company payment failed again which colour do you have in stock \
    today tomorrow address changed since Monday discount code works only once could someone call me back \
    before noon Grüße précédent número спасибо 2 17 2048";

const CHINESE: &str = "你好 请问 我的 订单 什么时候 发货 快递 还没到 谢谢 多少钱 运费 可以 退货 换货 尺码 不合适 发票 公司 付款 \
    失败 了 颜色 有货 吗 今天 明天 地址 改一下 优惠券 不能用 客服 在吗 麻烦 尽快 处理 收到 质量 很好 推荐 \
    朋友 加 微信 打电话 上午 下午 的 是 我 想 买 两个 三件 ， 。 ？";

static WORDS: LazyLock<[Vec<&str>; 2]> =
    LazyLock::new(|| [CHINESE, LATIN].map(|words| words.split_whitespace().collect()));

/// A text of 5 to 200 characters; in half of them the characters are Chinese.
#[must_use]
pub fn text(random: &Random) -> String {
    // The mean of the square of an even distribution is a third: about 70 characters.
    let skew = random.below(1000) * random.below(1000);
    let length = 5 + usize::try_from(195 * skew / 1_000_000).unwrap_or(0);
    of_length(random, length)
}

/// A text of this many characters.
#[must_use]
pub fn of_length(random: &Random, length: usize) -> String {
    let (words, space) = if random.below(2) == 0 { (&WORDS[0], "") } else { (&WORDS[1], " ") };
    let mut text = String::new();
    let mut left = length;
    while left > 0 {
        let word = words[usize::try_from(random.below(words.len() as u64)).unwrap_or(0)];
        for character in word.chars().chain(space.chars()).take(left) {
            text.push(character);
            left -= 1;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_5_to_200_characters_in_both_scripts() {
        let random = Random::seeded(7);
        let texts: Vec<_> = (0..2000).map(|_| text(&random)).collect();
        assert!(texts.iter().all(|text| (5..=200).contains(&text.chars().count())));
        assert!(texts.iter().any(|text| text.chars().count() > 150));
        let chinese = texts.iter().filter(|text| !text.contains(' ') && !text.is_ascii()).count();
        assert!((800..1200).contains(&chinese), "{chinese}");
    }
}
