//! How an object store is asked: by the HTTP client that all of deploy uses, with the system's certificates and the
//! caller's proxies. Its calls block the one thread that they are made on.

use std::io::Read;
use std::time::Duration;

use futures_util::stream;

use opendal::{Buffer, Error, ErrorKind, HttpBody, HttpTransport, Result};
use ureq::Agent;
use ureq::http::header::CONTENT_LENGTH;
use ureq::http::{Method, Request, Response};
use ureq::tls::{RootCerts, TlsConfig};

/// How long an answer's head may take, and how long a connection.
const ANSWER: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(5);

/// How long a body may take in all, either way: a part of an object.
const BODY: Duration = Duration::from_mins(5);

/// How much of a body is read at once.
const PIECE: usize = 256 * 1024;

pub(super) struct Transport {
    agent: Agent,
}

impl Default for Transport {
    fn default() -> Transport {
        let config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build())
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT))
            .timeout_send_body(Some(BODY))
            .timeout_recv_response(Some(ANSWER))
            .timeout_recv_body(Some(BODY))
            .user_agent(concat!("deploy/", env!("CARGO_PKG_VERSION")));
        Transport { agent: config.build().into() }
    }
}

impl HttpTransport for Transport {
    async fn fetch(&self, request: Request<Buffer>) -> Result<Response<HttpBody>> {
        let (head, body) = request.into_parts();
        let is_head = head.method == Method::HEAD;
        let answer = if body.is_empty() && [Method::GET, Method::HEAD, Method::DELETE].contains(&head.method)
        {
            self.agent.run(Request::from_parts(head, ()))
        } else {
            self.agent.run(Request::from_parts(head, body.to_vec().as_slice()))
        };
        let (head, body) = answer.map_err(|error| failed("can't be asked", error))?.into_parts();
        let length = head.headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
        let mut reader = body.into_reader();
        let pieces = std::iter::from_fn(move || {
            let mut piece = Vec::new();
            match (&mut reader).take(PIECE as u64).read_to_end(&mut piece) {
                Ok(0) => None,
                Ok(_) => Some(Ok(Buffer::from(piece))),
                Err(error) => Some(Err(failed("can't be read", error))),
            }
        });
        Ok(Response::from_parts(head, HttpBody::new(stream::iter(pieces), length.filter(|_| !is_head))))
    }
}

fn failed(what: &str, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(ErrorKind::Unexpected, format!("it {what}")).set_source(error)
}
