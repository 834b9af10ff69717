//! How the internet is reached: which certificates are trusted, and through which proxy requests
//! go.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use rustls::RootCertStore;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;

use super::proxy::Proxy;
use crate::error::{Error, Remedy, Result};
use crate::input_file;

/// Variables that `rustls-native-certs` reads in place of the operating system's certificates.
const SYSTEM_ROOTS: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];
/// Variables that Python's `requests` reads, in its order. Images for platforms that run Python are
/// given these.
const OTHER_ROOTS: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// How the internet is reached. By default directly, trusting the certificates of the operating
/// system, or those that `SSL_CERT_FILE` or `SSL_CERT_DIR` name instead. The rest of the
/// environment is ignored.
#[derive(Clone, Default)]
pub struct Network {
    /// Certificates that are trusted in addition.
    pub(super) roots: Vec<CertificateDer<'static>>,
    /// Certificates that are trusted instead of the system's.
    pub(super) named: Option<NamedRoots>,
    pub(super) proxy: Option<Proxy>,
    /// Proxies that the environment names, and that are not used.
    pub(super) unused: Option<Proxy>,
    /// Whether the operator said what to trust.
    pub(super) is_trust_set: bool,
    /// A variable that names certificates, and is not used.
    pub(super) unused_roots: Option<&'static str>,
}

/// A variable of the environment that says where trusted certificates are.
#[derive(Clone, Debug)]
pub(super) struct NamedRoots {
    variable: &'static str,
    /// A file, or a folder of files.
    path: PathBuf,
}

impl NamedRoots {
    /// All certificates of the file, or of all files of the folder.
    ///
    /// # Errors
    ///
    /// If there are none.
    pub(super) fn load(&self) -> Result<Vec<CertificateDer<'static>>, RootsProblem> {
        let wrong = |error| RootsProblem { named: self.clone(), error };
        let unreadable = |error: std::io::Error| wrong(Some(error));
        let path = &self.path;
        let files = match path.is_dir() {
            false => vec![path.clone()],
            true => {
                let entries = std::fs::read_dir(path).map_err(unreadable)?;
                entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
            }
        };
        let mut certificates = Vec::new();
        for file in files {
            let pem = input_file::read(&file).map_err(unreadable)?;
            // Bundles contain certificates that no verifier can use. They are skipped, as by other
            // programs.
            certificates.extend(CertificateDer::pem_slice_iter(&pem).flatten());
        }
        if certificates.is_empty() {
            return Err(wrong(None));
        }
        Ok(certificates)
    }
}

/// Why the certificates that the environment names cannot be used.
#[derive(Debug)]
pub(super) struct RootsProblem {
    named: NamedRoots,
    /// Why they cannot be read. `None` if there are none.
    error: Option<std::io::Error>,
}

impl fmt::Display for RootsProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NamedRoots { variable, path } = &self.named;
        write!(f, "{} in the environment variable {variable} ", path.display())?;
        match &self.error {
            Some(error) => write!(f, "cannot be read: {error}"),
            None => f.write_str("holds no certificate in PEM form"),
        }
    }
}

impl Network {
    /// The network as the environment describes it: through the proxies of `HTTPS_PROXY` and
    /// similar variables, trusting the certificates of `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE`
    /// unless `SSL_CERT_FILE` or `SSL_CERT_DIR` name others. For programs whose environment is the
    /// operator's own, as in a container.
    pub fn of_environment() -> Self {
        Self { proxy: Some(Proxy::from_env()), ..Self::by(|name| std::env::var_os(name)) }
    }

    /// The default, but failures point to settings of the environment that are not used.
    pub fn beside_environment() -> Self {
        let network = Self::by(|name| std::env::var_os(name));
        let unused_roots = network.named.map(|named| named.variable);
        let is_trust_set = network.is_trust_set && unused_roots.is_none();
        Self { named: None, unused: Some(Proxy::from_env()), unused_roots, is_trust_set, ..network }
    }

