//! Certificates and addresses, against a TLS server of the test's own.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server whose certificate is for that name; its port, and the roots that vouch for it.
async fn server(name: &str) -> (u16, RootCertStore) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            if let Ok(mut tls) = acceptor.accept(tcp).await {
                let mut asked = [0; 1024];
                let _ = tls.read(&mut asked).await;
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";
                let _ = tls.write_all(answer).await;
                let _ = tls.shutdown().await;
            }
        }
    });
    (port, roots)
}

async fn post(sender: &Sender, url: &str) -> Result<Response, SendError> {
    sender.post(url, HeaderMap::new(), "{}".to_owned()).await
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_for_the_name() {
    let (port, roots) = server("localhost").await;
    let good = format!("https://localhost:{port}/");
    let trusting = Sender::new(true, roots.clone()).unwrap();
    let answered = post(&trusting, &good).await.unwrap();
    assert_eq!((answered.status, answered.body.as_str()), (200, "hi"));

    let stranger = Sender::of_the_web(true).unwrap();
    let refused = post(&stranger, &good).await.unwrap_err();
    assert!(matches!(refused, SendError::Tls(_)), "{refused}");

    let other_name = format!("https://127.0.0.1:{port}/");
    let refused = post(&trusting, &other_name).await.unwrap_err();
    assert!(matches!(refused, SendError::Tls(_)), "{refused}");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_connected() {
    let (port, roots) = server("localhost").await;
    let sender = Sender::new(false, roots).unwrap();
    // As an address it is fine; what it means shows when it is resolved.
    for host in ["localhost", "2130706433", "0x7f.1"] {
        let url = format!("https://{host}:{port}/");
        assert!(sender.target(&url).is_ok(), "{url}");
        let refused = post(&sender, &url).await.unwrap_err();
        assert!(
            matches!(refused, SendError::Refused | SendError::Name),
            "{url}: {refused}"
        );
    }
    let refused = post(&sender, &format!("https://localhost:{port}/")).await;
    assert!(matches!(refused, Err(SendError::Refused)));
}

#[tokio::test]
async fn one_inner_address_among_public_ones_refuses_all() {
    let sender = Sender::of_the_web(false).unwrap();
    let mixed = ["8.8.8.8:443", "10.0.0.1:443"].map(|text| text.parse().unwrap());
    assert!(matches!(
        sender.reach(&mixed).await,
        Err(SendError::Refused)
    ));
}

#[test]
fn only_plain_https_addresses_are_saved() {
    let sender = Sender::of_the_web(false).unwrap();
    for url in [
        "https://hooks.example.org/a?b=c",
        "https://hooks.example.org:8443",
        "https://[2606:4700::1111]/",
    ] {
        assert!(sender.target(url).is_ok(), "{url}");
    }
    for url in [
        "http://hooks.example.org/",
        "ftp://hooks.example.org/",
        "https:///path",
        "/path",
        "hooks.example.org",
        "https://user:word@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://hooks.example.org:0/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "https://hooks.example.org/a b",
        "",
    ] {
        assert!(sender.target(url).is_err(), "{url}");
    }
    assert!(
        Sender::of_the_web(true)
            .unwrap()
            .target("http://127.0.0.1:9/")
            .is_ok()
    );
}
