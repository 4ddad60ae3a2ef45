import DTLS
import DataChannel
import ICE
import STUN
public import SansIO
import WebRTCDirect
import Wire

/// The other end of a ``WebRTCDirect/WebRTCEndpoint``, as far as a browser's behaviour goes: it controls ICE, nominates, keeps
/// consent, is the DTLS client, sets SCTP up and opens channels.
public struct WebRTCClient: ~Copyable {
    private let configuration: ClientConfiguration
    private var generator: any RandomNumberGenerator & Sendable
    private let username: String
    private let tieBreaker: UInt64
    private var transport: DataChannelTransport
    private var transportDeadline: Timestamp?
    private var stage = Stage.idle
    /// Checks that wait for their answers, the last few.
    private var transactions: [TransactionID] = []
    private var nextCheck: Timestamp?
    private var checksUnanswered = 0
    private var lastAnswer = Timestamp.zero
    /// Whether the path in use was nominated and the endpoint said yes.
    private var isNominated = false

    private enum Stage {
        case idle
        /// No check was answered yet.
        case checking
        /// The path works.
        case running
        case ended
    }

    /// Makes a client that waits for ``ClientInput/start``.
    /// - Parameters:
    ///   - configuration: whom to reach and how.
    ///   - generator: gives transaction IDs and SCTP's tags; a seeded one must be a reference.
    public init(configuration: ClientConfiguration, generator: any RandomNumberGenerator & Sendable) {
        var generator = generator
        self.configuration = configuration
        username = "\(configuration.remote.fragment):\(configuration.fragment)"
        tieBreaker = generator.next()
        transport = DataChannelTransport(
            context: configuration.context, role: .client, association: configuration.association,
            limits: configuration.limits, generator: generator)
        self.generator = generator
    }

    /// Whether channels can be used.
    public var isConnected: Bool { transport.isConnected }

    /// Octets of messages queued or not yet acknowledged.
    public var bufferedBytes: Int { transport.bufferedBytes }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - now: the present time.
    ///   - output: what to do is appended to it.
    /// - Returns: when to call again with ``ClientInput/wake`` if nothing happens before, or nil if there is no need.
    public mutating func handle(
        _ input: borrowing ClientInput, at now: Timestamp, into output: inout ClientOutput
    ) -> Timestamp? {
        if case .ended = stage { return nil }
        switch input {
        case .start:
            stage = .checking
            lastAnswer = now
            check(at: now, into: &output)
        case .datagram(let bytes):
            var reader = ByteReader(bytes)
            switch reader.readUInt8() {
            case .some(0...3): receiveAnswer(bytes, at: now, into: &output)
            case .some(20...63): pass(.datagram(bytes), at: now, into: &output)
            default: break
            }
        case .send(let bytes, let channel, let kind):
            pass(.send(bytes, stream: channel, kind), at: now, into: &output)
        case .openChannel(let parameters): pass(.openChannel(parameters), at: now, into: &output)
        case .negotiateChannel(let channel, let parameters):
            pass(.negotiateChannel(stream: channel, parameters), at: now, into: &output)
        case .closeChannel(let channel): pass(.closeChannel(stream: channel), at: now, into: &output)
        case .moved:
            isNominated = false
            checksUnanswered = 0
            transactions.removeAll()
            check(at: now, into: &output)
        case .close: pass(.close, at: now, into: &output)
        case .wake:
            if let transportDeadline, transportDeadline <= now { pass(.wake, at: now, into: &output) }
            if let nextCheck, nextCheck <= now {
                if now - lastAnswer >= configuration.consentExpiry {
                    end(.silent, into: &output)
                } else {
                    check(at: now, into: &output)
                }
            }
        }
        if case .ended = stage { return nil }
        guard let nextCheck else { return transportDeadline }
        return min(nextCheck, transportDeadline ?? nextCheck)
    }

