//! The one home of the HTTP client: how we ask, and what its errors mean.
//!
//! Redirects are followed (GitHub hands out signed addresses on another host), the proxy variables of the environment
//! are honoured except for this machine itself, and nothing is sent that says who is asking: no cookies, no passwords.
//! Invariant: everything before the body ends within the stall limit or is ended by [`Client::close`]; name resolution
//! and connecting have their own limit.

use std::io::{self, Read};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ureq::http::{HeaderMap, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Proxy};

use super::answer::{Asked, Head, Version};
use super::{DownloadError, DownloadOptions};

/// A client for one try.
pub(super) struct Client {
    agent: Agent,
    options: DownloadOptions,
}

/// Refuses addresses that we cannot or must not ask for, and returns the host.
pub(super) fn check_address(url: &str) -> Result<String, DownloadError> {
    let refuse = |reason| Err(DownloadError::Address { reason });
    if !["http://", "https://"].iter().any(|scheme| url.to_ascii_lowercase().starts_with(scheme)) {
        return refuse("only http and https are fetched");
    }
    let Ok(uri) = url.parse::<Uri>() else { return refuse("it is not a URL") };
    match uri.authority() {
        Some(authority) if authority.as_str().contains('@') => refuse("it holds a user name or password"),
        Some(authority) if !authority.host().is_empty() => Ok(authority.host().to_owned()),
        _ => refuse("it names no server"),
    }
}

