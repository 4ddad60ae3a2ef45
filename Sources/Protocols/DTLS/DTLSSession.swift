public import SansIO
import Wire

/// One side of a DTLS 1.2 association (RFC 6347), without socket, clock or thread.
///
/// OpenSSL makes the handshake; what it needs for it is set aside with the first message and freed with the last, so that an
/// idle session holds little more than its keys.
public struct DTLSSession: ~Copyable {
    private enum State {
        case waiting
        case handshaking(Handshake)
        case connected(Connection)
        case over
    }

    private let context: DTLSContext
    private let mtu: Int
    private var state = State.waiting

    /// Makes a session that waits for the peer's first flight or, as a client, for ``DTLSInput/start``.
    /// - Parameters:
    ///   - context: identity and role; shared by all sessions of an endpoint.
    ///   - mtu: the most octets of a datagram's content, IP's and UDP's heads not counted; 512 to 16,384.
    public init(context: DTLSContext, mtu: Int = 1_200) {
        self.context = context
        self.mtu = min(max(mtu, 512), 16_384)
    }

    /// Whether application data may pass.
    public var isConnected: Bool {
        if case .connected = state { true } else { false }
    }

    /// The most octets of application data in a datagram of the MTU: 37 less at most.
    public var maximumPlaintext: Int {
        if case .connected(let connection) = state { mtu - connection.overhead } else { mtu - 37 }
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``DTLSInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing DTLSInput, at now: Timestamp, into output: inout DTLSOutput
    ) -> Timestamp? {
        switch state {
        case .connected(let connection): handle(input, connection, at: now, into: &output)
        case .handshaking(let handshake): handle(input, handshake, at: now, into: &output)
        case .waiting: begin(input, at: now, into: &output)
        case .over: break
        }
        guard case .handshaking(let handshake) = state else { return nil }
        return handshake.deadline
    }

    private mutating func begin(_ input: borrowing DTLSInput, at now: Timestamp, into output: inout DTLSOutput) {
        switch input {
        case .start where context.role == .client:
            guard let handshake = makeHandshake(at: now, into: &output) else { return }
            go(on: handshake.start(at: now, into: &output), into: &output)
        case .datagram(let datagram) where context.role == .server && Self.beginsHandshake(datagram):
            guard let handshake = makeHandshake(at: now, into: &output) else { return }
            receive(datagram, handshake, at: now, into: &output)
        case .close: state = .over
        case .start, .datagram, .send, .wake: break
        }
    }

    private mutating func handle(
        _ input: borrowing DTLSInput, _ handshake: Handshake, at now: Timestamp, into output: inout DTLSOutput
    ) {
        if now >= handshake.deadline { go(on: handshake.wake(at: now, into: &output), into: &output) }
        guard case .handshaking = state else { return }
        switch input {
        case .datagram(let datagram): receive(datagram, handshake, at: now, into: &output)
        case .close: state = .over
        case .start, .send, .wake: break
        }
    }

    private mutating func receive(
        _ datagram: RawSpan, _ handshake: Handshake, at now: Timestamp, into output: inout DTLSOutput
    ) {
        let end = handshake.receive(datagram, at: now, into: &output)
        go(on: end, into: &output)
        if case .connected(let connection, _, let rest) = end {
            finish(with: connection.receive(datagram, from: rest, at: now, into: &output), into: &output)
        }
    }

    private mutating func handle(
        _ input: borrowing DTLSInput, _ connection: Connection, at now: Timestamp, into output: inout DTLSOutput
    ) {
        switch input {
        case .datagram(let datagram):
            finish(with: connection.receive(datagram, from: 0, at: now, into: &output), into: &output)
        case .send(let content):
            finish(with: connection.send(content, into: &output), into: &output)
        case .close:
            connection.close(into: &output)
            state = .over
        case .start, .wake: break
        }
    }

    // MARK: Transitions

    private mutating func makeHandshake(at now: Timestamp, into output: inout DTLSOutput) -> Handshake? {
        do throws(DTLSError) {
            let handshake = try Handshake(context, mtu: mtu, at: now)
            state = .handshaking(handshake)
            return handshake
        } catch {
            finish(with: .failed(.libraryFailed), into: &output)
            return nil
        }
    }

    private mutating func go(on end: Handshake.End?, into output: inout DTLSOutput) {
        switch end {
        case .none: break
        case .connected(let connection, let peer, _):
            state = .connected(connection)
            output.events.append(.connected(peer))
        case .closed: finish(with: .closed, into: &output)
        case .failed(let failure): finish(with: .failed(failure), into: &output)
        }
    }

    private mutating func finish(with event: DTLSEvent?, into output: inout DTLSOutput) {
        guard let event else { return }
        state = .over
        output.events.append(event)
    }

    /// Whether a datagram begins with a ClientHello or a fragment of one; nothing is set aside for anything else.
    private static func beginsHandshake(_ datagram: RawSpan) -> Bool {
        var reader = ByteReader(datagram)
        guard let header = RecordHeader(&reader), header.type == ContentType.handshake, header.epoch == 0 else {
            return false
        }
        return reader.readUInt8() == HandshakeType.clientHello
    }
}
