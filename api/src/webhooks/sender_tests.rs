//! Certificates and addresses, against a TLS server of the test's own.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

use super::*;

/// A server whose certificate is for that name; its port, and the roots that vouch for it.
async fn server(name: &str) -> (u16, RootCertStore) {
    server_until(name, 4096).await
}

/// The same, whose certificate is valid until that year.
async fn server_until(name: &str, year: i32) -> (u16, RootCertStore) {
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let signing_key = KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
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
async fn a_certificate_that_has_run_out_is_refused() {
    let (port, roots) = server_until("localhost", 2020).await;
    let sender = Sender::new(true, roots).unwrap();
    let refused = post(&sender, &format!("https://localhost:{port}/")).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("expired"), "{refused}");
}

/// A sender for whom names mean these addresses, one list after another, and how often it has asked.
fn resolving(mut sender: Sender, answers: &[&[&str]]) -> (Sender, Arc<AtomicUsize>) {
    let answers = answers
        .iter()
        .map(|list| list.iter().map(|text| text.parse().unwrap()));
    let answers: Vec<Vec<IpAddr>> = answers.map(Iterator::collect).collect();
    let (answers, asked) = (Mutex::new(answers), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    sender.resolve = Box::new(move |_, port| {
        count.fetch_add(1, Ordering::Relaxed);
        let next = answers.lock().unwrap().remove(0);
        let found = next.into_iter().map(|ip| SocketAddr::new(ip, port));
        let found = found.collect();
        Box::pin(async move { Ok(found) })
    });
    (sender, asked)
}

#[tokio::test]
async fn a_name_that_means_something_else_a_moment_later_leads_nowhere() {
    let (port, roots) = server("rebinds.example").await;
    let sender = Sender::new(true, roots).unwrap();
    // This machine stands for a public host: the switch for development lets it through, and nothing else inside.
    let (sender, asked) = resolving(
        sender,
        &[
            &["127.0.0.1"],
            &["169.254.169.254"],
            &["127.0.0.1", "10.0.0.1"],
            &["::ffff:192.168.0.1"],
            &["127.0.0.1"],
        ],
    );
    let url = format!("https://rebinds.example:{port}/");
    // Asked once for each request: what was judged is what is connected to.
    for (times, passes) in [(1, true), (2, false), (3, false), (4, false), (5, true)] {
        let sent = post(&sender, &url).await;
        match passes {
            true => assert_eq!(sent.unwrap().status, 200),
            false => assert!(matches!(sent, Err(SendError::Refused)), "{sent:?}"),
        }
        assert_eq!(asked.load(Ordering::Relaxed), times);
    }
}

#[tokio::test]
async fn no_name_leads_to_an_inner_address_of_any_kind() {
    const INNER: [&[&str]; 14] = [
        &["10.1.2.3"],
        &["172.16.0.1"],
        &["192.168.1.1"],
        &["100.64.0.1"],
        &["127.0.0.1"],
        &["127.8.8.8"],
        &["0.0.0.0"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["::1"],
        &["fe80::1"],
        &["::ffff:127.0.0.1"],
        &["::ffff:169.254.169.254"],
        &["64:ff9b::a9fe:a9fe"],
    ];
    let (sender, asked) = resolving(Sender::of_the_web(false).unwrap(), &INNER);
    for addresses in INNER {
        let sent = post(&sender, "https://inner.example/").await;
        assert!(
            matches!(sent, Err(SendError::Refused)),
            "{addresses:?}: {sent:?}"
        );
    }
    assert_eq!(asked.load(Ordering::Relaxed), INNER.len());
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
