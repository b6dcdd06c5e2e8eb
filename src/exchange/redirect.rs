//! Where an answer leads to, and what of a request goes there: headers and bodies may hold tokens, so they stay with
//! the host that they were meant for; and what was to be sent is sent, or it is an error.

use ureq::http::{Method, Request, Uri};

use crate::model::credentials::without_credentials;
use crate::model::http::address;

/// More redirects than this lead nowhere.
pub(crate) const MOST_REDIRECTS: usize = 5;

/// The request after this redirect.
///
/// # Errors
/// Why it is not followed, and the mend.
pub(crate) fn follow(
    request: &Request<Option<Vec<u8>>>,
    status: u16,
    location: &str,
) -> Result<Request<Option<Vec<u8>>>, String> {
    let shown = without_credentials(location);
    let uri = resolved(request.uri(), location)
        .ok_or_else(|| format!("it leads to `{shown}`, which is no http address"))?;
    if request.uri().scheme_str() == Some("https") && uri.scheme_str() == Some("http") {
        return Err(format!("it leads from https to {shown}, where nobody can tell who answers"));
    }
    let only_looks = [Method::GET, Method::HEAD].contains(request.method());
    let is_same_host = origin(&uri) == origin(request.uri());
    let mut next = match status {
        301 | 302 | 307 | 308 if only_looks => request.clone(),
        307 | 308 if is_same_host => request.clone(),
        // It was taken, and the answer to it stands elsewhere.
        303 => {
            let mut next = request.clone();
            if !only_looks {
                *next.method_mut() = Method::GET;
            }
            *next.body_mut() = None;
            next.headers_mut().remove("content-type");
            next
        }
        _ => {
            return Err(format!(
                "it leads to {shown}, and a {} is not sent on: give that address, if it is the right one",
                request.method()
            ));
        }
    };
    if !is_same_host {
        next.headers_mut().clear();
    }
    let mut parts = uri.into_parts();
    if is_same_host {
        // A name and a password in it still count.
        parts.authority = request.uri().authority().cloned();
    }
    *next.uri_mut() = Uri::from_parts(parts).expect("the parts of an address, one of another with it");
    Ok(next)
}

/// The address that `location` means, seen from `from`.
fn resolved(from: &Uri, location: &str) -> Option<Uri> {
    let (scheme, authority) = (from.scheme_str()?, from.authority()?);
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else if location.starts_with('?') {
        format!("{scheme}://{authority}{}{location}", from.path())
    } else {
        format!("{scheme}://{authority}{folder}/{location}")
    };
    address(&whole).ok()
}

/// Two addresses with the same one are the same server.
fn origin(uri: &Uri) -> (Option<String>, Option<String>, Option<u16>) {
    let scheme = uri.scheme_str();
    let port = uri.port_u16().or(scheme.and_then(|scheme| match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }));
    (scheme.map(str::to_ascii_lowercase), uri.host().map(str::to_ascii_lowercase), port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method) -> Request<Option<Vec<u8>>> {
        let builder = Request::builder().method(method).uri("https://host/a/b?c").header("X-Token", "t");
        builder.body(Some(b"body".to_vec())).unwrap()
    }

    #[test]
    fn places_are_meant_from_where_they_were_said() {
        let from: Uri = "https://host:8443/a/b?c".parse().unwrap();
        for (location, meant) in [
            ("http://other/x", "http://other/x"),
            ("//other/x", "https://other/x"),
            ("/x?y", "https://host:8443/x?y"),
            ("x", "https://host:8443/a/x"),
            ("?d", "https://host:8443/a/b?d"),
            ("/x#part", "https://host:8443/x"),
        ] {
            assert_eq!(resolved(&from, location).unwrap().to_string(), meant);
        }
        assert_eq!(resolved(&from, "ftp://other/"), None);
    }

    #[test]
    fn nothing_that_it_carries_goes_to_another_host() {
        for to in ["https://other/", "http://host/", "https://host:444/", "//other/"] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                for status in [301, 302, 303, 307, 308] {
                    if let Ok(next) = follow(&request(method.clone()), status, to) {
                        assert!(next.headers().is_empty(), "{method} {status} {to}");
                        assert!(next.body().is_none() || method == Method::GET, "{method} {status} {to}");
                    }
                }
            }
        }
        let same = follow(&request(Method::POST), 307, "https://HOST:443/x").unwrap();
        assert_eq!((same.method(), same.headers().len()), (&Method::POST, 1));
        assert_eq!(same.body().as_deref(), Some(&b"body"[..]));
    }

    #[test]
    fn nothing_leads_from_https_to_http() {
        let why = follow(&request(Method::GET), 302, "http://host/a").unwrap_err();
        assert_eq!(why, "it leads from https to http://host/a, where nobody can tell who answers");
        let plain = Request::get("http://host/").body(None).unwrap();
        assert!(follow(&plain, 302, "https://host/").is_ok());
    }

    #[test]
    fn a_name_and_a_password_stay_with_their_host() {
        let asked = Request::get("https://bob:pw@host/a").body(None).unwrap();
        for (to, next) in [
            ("/x", "https://bob:pw@host/x"),
            ("https://host/x", "https://bob:pw@host/x"),
            ("https://other/x", "https://other/x"),
            ("https://host:444/x", "https://host:444/x"),
        ] {
            assert_eq!(follow(&asked, 302, to).unwrap().uri().to_string(), next);
        }
    }

    #[test]
    fn what_was_to_be_sent_never_becomes_a_look_by_itself() {
        for status in [301, 302] {
            let why = follow(&request(Method::POST), status, "/x").unwrap_err();
            assert_eq!(
                why,
                "it leads to /x, and a POST is not sent on: give that address, if it is the right one"
            );
        }
        let seen = follow(&request(Method::POST), 303, "/x").unwrap();
        assert_eq!((seen.method(), seen.body()), (&Method::GET, &None));
    }
}
