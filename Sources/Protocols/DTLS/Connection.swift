import SansIO
import Wire

/// A session after its handshake: OpenSSL's part is over but for the ciphers, and its memory is freed.
final class Connection {
    /// How often a server sends its last flight again.
    private static let maximumRepeats = 16

    private var protection: Protection?
    private let lastFlight: Flight
    private let mtu: Int
    private var nextNumber: UInt64
    private var repeats = 0
    private var lastSent: Timestamp
    private let repeatInterval: Duration

    init(
        _ protection: consuming Protection, _ lastFlight: Flight, mtu: Int, nextNumber: UInt64, limits: DTLSLimits,
        sentAt lastSent: Timestamp
    ) {
        self.protection = consume protection
        self.lastFlight = lastFlight
        self.mtu = mtu
        self.nextNumber = nextNumber
        self.lastSent = lastSent
        repeatInterval = limits.initialTimeout / 2
    }

    /// Octets that protection adds to application data.
    var overhead: Int { protection?.overhead ?? 0 }

    /// Sends application data.
    /// - Returns: why the session is over, if it is.
    func send(_ content: RawSpan, into output: inout DTLSOutput) -> DTLSEvent? {
        content.withUnsafeBytes { seal(type: ContentType.applicationData, $0, into: &output) }
    }

    /// Says that nothing more comes (RFC 5246 section 7.2.1).
    func close(into output: inout DTLSOutput) {
        sendAlert(Alert.closeNotify, into: &output)
    }

    /// Takes in a datagram.
    /// - Returns: why the session is over, if it is.
    func receive(_ datagram: RawSpan, from offset: Int, at now: Timestamp, into output: inout DTLSOutput) -> DTLSEvent?
    {
        var reader = ByteReader(datagram)
        guard reader.skip(offset) else { return nil }
        while let header = RecordHeader(&reader), let body = reader.readBytes(header.length) {
            // Nothing of epoch 0 counts any more: nobody vouches for it.
            guard header.epoch == 1 else { continue }
            let start = output.applicationData.count
            let opened = protection?.open(header, body, into: &output.applicationData) ?? .refused
            guard opened != .refused else { continue }
            if header.type == ContentType.applicationData {
                output.records.append(start..<output.applicationData.count)
                continue
            }
            let content = output.applicationData[start...]
            let first = content.first
            let second = content.dropFirst().first
            output.applicationData.removeLast(content.count)
            switch header.type {
            case ContentType.alert:
                if let end = receiveAlert(level: first, alert: second, into: &output) { return end }
            case ContentType.handshake:
                receiveHandshake(first, isFresh: opened == .fresh, at: now, into: &output)
            case _:
                // A ChangeCipherSpec, or a type that DTLS does not know: RFC 6347 section 4.1.2.7 has it dropped.
                break
            }
        }
        return nil
    }

    private func receiveAlert(level: UInt8?, alert: UInt8?, into output: inout DTLSOutput) -> DTLSEvent? {
        guard let level, let alert else { return nil }
        if alert == Alert.closeNotify {
            // RFC 5246 section 7.2.1: the other side answers with its own.
            sendAlert(Alert.closeNotify, into: &output)
            return .closed
        }
        return level == Alert.warning ? nil : .failed(.alertReceived(alert))
    }

    private func receiveHandshake(_ type: UInt8?, isFresh: Bool, at now: Timestamp, into output: inout DTLSOutput) {
        switch type {
        case HandshakeType.finished:
            // RFC 6347 section 4.2.4: in the state FINISHED, a server answers the peer's last flight with its own again. A
            // client that sends the very same record again is answered too; this tells it nothing new, and the number is
            // limited.
            guard !lastFlight.isEmpty, repeats < Self.maximumRepeats, now - lastSent >= repeatInterval else { return }
            repeats += 1
            lastSent = now
            lastFlight.send(mtu: mtu, nextNumber: &nextNumber, &protection, into: &output)
        case HandshakeType.helloRequest, HandshakeType.clientHello:
            // RFC 5246 section 7.4.1.1: there is no second handshake.
            if isFresh { sendAlert(Alert.noRenegotiation, into: &output) }
        case _:
            break
        }
    }

    private func sendAlert(_ alert: UInt8, into output: inout DTLSOutput) {
        withUnsafeBytes(of: (Alert.warning, alert)) { _ = seal(type: ContentType.alert, $0, into: &output) }
    }

    private func seal(type: UInt8, _ content: UnsafeRawBufferPointer, into output: inout DTLSOutput) -> DTLSEvent? {
        guard content.count <= RecordHeader.maximumPlaintext else { return nil }
        let start = output.written.count
        guard protection?.seal(type: type, content, into: &output.written) == true else {
            return .failed(protection?.isExhausted == true ? .exhausted : .libraryFailed)
        }
        output.datagrams.append(start..<output.written.count)
        return nil
    }
}
