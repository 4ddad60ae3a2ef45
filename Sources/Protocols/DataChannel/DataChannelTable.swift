public import SCTP

/// Which identifiers a side gives to the channels it opens (RFC 8832 section 6); the DTLS role decides.
public enum DataChannelParity: Sendable, Equatable {
    /// The DTLS client's.
    case even
    /// The DTLS server's.
    case odd
}

/// The data channels of one SCTP association (RFC 8831, RFC 8832). Payloads stay where they are; only DCEP is read here.
public struct DataChannelTable: Sendable {
    /// Where a channel is in its life.
    private enum State: Sendable, Equatable {
        /// Ours; the peer has not acknowledged it yet.
        case opening
        /// Both ends know it.
        case open
        /// The peer opened it anew on a stream whose reset it has not confirmed yet; the acknowledgement waits for that.
        case reopened
        /// We closed it; the peer has not reset its side yet.
        case closing(isOwnSideDone: Bool)
        /// The peer closed it; our side's reset is not confirmed yet.
        case closedByPeer
    }

    private struct Channel: Sendable {
        let stream: UInt16
        var state: State
        var isOrdered: Bool
        var reliability: SCTPReliability
        /// What the peer is yet to acknowledge.
        var unacknowledged: DataChannelParameters?

        /// Whether nobody has closed it yet.
        var isAlive: Bool {
            switch state {
            case .opening, .open, .reopened: true
            case .closing, .closedByPeer: false
            }
        }
    }

    private let parity: DataChannelParity
    private let limits: DataChannelLimits
    /// Few, so they are searched from the front.
    private var channels: [Channel] = []

    /// Makes a table without channels.
    /// - Parameters:
    ///   - parity: of the identifiers of channels opened here.
    ///   - limits: the most that is kept.
    public init(parity: DataChannelParity, limits: DataChannelLimits = DataChannelLimits()) {
        self.parity = parity
        self.limits = limits
    }

    /// How many channels there are, closing ones included.
    public var count: Int { channels.count }

    /// Whether something may still pass on a channel, or a channel waits for its reset. Those that we closed and that only the
    /// peer keeps are not served.
    public var isServed: Bool { channels.contains { $0.state != .closing(isOwnSideDone: true) } }

    /// How to send a message.
    public struct Sending: Sendable, Equatable {
        /// The payload protocol identifier.
        public var ppid: UInt32
        /// Whether it may overtake other messages of its stream.
        public var isUnordered: Bool
        /// How long to try.
        public var reliability: SCTPReliability
    }

    /// Says how to send a message on a channel.
    /// - Parameters:
    ///   - stream: the channel's.
    ///   - kind: text or binary.
    ///   - isEmpty: whether it has no bytes; a single zero octet is sent in its place (RFC 8831 section 6.6).
    /// - Returns: nil when the channel is not open.
    public func sending(on stream: UInt16, _ kind: DataChannelMessageKind, isEmpty: Bool) -> Sending? {
        guard let index = index(of: stream) else { return nil }
        let channel = channels[index]
        let isUnordered: Bool
        switch channel.state {
        // RFC 8832 section 6: ordered until the peer has acknowledged, so that nothing overtakes the OPEN.
        case .opening: isUnordered = false
        case .open: isUnordered = !channel.isOrdered
        case .reopened, .closing, .closedByPeer: return nil
        }
        let ppid =
            switch kind {
            case .text: isEmpty ? PPID.emptyText : PPID.text
            case .binary: isEmpty ? PPID.emptyBinary : PPID.binary
            }
        return Sending(ppid: ppid, isUnordered: isUnordered, reliability: channel.reliability)
    }

