//! Certificates made for a test: a CA, and what it signs.
#![allow(dead_code, reason = "each test binary uses its part")]

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

pub struct Pki {
    pub ca: String,
    issuer: Issuer<'static, KeyPair>,
}

/// PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

impl Pki {
    pub fn new() -> Pki {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new([]).expect("a CA");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "A CA of this test");
        let ca = params.self_signed(&key).expect("a CA").pem();
        Pki { ca, issuer: Issuer::new(params, key) }
    }

    /// For these host names and addresses, until 2090.
    pub fn issue(&self, names: &[&str]) -> Issued {
        self.issue_between(names, (2020, 2090))
    }

    /// From the first of January to the first of January.
    pub fn issue_between(&self, names: &[&str], (from, until): (i32, i32)) -> Issued {
        let key = KeyPair::generate().expect("a key");
        let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut params = CertificateParams::new(names).expect("names a certificate can hold");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Issued { certificate, key: key.serialize_pem() }
    }
}
