import COpenSSL
import SansIO
import Wire

/// A handshake, made by OpenSSL and timed by us.
///
/// OpenSSL's own retransmission reads the wall clock; it is put off for longer than a handshake may take. Instead the last
/// flight is kept and sent again by the time that comes with each input. OpenSSL gets one record at a time, so that what
/// follows the last one of the handshake is left for the ``Connection``.
final class Handshake {
    /// How a handshake ended.
    enum End {
        /// It is complete; the rest of the datagram, from this octet on, is the connection's.
        case connected(Connection, DTLSPeer, rest: Int)
        case closed
        case failed(DTLSFailure)
    }

    /// The most octets of a protected record that comes before its keys; a Finished has 61 at most.
    private static let maximumEarlyRecord = 128

    private let context: DTLSContext
    private let library: LibraryContext
    private let mtu: Int
    private let session: LibrarySession
    /// The next record number of epoch 0.
    private var nextNumber: UInt64 = 0
    /// Of epoch 1, once OpenSSL has protected something.
    private var protection: Protection?
    private var flight = Flight()
    private let givesUpAt: Timestamp
    private var timeout: Duration
    private var retransmitsAt: Timestamp?
    private var lastSent: Timestamp
    /// A protected record that came before its keys.
    private var early: [UInt8] = []
    /// The highest message number of the peer's, and the highest one that `flight` answers.
    private var lastMessage = -1
    private var answered = -1
    /// Whether the peer sent something again that `flight` answers.
    private var isAskedAgain = false

    /// Makes a handshake that has sent nothing yet.
    init(_ context: DTLSContext, mtu: Int, at now: Timestamp) throws(DTLSError) {
        self.context = context
        self.mtu = mtu
        library = try context.openLibrary()
        session = try LibrarySession(library, role: context.role, mtu: mtu)
        givesUpAt = now + context.limits.handshakeTime
        timeout = context.limits.initialTimeout
        lastSent = now
    }

    /// When to call ``wake(at:into:)``.
    var deadline: Timestamp { min(retransmitsAt ?? givesUpAt, givesUpAt) }

    /// Sends the client's first flight.
    func start(at now: Timestamp, into output: inout DTLSOutput) -> End? {
        proceed(at: now, into: &output)
    }

    /// Sends the last flight again, or gives up, when it is time.
    func wake(at now: Timestamp, into output: inout DTLSOutput) -> End? {
        if now >= givesUpAt { return .failed(.timedOut) }
        if let retransmitsAt, now >= retransmitsAt {
            // RFC 6347 section 4.2.4.1: twice the time after each retransmission.
            timeout = min(timeout + timeout, context.limits.maximumTimeout)
            send(at: now, into: &output)
        }
        return nil
    }

    /// Takes in a datagram.
    func receive(_ datagram: RawSpan, at now: Timestamp, into output: inout DTLSOutput) -> End? {
        isAskedAgain = false
        var reader = ByteReader(datagram)
        var start = 0
        while let header = RecordHeader(&reader), reader.skip(header.length) {
            let record = datagram.extracting(start..<reader.offset)
            start = reader.offset
            guard let end = receive(header, record, at: now, into: &output) else { continue }
            if case .connected(let connection, let peer, _) = end { return .connected(connection, peer, rest: start) }
            return end
        }
        // RFC 6347 section 4.2.4: who gets the peer's flight again sends its own again, and begins to wait anew. Once for all
        // records of it.
        if isAskedAgain, now - lastSent >= context.limits.initialTimeout / 2 { send(at: now, into: &output) }
        return nil
    }

    private func receive(
        _ header: RecordHeader, _ record: RawSpan, at now: Timestamp, into output: inout DTLSOutput
    ) -> End? {
        switch header.epoch {
        case 0:
            note(header, record)
            if let end = feed(record, at: now, into: &output) { return end }
            guard !early.isEmpty, session.hasPeerKeys else { return nil }
            let finished = early
            early = []
            return feed(finished.span.bytes, at: now, into: &output)
        case 1 where session.hasPeerKeys:
            return feed(record, at: now, into: &output)
        case 1:
            // OpenSSL would set a buffer of 17 kB aside for each of these.
            if record.byteCount <= Self.maximumEarlyRecord { early = record.copied }
            return nil
        default:
            return nil
        }
    }