    /// Takes in what happened and says what to do about it.
    /// - Parameters:
    ///   - input: what happened.
    ///   - output: what to do is appended to it.
    public mutating func handle(_ input: borrowing DataChannelInput, into output: inout DataChannelOutput) {
        switch input {
        case .message(let bytes, let stream, let ppid): receive(bytes, stream, ppid, into: &output)
        case .streamsReset(let streams): peerReset(streams, into: &output)
        case .outgoingReset(let streams):
            for stream in streams { ownReset(stream, into: &output) }
        case .restarted:
            for channel in channels where channel.state != .closedByPeer {
                output.events.append(.closed(stream: channel.stream))
            }
            channels.removeAll()
        case .open(let parameters): open(parameters, into: &output)
        case .negotiate(let stream, let parameters):
            guard let channel = add(stream, parameters, .open, into: &output) else { return }
            channels.append(channel)
            output.events.append(.opened(stream: stream, parameters, isIncoming: false))
        case .close(let stream):
            guard let index = index(of: stream), channels[index].isAlive else {
                return output.events.append(.refused(.noChannel))
            }
            close(index, into: &output)
        }
    }

    private func index(of stream: UInt16) -> Int? {
        channels.firstIndex { $0.stream == stream }
    }

    // MARK: Messages

    private mutating func receive(
        _ bytes: RawSpan, _ stream: UInt16, _ ppid: UInt32, into output: inout DataChannelOutput
    ) {
        if ppid == DCEPMessage.ppid { return receiveDCEP(bytes, stream, into: &output) }
        guard let index = index(of: stream) else { return output.events.append(.refused(.noChannel)) }
        let kind: DataChannelMessageKind
        switch ppid {
        case PPID.text, PPID.emptyText: kind = .text
        case PPID.binary, PPID.emptyBinary: kind = .binary
        // RFC 8831 section 6.6 deprecates the partial ones (52 and 54); no browser of the last ten years sends them.
        default: return output.events.append(.refused(.unknownPPID))
        }
        switch channels[index].state {
        case .opening: acknowledge(index, into: &output)
        case .open, .reopened: break
        // What the peer had sent before it heard that we closed.
        case .closing, .closedByPeer: return output.events.append(.refused(.noChannel))
        }
        let isEmpty = ppid == PPID.emptyText || ppid == PPID.emptyBinary
        output.events.append(.message(stream: stream, kind, isEmpty: isEmpty))
    }

    private mutating func receiveDCEP(_ bytes: RawSpan, _ stream: UInt16, into output: inout DataChannelOutput) {
        let message: DCEPMessage
        do throws(DCEPError) {
            message = try DCEPMessage(bytes, textLimit: limits.textBytes)
        } catch {
            switch error {
            case .malformed: return refuse(stream, .malformedDCEP, into: &output)
            case .unknownChannelType: return refuse(stream, .unknownChannelType, into: &output)
            case .textTooLong: return refuse(stream, .textTooLong, into: &output)
            }
        }
        switch message {
        case .open(let parameters): receiveOpen(parameters, stream, into: &output)
        case .acknowledgement:
            // Only who opened a channel is answered.
            guard let index = index(of: stream), (stream % 2 == 0) == (parity == .even) else {
                return output.events.append(.refused(.malformedDCEP))
            }
            // On an unordered channel messages overtake the answer, and closing may, too.
            if channels[index].state == .opening { acknowledge(index, into: &output) }
        }
    }

    private mutating func receiveOpen(
        _ parameters: DataChannelParameters, _ stream: UInt16, into output: inout DataChannelOutput
    ) {
        guard (stream % 2 == 0) == (parity == .odd) else { return refuse(stream, .wrongParity, into: &output) }
        if let index = index(of: stream) {
            // The peer may take a stream again once both sides are reset. Our reset has reached it then, even if its
            // confirmation has not reached us.
            guard channels[index].state == .closedByPeer else { return refuse(stream, .streamInUse, into: &output) }
            channels[index] = Channel(
                stream: stream, state: .reopened, isOrdered: parameters.isOrdered,
                reliability: parameters.reliability)
            return output.events.append(.opened(stream: stream, parameters, isIncoming: true))
        }
        guard let channel = add(stream, parameters, .open, into: &output) else {
            return output.events.append(.reset(stream: stream))
        }
        channels.append(channel)
        send(.acknowledgement, stream, into: &output)
        output.events.append(.opened(stream: stream, parameters, isIncoming: true))
    }

