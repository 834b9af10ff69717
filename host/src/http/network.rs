//! What is between this machine and the internet: files and wishes of the operator come in, and what the clients need
//! to know of certificates and proxies goes out.

use std::fmt;
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::proxy::Proxy;
use crate::error::{Error, Result};

/// How the internet is reached. By default directly, and by the certificates that the operating system trusts; the
/// environment is ignored.
#[derive(Clone, Default)]
pub struct Network {
    pub(super) roots: Vec<CertificateDer<'static>>,
    pub(super) proxy: Option<Proxy>,
}

impl Network {
    /// Trusts the certificates in the file at `path`, in PEM form, beside those that the operating system trusts: the
    /// roots of a company, or the certificate of one server that signed its own.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read, holds no certificate, or holds what is none.
    pub fn trust(mut self, path: &Path) -> Result<Self> {
        let wrong =
            |problem: &str| Error::config(format!("the certificate file {} {problem}", path.display()));
        let pem = std::fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
        let before = self.roots.len();
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|_| wrong("is not in PEM form"))?;
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| wrong("holds a certificate that cannot be used").with_internal(error))?;
            self.roots.push(certificate);
        }
        if self.roots.len() == before {
            return Err(wrong("holds no certificate in PEM form"));
        }
        Ok(self)
    }

    /// Sends requests through `proxy`.
    #[must_use]
    pub fn through(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("roots", &self.roots.len()).field("proxy", &self.proxy).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn trust(text: &str) -> Result<Network> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        Network::default().trust(file.path())
    }

    fn pem() -> String {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()
    }

    #[test]
    fn a_file_may_hold_several_certificates_and_what_is_none() {
        let network = trust(&format!("# ours\n{}\n# and theirs\n{}", pem(), pem())).unwrap();
        assert_eq!(network.roots.len(), 2);
        assert_eq!(format!("{network:?}"), "Network { roots: 2, proxy: None }");
    }

    #[test]
    fn a_file_without_a_certificate_is_a_config_error() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let cut = &pem()[..100];
        for (text, problem) in [
            ("", "holds no certificate in PEM form"),
            ("garbage", "holds no certificate in PEM form"),
            (broken, "holds a certificate that cannot be used"),
            (cut, "is not in PEM form"),
        ] {
            let error = trust(text).unwrap_err();
            assert_eq!(error.failure_type(), crate::FailureType::Config);
            assert!(error.message().starts_with("the certificate file /"), "{error}");
            assert!(error.message().ends_with(problem), "{error}");
        }
        let error = Network::default().trust(Path::new("/nonexistent/ca.pem")).unwrap_err();
        assert!(
            error.message().starts_with("the certificate file /nonexistent/ca.pem cannot be read: "),
            "{error}"
        );
    }
}
