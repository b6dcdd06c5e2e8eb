//! The request of an `http` step: what is sent where, and which answers are good. How it is sent is not known here.

use std::fmt;

use serde::{Deserialize, Serialize};
use ureq::http::uri::InvalidUri;
use ureq::http::{HeaderName, HeaderValue, Uri};

use super::json::Json;
use super::step::{Form, Planned};
use super::text::Text;
use crate::diagnostic::Span;

/// One request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) struct Http<F: Form> {
    pub(crate) method: Method,
    pub(crate) url: F::Text,
    pub(crate) headers: Vec<(String, F::Text)>,
    pub(crate) body: Body<F>,
    /// The statuses that are good; empty: every 2xx.
    pub(crate) expect: Vec<u16>,
    pub(crate) at: Span,
}

/// What is asked of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
    Head,
}

/// What a request carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[serde(bound(serialize = "F::Text: Serialize", deserialize = "F::Text: Deserialize<'de>"))]
pub(crate) enum Body<F: Form> {
    None,
    Json(Json<F>),
    Text(F::Text),
}

impl<F: Form> Http<F> {
    /// Whether this status is what was asked for.
    pub(crate) fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() { (200..=299).contains(&status) } else { self.expect.contains(&status) }
    }

    /// The good statuses, as they stand in a sentence.
    pub(crate) fn expected(&self) -> String {
        let statuses: Vec<String> = self.expect.iter().map(u16::to_string).collect();
        if statuses.is_empty() { "2xx".to_owned() } else { statuses.join(" or ") }
    }
}

impl Http<Planned> {
    /// Every text of it that may hold a secret.
    pub(crate) fn texts(&self) -> Vec<&Text> {
        let body = match &self.body {
            Body::None => Vec::new(),
            Body::Json(json) => json.texts(),
            Body::Text(text) => vec![text],
        };
        [&self.url].into_iter().chain(self.headers.iter().map(|(_, value)| value)).chain(body).collect()
    }

    /// The address as it is shown: no secret, and no user info, which may hold a password.
    pub(crate) fn address(&self) -> String {
        without_user(&self.url.to_string())
    }
}

impl Method {
    /// As the protocol says it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            Method::Head => "HEAD",
        }
    }

    /// Whether it changes nothing, and so carries nothing.
    pub(crate) fn only_looks(self) -> bool {
        match self {
            Method::Get | Method::Head => true,
            Method::Post | Method::Put | Method::Patch | Method::Delete => false,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an address is that can be asked.
pub(crate) const ADDRESS: &str = "give an address that starts with http:// or https://";

/// The address taken apart: http or https, with a host.
///
/// # Errors
/// Why it is none.
pub(crate) fn address(url: &str) -> Result<Uri, String> {
    let uri: Uri = url.parse().map_err(|error: InvalidUri| error.to_string())?;
    match (uri.scheme_str(), uri.host()) {
        (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(uri),
        _ => Err("it is no http address".to_owned()),
    }
}

/// Why no request can be sent to this address, if so: the reason, and the mend.
pub(crate) fn fault_of_address(url: &str) -> Option<(String, &'static str)> {
    match address(url) {
        Ok(uri) if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) => Some((
            "a name or a password in an address is not sent".to_owned(),
            "send them as a header: headers = { Authorization = \"…\" }",
        )),
        Ok(_) => None,
        Err(reason) => Some((reason, ADDRESS)),
    }
}

/// Why a header can't be called so, if it can't.
pub(crate) fn fault_of_header(name: &str) -> Option<&'static str> {
    /// They say where the body ends, and which connection it is: who sends it knows.
    const OURS: [&str; 4] = ["content-length", "transfer-encoding", "connection", "expect"];
    if OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Some("deploy sets it itself");
    }
    (!is_header_name(name)).then_some("letters, digits and `-`")
}

/// Whether a header can be called so.
pub(crate) fn is_header_name(name: &str) -> bool {
    HeaderName::from_bytes(name.as_bytes()).is_ok()
}

/// Whether a header may hold this text: one line.
pub(crate) fn is_header_value(text: &str) -> bool {
    HeaderValue::from_bytes(text.as_bytes()).is_ok()
}

/// An address as it is shown: what stands before the host may be a password.
pub(super) fn without_user(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let host_end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..host_end].rfind('@') {
        Some(user_end) => format!("{scheme}://…{}", &rest[user_end..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_user() {
        for (url, shown) in [
            ("https://bob:pw@host/a@b?c=@", "https://…@host/a@b?c=@"),
            ("https://host/hook?to=a@b", "https://host/hook?to=a@b"),
            ("https://a:b@c@host", "https://…@host"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_user(url), shown);
        }
    }

    #[test]
    fn only_http_addresses_without_a_user_can_be_asked() {
        for good in ["http://host", "https://host:8443/a?b=c", "http://[::1]:80/"] {
            assert_eq!(fault_of_address(good), None, "{good}");
        }
        for bad in ["", "host", "/path", "ftp://host/", "http://", "https://a b/", "https://u:p@host/"] {
            assert!(fault_of_address(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn a_header_is_one_line_under_a_plain_name() {
        assert!(fault_of_header("X-Token").is_none() && is_header_value("Bearer ä\t1"));
        assert!(
            ["", "a b", "a:b", "a\r\nb", "Content-LENGTH"].iter().all(|name| fault_of_header(name).is_some())
        );
        assert!(!is_header_value("a\r\nX-Other: b") && !is_header_value("a\0"));
    }
}