    private mutating func end(_ reason: ClientEnd, into output: inout ClientOutput) {
        if case .ended = stage { return }
        stage = .ended
        output.events.append(.ended(reason))
    }

    // MARK: ICE

    /// Sends a check. As browsers do when they face a lite agent, it nominates once the path has proven to work.
    private mutating func check(at now: Timestamp, into output: inout ClientOutput) {
        let transaction = TransactionID(high: generator.next(), low: generator.next())
        if transactions.count >= 8 { transactions.removeFirst() }
        transactions.append(transaction)
        let start = output.written.count
        var buffer = ByteWriter()
        swap(&buffer, &output.written)
        var writer = STUNWriter(.request, .binding, transaction, appendingTo: buffer)
        writer.append(.username, text: username)
        writer.append(.iceControlling, uint64: tieBreaker)
        if case .running = stage { writer.append(.useCandidate) }
        // A peer-reflexive candidate of a host's first address (RFC 8445 section 5.1.2).
        writer.append(.priority, uint32: 110 << 24 | 65_535 << 8 | 255)
        writer.appendIntegrity(key: configuration.remote.key)
        writer.appendFingerprint()
        output.written = writer.finish()
        output.datagrams.append(start..<output.written.count)
        // Quick while the path is not known to work: 100, 200, 400, then every 500 ms.
        let isQuick = !isNominated
        let wait: Duration =
            isQuick
            ? .milliseconds(min(500, 100 << min(3, checksUnanswered)))
            : configuration.checkInterval * Double.random(in: 0.8...1.2, using: &generator)
        checksUnanswered += 1
        nextCheck = now + wait
    }

    private mutating func receiveAnswer(_ bytes: RawSpan, at now: Timestamp, into output: inout ClientOutput) {
        guard let message = try? STUNMessage(bytes), message.isFingerprintValid,
            let index = transactions.firstIndex(of: message.transactionID)
        else { return }
        switch message.messageClass {
        case .success:
            guard message.isIntact(key: configuration.remote.key),
                let address = message.first(.xorMappedAddress)?.xorAddress(message.transactionID)
            else { return }
            transactions.remove(at: index)
            checksUnanswered = 0
            lastAnswer = now
            output.events.append(.checked(address))
            switch stage {
            case .checking:
                stage = .running
                check(at: now, into: &output)
                pass(.start, at: now, into: &output)
            case .running:
                if !isNominated {
                    isNominated = true
                    nextCheck = now + configuration.checkInterval * Double.random(in: 0.8...1.2, using: &generator)
                }
            case .idle, .ended: break
            }
        case .error:
            // What is not proven says nothing (RFC 8489 section 9.1.4).
            guard message.isIntact(key: configuration.remote.key), let code = message.first(.errorCode)?.errorCode,
                code != .roleConflict, code != .unauthenticated
            else { return }
            end(.refused(code), into: &output)
        case .request, .indication: break
        }
    }

    // MARK: DTLS and above

    private mutating func pass(
        _ input: borrowing TransportInput, at now: Timestamp, into output: inout ClientOutput
    ) {
        let firstDatagram = output.transport.datagrams.count
        let firstEvent = output.transport.events.count
        transportDeadline = transport.handle(input, at: now, into: &output.transport)
        let bytes = output.transport.written
        let span = bytes.bytes.span.bytes
        for range in output.transport.datagrams[firstDatagram...] {
            let start = output.written.count
            output.written.write(span.extracting(range))
            output.datagrams.append(start..<output.written.count)
        }
        for event in output.transport.events[firstEvent...] {
            output.events.append(.transport(event))
            switch event {
            case .connected(let peer):
                if let fingerprint = configuration.fingerprint, fingerprint != peer.fingerprint {
                    end(.impostor, into: &output)
                }
            case .closed(let reason): end(.transport(reason), into: &output)
            case .channelOpening, .channelOpened, .message, .channelClosed, .sendRefused, .unwritable, .writable,
                .refused:
                break
            }
        }
    }
}
