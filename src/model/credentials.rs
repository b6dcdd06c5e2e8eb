//! Passwords and tokens that stand in URLs: what is shown is shown without them.

/// The text with the user info of each URL in it replaced: a password may stand there.
pub(crate) fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let host_end =
            after.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(after.len());
        rest = after;
        if let Some(user_end) = after[..host_end].rfind('@') {
            // A bare user name, as in ssh://git@host, is not a secret.
            if after[..user_end].contains(':') || before.ends_with("http://") || before.ends_with("https://")
            {
                shown.push('…');
            } else {
                shown.push_str(&after[..user_end]);
            }
            rest = &after[user_end..];
        }
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_urls_are_not_shown() {
        for (text, shown) in [
            ("https://bob:pw@host/x.git and https://t0ken@h", "https://…@host/x.git and https://…@h"),
            ("ssh://git@host:22/x", "ssh://git@host:22/x"),
            ("ssh://git:pw@host/x@y", "ssh://…@host/x@y"),
            ("access to 'https://a:b@c@host/' denied", "access to 'https://…@host/' denied"),
            ("git@host:x.git https://host/a@b", "git@host:x.git https://host/a@b"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