    /// Looks whether a record repeats what was answered (RFC 6347 section 4.2.2: type, length in three octets, number).
    private func note(_ header: RecordHeader, _ record: RawSpan) {
        var reader = ByteReader(record)
        guard header.type == ContentType.handshake, reader.skip(RecordHeader.size + 4),
            let number = reader.readUInt16().map(Int.init)
        else { return }
        if number <= answered { isAskedAgain = true }
        lastMessage = max(lastMessage, number)
    }

    // MARK: OpenSSL

    private func feed(_ record: RawSpan, at now: Timestamp, into output: inout DTLSOutput) -> End? {
        record.withUnsafeBytes { bytes in
            session.exchange.incoming = bytes
            defer { session.exchange.incoming = nil }
            return proceed(at: now, into: &output)
        }
    }

    private func proceed(at now: Timestamp, into output: inout DTLSOutput) -> End? {
        ERR_clear_error()
        let result = SSL_do_handshake(session.pointer)
        let problem = result == 1 ? SSL_ERROR_NONE : SSL_get_error(session.pointer, result)
        let error = ERR_peek_error()
        ERR_clear_error()
        do throws(DTLSError) {
            try sendNew(at: now, into: &output)
            if let alert = session.exchange.received {
                return alert == Alert.closeNotify ? .closed : .failed(.alertReceived(alert))
            }
            switch problem {
            case SSL_ERROR_NONE: return try connect()
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
            case SSL_ERROR_ZERO_RETURN: return .closed
            default: return .failed(DTLSFailure(error: error, alert: session.exchange.sent))
            }
        } catch {
            return .failed(.libraryFailed)
        }
    }

    /// Sends what OpenSSL wrote, and keeps it as the last flight unless it is an alert.
    private func sendNew(at now: Timestamp, into output: inout DTLSOutput) throws(DTLSError) {
        guard !session.exchange.outgoing.isEmpty else { return }
        let datagrams = session.exchange.outgoing
        session.exchange.outgoing = []
        var new = Flight()
        var reopener: RecordCipher?
        if datagrams.contains(where: Flight.isProtected) {
            // Epoch 1 has one source of record numbers, ours: what OpenSSL protected is opened, and protected again.
            let keys = try sessionKeys()
            reopener = try RecordCipher(keys.suite, keys.own, seals: false, library.algorithms)
            if protection == nil { protection = try Protection(keys, library.algorithms) }
        }
        for datagram in datagrams { new.append(datagram.span.bytes, opener: reopener) }
        guard new.awaitsAnswer else {
            new.send(mtu: mtu, nextNumber: &nextNumber, &protection, into: &output)
            return
        }
        flight = new
        answered = lastMessage
        isAskedAgain = false
        timeout = context.limits.initialTimeout
        send(at: now, into: &output)
    }

    private func send(at now: Timestamp, into output: inout DTLSOutput) {
        guard !flight.isEmpty else { return }
        flight.send(mtu: mtu, nextNumber: &nextNumber, &protection, into: &output)
        lastSent = now
        retransmitsAt = now + timeout
    }

    // MARK: Completion

    private func sessionKeys() throws(DTLSError) -> SessionKeys {
        guard let suite = CipherSuite(rawValue: session.suiteNumber) else {
            throw .libraryFailed("SSL_get_current_cipher")
        }
        return try SessionKeys(of: session.pointer, suite: suite, role: context.role, library.algorithms)
    }

    private func connect() throws(DTLSError) -> End {
        guard let certificate = SSL_get0_peer_certificate(session.pointer) else { return .failed(.noCertificate) }
        guard let protection = protection.take() else { return .failed(.libraryFailed) }
        let peer = DTLSPeer(
            fingerprint: try sha256(ofCertificate: certificate), version: .dtls1_2, cipherSuite: session.suiteNumber,
            srtpProfile: session.srtpProfile)
        // A server keeps its last flight: a client that did not get it asks for it by sending its Finished again.
        let lastFlight = context.role == .server ? flight : Flight()
        return .connected(
            Connection(
                protection, lastFlight, mtu: mtu, nextNumber: nextNumber, limits: context.limits, sentAt: lastSent),
            peer,
            rest: 0)
    }
}
