import COpenSSL
import Glibc

/// A session of OpenSSL's and what it reads from and writes to, freed with this value: it before the context it uses.
struct LibrarySession: ~Copyable {
    let pointer: OpaquePointer
    let exchange: DatagramExchange
    private let library: LibraryContext

    init(_ library: LibraryContext, role: DTLSRole, mtu: Int) throws(DTLSError) {
        let exchange = DatagramExchange()
        let bio = try exchange.makeBIO(library.bioMethod.pointer)
        guard let pointer = SSL_new(library.context.pointer) else {
            ERR_clear_error()
            throw .libraryFailed("SSL_new")
        }
        self.pointer = pointer
        self.exchange = exchange
        self.library = library
        // The session takes over one reference, for both directions; the other one goes with this scope.
        BIO_up_ref(bio.pointer)
        SSL_set_bio(pointer, bio.pointer, bio.pointer)
        _ = COpenSSL_set_mtu(pointer, mtu)
        // In microseconds: 71 minutes. Should the wall clock jump so far during a handshake, OpenSSL sends its flight once
        // more than needed.
        DTLS_set_timer_cb(pointer) { _, _ in .max }
        switch role {
        case .client: SSL_set_connect_state(pointer)
        case .server: SSL_set_accept_state(pointer)
        }
    }

    deinit { SSL_free(pointer) }

    /// Whether the peer's ChangeCipherSpec has come in its place, so that its Finished can be read.
    ///
    /// Asked by the state's documented name, the same for both roles, because its number is not the same in all versions of
    /// the library that an executable may meet.
    var hasPeerKeys: Bool { strcmp(SSL_state_string(pointer), "TRCCS") == 0 }

    /// The suite's number, or 0 before there is one.
    var suiteNumber: UInt16 { SSL_get_current_cipher(pointer).map { SSL_CIPHER_get_protocol_id($0) } ?? 0 }

    /// The SRTP profile agreed on.
    var srtpProfile: SRTPProfile? {
        guard let profile = SSL_get_selected_srtp_profile(pointer) else { return nil }
        return SRTPProfile(rawValue: UInt16(truncatingIfNeeded: profile.pointee.id))
    }
}