impl Client {
    /// A client that will talk to `host`.
    pub(super) fn new(host: &str, options: &DownloadOptions) -> Self {
        let proxy = if is_loopback(host) { None } else { Proxy::try_from_env() };
        let roots = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .user_agent(concat!("earmark/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .proxy(proxy)
            .tls_config(TlsConfig::builder().root_certs(trusted_roots(roots.as_deref())).build())
            .timeout_resolve(Some(options.connect))
            .timeout_connect(Some(options.connect))
            .max_idle_connections(0)
            .build();
        Self { agent: config.new_agent(), options: *options }
    }

    /// Closes every connection; whoever waits for one gets an error.
    pub(super) fn close(&self) {
        self.agent.clone().shutdown();
    }

    /// Asks, and returns the head of the answer and its body.
    pub(super) fn ask(&self, asked: &Asked<'_>) -> Result<(Head, impl Read + use<>), DownloadError> {
        let mut request = self.agent.get(asked.url);
        if let Some(range) = asked.range() {
            request = request.header(header::RANGE, range);
            if let Some(version) = asked.version.if_range() {
                request = request.header(header::IF_RANGE, version);
            }
        }
        let response = request.call().map_err(|error| self.before_body(asked.url, error))?;
        let head = head(response.status().as_u16(), response.headers());
        Ok((head, response.into_body().into_reader()))
    }

    fn before_body(&self, url: &str, error: ureq::Error) -> DownloadError {
        use ureq::Error;
        let url = url.to_owned();
        match error {
            Error::Timeout(_) => DownloadError::Stalled { url, after: self.options.connect },
            Error::HostNotFound => DownloadError::HostNotFound { url, source: io::ErrorKind::NotFound.into() },
            Error::Io(source) => connection_error(url, source),
            Error::ConnectProxyFailed(reason) => DownloadError::Proxy { url, reason },
            Error::InvalidProxyUrl => DownloadError::Proxy { url, reason: "its address is malformed".to_owned() },
            Error::Tls(reason) => DownloadError::Tls { url, reason: reason.to_owned() },
            Error::Rustls(reason) => DownloadError::Tls { url, reason: reason.to_string() },
            Error::TooManyRedirects => DownloadError::Redirect { url, reason: "too many hops".to_owned() },
            // Our own address was checked, so it was a redirect that led here. Its text stays out of the message.
            Error::BadUri(_) | Error::Http(_) | Error::RedirectFailed => {
                DownloadError::Redirect { url, reason: "the next address is not http or https".to_owned() }
            }
            Error::Protocol(reason) if reason.to_string().contains("location header") => {
                DownloadError::Redirect { url, reason: "the next address is missing or malformed".to_owned() }
            }
            other => DownloadError::Protocol { url, reason: other.to_string() },
        }
    }
}

/// Sorts what the system, or the TLS library through it, says about a connection.
fn connection_error(url: String, source: io::Error) -> DownloadError {
    // The resolver's errors have no kind of their own in the standard library, only these words.
    const LOOKUP: &str = "failed to lookup address information";
    match source.kind() {
        io::ErrorKind::ConnectionRefused => DownloadError::Refused { url, source },
        // rustls reports certificates it cannot trust, and peers that do not speak TLS, as invalid data.
        io::ErrorKind::InvalidData => DownloadError::Tls { url, reason: source.to_string() },
        _ if source.to_string().starts_with(LOOKUP) => DownloadError::HostNotFound { url, source },
        _ => DownloadError::Network { url, source },
    }
}

fn head(status: u16, headers: &HeaderMap) -> Head {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let version = Version { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED) };
    Head {
        status,
        content_length: text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok()),
        content_range: text(header::CONTENT_RANGE),
        content_encoding: text(header::CONTENT_ENCODING),
        retry_after: text(header::RETRY_AFTER),
        chunked: text(header::TRANSFER_ENCODING).is_some_and(|coding| coding.contains("chunked")),
        version,
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The certificates of the bundle that `SSL_CERT_FILE` names, as curl and others take it; else those compiled in.
fn trusted_roots(bundle: Option<&Path>) -> RootCerts {
    let Some(path) = bundle else { return RootCerts::WebPki };
    let certificates: Vec<_> = match std::fs::read(path) {
        Ok(pem) => parse_pem(&pem)
            .filter_map(|item| if let Ok(PemItem::Certificate(one)) = item { Some(one) } else { None })
            .collect(),
        Err(error) => {
            tracing::warn!("{}: {error}; SSL_CERT_FILE is ignored", path.display());
            return RootCerts::WebPki;
        }
    };
    if certificates.is_empty() {
        tracing::warn!("{}: holds no certificate; SSL_CERT_FILE is ignored", path.display());
        return RootCerts::WebPki;
    }
    RootCerts::new_with_certs(&certificates)
}

#[cfg(test)]
mod tests {
    use std::net::ToSocketAddrs;

    use super::*;

    #[test]
    fn only_plain_web_addresses_are_asked_for() {
        for (url, expected) in [
            ("https://github.com/a/b.pt?x=1", Ok("github.com")),
            ("http://127.0.0.1:8080/b.pt", Ok("127.0.0.1")),
            ("http://[::1]/b.pt", Ok("[::1]")),
            ("file:///tmp/b.pt", Err("only http and https are fetched")),
            ("HTTP://host/b.pt", Ok("host")),
            ("http:///b.pt", Err("it is not a URL")),
            ("ftp://host/b.pt", Err("only http and https are fetched")),
            ("/tmp/b.pt", Err("only http and https are fetched")),
            ("https://user:secret@host/b.pt", Err("it holds a user name or password")),
            ("https://host/b c.pt", Err("it is not a URL")),
            ("", Err("only http and https are fetched")),
        ] {
            let got = check_address(url);
            match expected {
                Ok(host) => assert_eq!(got.unwrap(), host, "{url}"),
                Err(reason) => {
                    let message = got.unwrap_err().to_string();
                    assert!(message.contains(reason), "{url}: {message}");
                    assert!(message.contains("http:// or https://"), "{url}: {message}");
                    assert!(!message.contains("secret"), "{message}");
                }
            }
        }
    }

    #[test]
    fn system_errors_are_sorted() {
        fn check(source: io::Error, expected: &str) {
            let error = format!("{:?}", connection_error("u".to_owned(), source));
            assert!(error.starts_with(expected), "{error}");
        }
        check(io::ErrorKind::ConnectionRefused.into(), "Refused");
        check(io::ErrorKind::ConnectionReset.into(), "Network");
        check(io::Error::new(io::ErrorKind::InvalidData, "unknown issuer"), "Tls");
        // A label of more than 63 bytes is refused by the resolver itself, without a question to the network.
        check(format!("{}.invalid:80", "x".repeat(70)).to_socket_addrs().unwrap_err(), "HostNotFound");
    }

    #[test]
    fn this_machine_is_recognised() {
        for (host, expected) in [
            ("localhost", true),
            ("LocalHost", true),
            ("127.0.0.1", true),
            ("[::1]", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host}");
        }
    }

    #[test]
    fn a_useless_certificate_bundle_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.pem");
        std::fs::write(&empty, "no certificate").unwrap();
        for bundle in [None, Some(empty.as_path()), Some(Path::new("missing.pem"))] {
            assert!(matches!(trusted_roots(bundle), RootCerts::WebPki), "{bundle:?}");
        }
    }
}
