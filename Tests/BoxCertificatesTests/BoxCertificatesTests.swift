// BoxCertificates