    /// What these variables say of certificates.
    #[cfg(test)]
    pub(super) fn of_variables(variables: &[(&str, &str)]) -> Self {
        Self::by(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into()))
    }

    /// Reads where certificates are. An empty variable counts as not set.
    fn by(read: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &&'static str| Some((*name, read(name).filter(|value| !value.is_empty())?));
        let is_system_set = SYSTEM_ROOTS.iter().find_map(set).is_some();
        let named = OTHER_ROOTS.iter().find_map(set).filter(|_| !is_system_set);
        let named = named.map(|(variable, path)| NamedRoots { variable, path: path.into() });
        Self { is_trust_set: is_system_set || named.is_some(), named, ..Self::default() }
    }

    /// Also trusts the certificates in the file at `path`, in PEM form: the roots of a company, or
    /// the self-signed certificate of one server.
    ///
    /// # Errors
    ///
    /// A config error if it cannot be read, or contains no certificate or an invalid one.
    pub fn trust(mut self, path: &Path) -> Result<Self> {
        let wrong =
            |problem: &str| Error::config(format!("the certificate file {} {problem}", path.display()));
        let pem = input_file::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
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
        self.is_trust_set = true;
        Ok(self)
    }

    /// What may help where a certificate is not trusted. `None` if the operator said what to trust.
    pub(super) fn trust_remedy(&self) -> Option<Remedy> {
        let ignored = self.unused_roots;
        (ignored.is_some() || !self.is_trust_set).then_some(Remedy::TrustCertificates { ignored })
    }

    /// Sends requests through `proxy`, and through no other.
    #[must_use]
    pub fn through(mut self, proxy: Proxy) -> Self {
        self.proxy = Some(proxy);
        self.unused = None;
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

    fn named(variables: &[(&str, &Path)]) -> Network {
        Network::by(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, path)| path.as_os_str().to_owned())
        })
    }

    #[test]
    fn the_environment_names_a_file_or_a_folder_of_certificates() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem()).unwrap();
        std::fs::write(folder.path().join("README"), "no certificate").unwrap();
        std::fs::create_dir(folder.path().join("private")).unwrap();
        let empty = Path::new("");
        for path in [&file, folder.path()] {
            let network =
                named(&[("REQUESTS_CA_BUNDLE", path), ("CURL_CA_BUNDLE", &folder.path().join("none"))]);
            assert_eq!(network.named.unwrap().load().unwrap().len(), 1);
            assert!(network.is_trust_set);
            let network = named(&[("REQUESTS_CA_BUNDLE", empty), ("CURL_CA_BUNDLE", path)]);
            assert_eq!(network.named.unwrap().load().unwrap().len(), 1);
        }
        // OpenSSL's own is the more general one.
        let network = named(&[("REQUESTS_CA_BUNDLE", &file), ("SSL_CERT_FILE", &file)]);
        assert!(network.named.is_none() && network.is_trust_set);
        let network = named(&[("SSL_CERT_FILE", empty), ("REQUESTS_CA_BUNDLE", empty)]);
        assert!(network.named.is_none() && !network.is_trust_set);
    }

    #[test]
    fn certificates_that_are_not_where_the_environment_says_are_told() {
        let missing = named(&[("REQUESTS_CA_BUNDLE", Path::new("/nonexistent/ca.pem"))]).named.unwrap();
        let problem = missing.load().unwrap_err().to_string();
        assert!(
            problem.starts_with(
                "/nonexistent/ca.pem in the environment variable REQUESTS_CA_BUNDLE cannot be read: "
            ),
            "{problem}"
        );
        let folder = tempfile::tempdir().unwrap();
        let empty = named(&[("CURL_CA_BUNDLE", folder.path())]).named.unwrap();
        assert!(
            empty
                .load()
                .unwrap_err()
                .to_string()
                .ends_with("CURL_CA_BUNDLE holds no certificate in PEM form")
        );
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
