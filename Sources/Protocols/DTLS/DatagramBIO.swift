import COpenSSL

/// What passes between OpenSSL and a handshake: whole datagrams, which OpenSSL's own BIO in memory does not keep apart.
final class DatagramExchange {
    /// What OpenSSL reads next; nil when it has been read.
    var incoming: UnsafeRawBufferPointer?
    /// The datagrams that OpenSSL wrote and nobody has taken yet.
    var outgoing: [[UInt8]] = []
    /// The last fatal alert that the peer sent, and that OpenSSL sent.
    var received: UInt8?
    var sent: UInt8?

    /// Makes a BIO whose reads and writes come here. The exchange must live longer than it.
    func makeBIO(_ method: OpaquePointer) throws(DTLSError) -> Handle {
        let bio = try Handle(BIO_new(method), { BIO_free($0) }, "BIO_new")
        BIO_set_data(bio.pointer, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(bio.pointer, 1)
        return bio
    }

    fileprivate static func of(_ bio: OpaquePointer?) -> DatagramExchange? {
        guard let data = BIO_get_data(bio) else { return nil }
        return Unmanaged<DatagramExchange>.fromOpaque(data).takeUnretainedValue()
    }
}

/// Makes the kind of BIO that ``DatagramExchange`` uses.
func makeDatagramBIOMethod() throws(DTLSError) -> Handle {
    let method = try Handle(
        BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "datagrams"), BIO_meth_free, "BIO_meth_new")
    BIO_meth_set_write(method.pointer) { bio, bytes, count in
        guard let exchange = DatagramExchange.of(bio), let bytes, count > 0 else { return -1 }
        COpenSSL_BIO_clear_retry_flags(bio)
        exchange.outgoing.append(Array(UnsafeRawBufferPointer(start: bytes, count: Int(count))))
        return count
    }
    BIO_meth_set_read(method.pointer) { bio, buffer, capacity in
        guard let exchange = DatagramExchange.of(bio), let buffer, capacity > 0 else { return -1 }
        COpenSSL_BIO_clear_retry_flags(bio)
        guard let datagram = exchange.incoming else {
            COpenSSL_BIO_set_retry_read(bio)
            return -1
        }
        exchange.incoming = nil
        // What does not fit is lost, as with a socket.
        let count = min(Int(capacity), datagram.count)
        UnsafeMutableRawPointer(buffer).copyMemory(
            from: datagram.baseAddress ?? UnsafeRawPointer(buffer), byteCount: count)
        return Int32(count)
    }
    BIO_meth_set_ctrl(method.pointer) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
    return method
}

/// The callback of OpenSSL's that tells of alerts, among other things.
let noteAlert: @convention(c) (OpaquePointer?, Int32, Int32) -> Void = { ssl, place, value in
    // The alert's level is the upper octet: 2 is fatal (RFC 5246 section 7.2).
    guard place & SSL_CB_ALERT != 0, value >> 8 == 2, let exchange = DatagramExchange.of(SSL_get_rbio(ssl)) else {
        return
    }
    let alert = UInt8(truncatingIfNeeded: value)
    if place & SSL_CB_READ != 0 { exchange.received = alert } else { exchange.sent = alert }
}
