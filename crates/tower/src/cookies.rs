//! The values of cookies in a request.

use http::{HeaderMap, header::COOKIE};

/// The values of every cookie of this name, in the order of the request, as they were sent.
pub(crate) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).filter_map(
        move |pair| {
            let pair = pair.trim_ascii();
            let value = pair.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(value)
        },
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, HeaderValue::from_static("a=1; session=x=y;  b=2"));
        headers.append(COOKIE, HeaderValue::from_static("session=second;nothing; =;"));
        let found = |name| values(&headers, name).collect::<Vec<_>>();
        assert_eq!(found("session"), [b"x=y".as_slice(), b"second"]);
        assert_eq!(found("b"), [b"2"]);
        assert!(found("ession").is_empty() && found("nothing").is_empty());
    }
}
