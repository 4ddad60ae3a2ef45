import COpenSSL
import Testing

@testable import DTLS

/// A peer that is OpenSSL altogether, its record layer and its handling of alerts included.
final class LibraryPeer {
    enum Certificate { case p256, p384, p521, brainpool, rsa, ed25519, none }

    struct Options {
        var role = DTLSRole.client
        var certificate = Certificate.p256
        var ciphers = "ALL"
        var groups: [Int32] = [NID_X25519, NID_X9_62_prime256v1]
        var version = DTLS1_2_VERSION
        var srtpProfiles: String? = "SRTP_AES128_CM_SHA1_80"
        var mtu = 1_200
    }

    private let exchange = DatagramExchange()
    private let method: Handle
    private let ssl: OpaquePointer
    private(set) var fingerprint: [UInt8] = []
    private(set) var received: [[UInt8]] = []
    private(set) var isClosed = false
    var alert: UInt8? { exchange.received }

    init(_ options: Options) throws {
        let started = COpenSSL_init()
        #expect(started == 1)
        method = try makeDatagramBIOMethod()
        let context = try Handle(
            SSL_CTX_new(options.role == .client ? DTLS_client_method() : DTLS_server_method()), SSL_CTX_free, "CTX")
        let version = COpenSSL_CTX_set_version(context.pointer, options.version)
        #expect(version == 1)
        // Nothing is too weak for a peer that tests.
        SSL_CTX_set_security_level(context.pointer, 0)
        let ciphers = SSL_CTX_set_cipher_list(context.pointer, options.ciphers)
        #expect(ciphers == 1)
        let groups = COpenSSL_CTX_set1_groups(context.pointer, options.groups, Int32(options.groups.count))
        #expect(groups == 1)
        if let profiles = options.srtpProfiles {
            let result = SSL_CTX_set_tlsext_use_srtp(context.pointer, profiles)
            #expect(result == 0)
        }
        SSL_CTX_set_verify(context.pointer, SSL_VERIFY_PEER, { _, _ in 1 })
        SSL_CTX_set_info_callback(context.pointer, noteAlert)
        if let key = try Self.key(options.certificate) {
            let certificate = try Handle(X509_new(), X509_free, "X509")
            X509_set_version(certificate.pointer, 2)
            X509_gmtime_adj(X509_getm_notBefore(certificate.pointer), 0)
            X509_gmtime_adj(X509_getm_notAfter(certificate.pointer), 86_400)
            X509_set_pubkey(certificate.pointer, key.pointer)
            let signed = X509_sign(
                certificate.pointer, key.pointer, options.certificate == .ed25519 ? nil : EVP_sha256())
            #expect(signed > 0)
            fingerprint = try sha256(ofCertificate: certificate.pointer)
            SSL_CTX_use_certificate(context.pointer, certificate.pointer)
            SSL_CTX_use_PrivateKey(context.pointer, key.pointer)
        }
        ssl = try #require(SSL_new(context.pointer))
        let bio = try exchange.makeBIO(method.pointer)
        BIO_up_ref(bio.pointer)
        SSL_set_bio(ssl, bio.pointer, bio.pointer)
        SSL_set_options(ssl, 1 << 12)  // SSL_OP_NO_QUERY_MTU
        _ = COpenSSL_set_mtu(ssl, options.mtu)
        if options.role == .client { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
    }

    deinit { SSL_free(ssl) }

    private static func key(_ kind: Certificate) throws -> Handle? {
        switch kind {
        case .none: nil
        case .p256: try Handle(COpenSSL_generate_ec("P-256"), EVP_PKEY_free, "key")
        case .p384: try Handle(COpenSSL_generate_ec("P-384"), EVP_PKEY_free, "key")
        case .p521: try Handle(COpenSSL_generate_ec("P-521"), EVP_PKEY_free, "key")
        case .brainpool: try Handle(COpenSSL_generate_ec("brainpoolP256r1"), EVP_PKEY_free, "key")
        case .rsa: try Handle(COpenSSL_generate_rsa(2_048), EVP_PKEY_free, "key")
        case .ed25519: try Handle(COpenSSL_generate_ed25519(), EVP_PKEY_free, "key")
        }
    }

    var isConnected: Bool { SSL_is_init_finished(ssl) == 1 }

    func start() { SSL_do_handshake(ssl) }

    func send(_ bytes: [UInt8]) {
        let written = SSL_write(ssl, bytes, Int32(bytes.count))
        #expect(Int(written) == bytes.count)
    }

    func close() { SSL_shutdown(ssl) }

    /// Asks for a second handshake.
    func renegotiate() {
        SSL_renegotiate(ssl)
        SSL_do_handshake(ssl)
    }

    func receive(_ datagram: [UInt8]) {
        ERR_clear_error()
        var buffer = [UInt8](repeating: 0, count: 17_000)
        datagram.withUnsafeBytes { bytes in
            exchange.incoming = bytes
            while true {
                let count = SSL_read(ssl, &buffer, Int32(buffer.count))
                guard count > 0 else {
                    if SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN { isClosed = true }
                    break
                }
                received.append(Array(buffer.prefix(Int(count))))
            }
            exchange.incoming = nil
        }
        ERR_clear_error()
    }

    func takeDatagrams() -> [[UInt8]] {
        defer { exchange.outgoing = [] }
        return exchange.outgoing
    }
}
