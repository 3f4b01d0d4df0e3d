//! TLS to the database, with libpq's meaning of `sslmode`, over rustls for both drivers.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio_postgres::config::SslMode;

/// | mode | encrypted | certificate |
/// |---|---|---|
/// | disable | no | |
/// | prefer (default) | when the server can | not checked |
/// | require | yes | not checked; its chain is when `sslrootcert` is given |
/// | verify-ca | yes | its chain, to `sslrootcert` or else the web's authorities |
/// | verify-full | yes | its chain and the host's name |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    mode: Mode,
    root_certificate: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("its sslmode={0} is none of disable, prefer, require, verify-ca, verify-full")]
    Mode(String),
    #[error("the certificates of sslrootcert={} cannot be read: {reason}", path.display())]
    RootCertificate { path: PathBuf, reason: String },
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl Tls {
    pub fn disabled() -> Self {
        Self {
            mode: Mode::Disable,
            root_certificate: None,
        }
    }

    pub fn preferred() -> Self {
        Self {
            mode: Mode::Prefer,
            root_certificate: None,
        }
    }

    pub fn set_mode(&mut self, text: &str) -> Result<(), TlsError> {
        self.mode = match text {
            "disable" => Mode::Disable,
            "allow" | "prefer" => Mode::Prefer,
            "require" => Mode::Require,
            "verify-ca" => Mode::VerifyCa,
            "verify-full" => Mode::VerifyFull,
            _ => return Err(TlsError::Mode(text.to_owned())),
        };
        Ok(())
    }

    pub fn set_root_certificate(&mut self, path: PathBuf) {
        self.root_certificate = Some(path);
    }

    fn effective(&self) -> Mode {
        match self.mode {
            Mode::Require if self.root_certificate.is_some() => Mode::VerifyCa,
            mode => mode,
        }
    }

    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mode = match self.mode {
            Mode::Prefer => None,
            Mode::Disable => Some("disable"),
            Mode::Require => Some("require"),
            Mode::VerifyCa => Some("verify-ca"),
            Mode::VerifyFull => Some("verify-full"),
        };
        let mode = mode.map(|mode| ("sslmode", mode.to_owned()));
        let root = self.root_certificate.as_ref();
        let root = root.map(|path| ("sslrootcert", path.to_string_lossy().into_owned()));
        mode.into_iter().chain(root).collect()
    }

    pub fn tokio_mode(&self) -> SslMode {
        match self.mode {
            Mode::Disable => SslMode::Disable,
            Mode::Prefer => SslMode::Prefer,
            Mode::Require | Mode::VerifyCa | Mode::VerifyFull => SslMode::Require,
        }
    }

    pub fn on_sqlx(&self, options: PgConnectOptions) -> PgConnectOptions {
        let options = options.ssl_mode(match self.effective() {
            Mode::Disable => PgSslMode::Disable,
            Mode::Prefer => PgSslMode::Prefer,
            Mode::Require => PgSslMode::Require,
            Mode::VerifyCa => PgSslMode::VerifyCa,
            Mode::VerifyFull => PgSslMode::VerifyFull,
        });
        match &self.root_certificate {
            Some(path) => options.ssl_root_cert(path),
            None => options,
        }
    }

    pub fn client_config(&self) -> Result<ClientConfig, TlsError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?;
        let web = match self.effective() {
            Mode::Disable | Mode::Prefer | Mode::Require => None,
            Mode::VerifyCa | Mode::VerifyFull => Some(self.verifier(&provider)?),
        };
        let verifier = Arc::new(Verifier {
            web,
            names: self.mode == Mode::VerifyFull,
            provider,
        });
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth())
    }

    fn verifier(
        &self,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Arc<WebPkiServerVerifier>, TlsError> {
        let mut roots = RootCertStore::empty();
        match &self.root_certificate {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let failed = |reason: String| TlsError::RootCertificate {
                    path: path.clone(),
                    reason,
                };
                let certificates = CertificateDer::pem_file_iter(path)
                    .map_err(|error| failed(error.to_string()))?;
                for certificate in certificates {
                    let certificate = certificate.map_err(|error| failed(error.to_string()))?;
                    roots
                        .add(certificate)
                        .map_err(|error| failed(error.to_string()))?;
                }
                if roots.is_empty() {
                    return Err(failed("it holds none".to_owned()));
                }
            }
        }
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| TlsError::Setup(error.to_string()))
    }
}

#[derive(Debug)]
struct Verifier {
    /// `None`: any certificate will do, which keeps out listeners but not impostors.
    web: Option<Arc<WebPkiServerVerifier>>,
    names: bool,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(web) = &self.web else {
            return Ok(ServerCertVerified::assertion());
        };
        let verdict =
            web.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verdict {
            // The chain is checked before the name, so this error says that the chain is good.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.names => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