    /// RFC 8832 section 6: a channel whose OPEN is wrong is closed.
    private mutating func refuse(
        _ stream: UInt16, _ cause: DataChannelRefusal, into output: inout DataChannelOutput
    ) {
        output.events.append(.refused(cause))
        guard let index = index(of: stream) else { return output.events.append(.reset(stream: stream)) }
        if channels[index].isAlive { close(index, into: &output) }
    }

    private mutating func acknowledge(_ index: Int, into output: inout DataChannelOutput) {
        channels[index].state = .open
        guard let parameters = channels[index].unacknowledged else { return }
        channels[index].unacknowledged = nil
        output.events.append(.opened(stream: channels[index].stream, parameters, isIncoming: false))
    }

    private func send(_ message: DCEPMessage, _ stream: UInt16, into output: inout DataChannelOutput) {
        let start = output.written.count
        message.write(to: &output.written)
        output.events.append(.send(stream: stream, start..<output.written.count))
    }

    // MARK: Opening and closing

    /// A new channel's record, if there is room for it; otherwise the refusal has been told.
    private func add(
        _ stream: UInt16, _ parameters: DataChannelParameters, _ state: State, into output: inout DataChannelOutput
    ) -> Channel? {
        // 65,535 is no stream of data channels (RFC 8832 section 6).
        guard stream != .max, index(of: stream) == nil else {
            output.events.append(.refused(.streamInUse))
            return nil
        }
        guard channels.count < limits.channels else {
            output.events.append(.refused(.tooManyChannels))
            return nil
        }
        return Channel(
            stream: stream, state: state, isOrdered: parameters.isOrdered, reliability: parameters.reliability)
    }

    private mutating func open(_ parameters: DataChannelParameters, into output: inout DataChannelOutput) {
        guard parameters.label.utf8.count <= limits.textBytes, parameters.subprotocol.utf8.count <= limits.textBytes
        else { return output.events.append(.refused(.textTooLong)) }
        // There are fewer channels than identifiers, so one is free.
        var stream: UInt16 = parity == .even ? 0 : 1
        while index(of: stream) != nil { stream &+= 2 }
        guard var channel = add(stream, parameters, .opening, into: &output) else { return }
        channel.unacknowledged = parameters
        channels.append(channel)
        output.events.append(.opening(stream: stream))
        send(.open(parameters), stream, into: &output)
    }

    private mutating func close(_ index: Int, into output: inout DataChannelOutput) {
        // On a stream opened anew, our earlier reset serves: nothing was sent since.
        let isResetPending = channels[index].state == .reopened
        channels[index].state = .closing(isOwnSideDone: false)
        if !isResetPending { output.events.append(.reset(stream: channels[index].stream)) }
    }

    private mutating func peerReset(_ streams: [UInt16], into output: inout DataChannelOutput) {
        let streams = streams.isEmpty ? channels.map(\.stream) : streams
        for stream in streams {
            guard let index = index(of: stream) else { continue }
            switch channels[index].state {
            case .opening, .open:
                // RFC 8831 section 6.7: the other side resets its own stream, too.
                channels[index].state = .closedByPeer
                output.events.append(.reset(stream: stream))
                output.events.append(.closed(stream: stream))
            case .reopened:
                channels[index].state = .closedByPeer
                output.events.append(.closed(stream: stream))
            case .closing(let isOwnSideDone):
                if isOwnSideDone {
                    channels.remove(at: index)
                } else {
                    channels[index].state = .closedByPeer
                }
                output.events.append(.closed(stream: stream))
            case .closedByPeer: break
            }
        }
    }

    private mutating func ownReset(_ stream: UInt16, into output: inout DataChannelOutput) {
        guard let index = index(of: stream) else { return }
        switch channels[index].state {
        case .closing: channels[index].state = .closing(isOwnSideDone: true)
        case .closedByPeer: channels.remove(at: index)
        case .reopened:
            channels[index].state = .open
            send(.acknowledgement, stream, into: &output)
        case .opening, .open: break
        }
    }
}
