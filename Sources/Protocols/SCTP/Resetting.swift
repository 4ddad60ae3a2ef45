import SansIO
import Wire

/// Stream resets under way, in both directions (RFC 6525).
struct Resets: Sendable {
    /// What was asked of the peer and not answered yet. There is one request at a time (section 5.1.1).
    struct Request: Sendable {
        let sequence: UInt32
        let lastTSN: TSN
        let streams: [UInt16]
    }

    /// Outgoing streams to reset as soon as nothing of them waits.
    var asked: [UInt16] = []
    var request: Request?
    /// The number of the next request.
    var nextSequence: UInt32 = 0
    /// The number of the peer's next request.
    var peerSequence: UInt32 = 0
    /// What the peer's last request was answered with.
    var lastResult = ReconfigurationResult.nothingToDo
    /// A request of the peer's whose last TSN hasn't come yet.
    var deferred: Request?

    /// Both sides count requests from their initial TSN on (RFC 6525 section 4.1).
    mutating func begin(localTSN: TSN, peerTSN: TSN) {
        nextSequence = localTSN.value
        peerSequence = peerTSN.value
    }

    /// How many may wait. A peer that answers none could otherwise make the list, which is searched for each of its entries, as
    /// long as there are streams; what is beyond is not reset.
    static let limit = 2_048

    mutating func ask(_ streams: [UInt16]) {
        for stream in streams where asked.count < Self.limit && !contains(stream) { asked.append(stream) }
    }

    /// Whether an outgoing stream is being reset.
    func contains(_ stream: UInt16) -> Bool {
        asked.contains(stream) || request?.streams.contains(stream) ?? false
    }
}

extension SCTPAssociation {
    // MARK: Our requests

    /// Asks for the resets whose streams have nothing left to send (RFC 6525 section 5.1.2).
    mutating func requestReset(at now: Timestamp, into output: inout SCTPOutput) {
        guard !resets.asked.isEmpty, resets.request == nil else { return }
        guard peer.capabilities.contains(.reconfiguration) else {
            output.events.append(.outgoingResetFailed(resets.asked))
            resets.asked = []
            return
        }
        let space =
            configuration.maximumPacketSize - PacketHeader.size - Chunk.headerSize - OutgoingResetRequest.headerSize
        var streams: [UInt16] = []
        let table = sending.streams
        resets.asked.removeAll { stream in
            guard streams.count < space / 2, !table.hasQueued(stream) else { return false }
            streams.append(stream)
            return true
        }
        guard !streams.isEmpty else { return }
        resets.request = Resets.Request(
            sequence: resets.nextSequence, lastTSN: sending.nextTSN.previous, streams: streams)
        resets.nextSequence &+= 1
        writeResetRequest(at: now, into: &output)
    }

    mutating func resetTimedOut(at now: Timestamp, into output: inout SCTPOutput) {
        timers.reset = .never
        guard resets.request != nil else { return }
        timeout.backOff()
        countError(into: &output)
        if isUp { writeResetRequest(at: now, into: &output) }
    }

    private mutating func writeResetRequest(at now: Timestamp, into output: inout SCTPOutput) {
        guard let request = resets.request else { return }
        makeRoom(for: Chunk.headerSize + OutgoingResetRequest.headerSize + 2 * request.streams.count, in: &output)
        output.written.writeOutgoingReset(
            sequence: request.sequence, responseSequence: resets.peerSequence &- 1, lastTSN: request.lastTSN,
            streams: request.streams)
        timers.reset = now + timeout.current
    }

    private mutating func receiveResponse(
        _ sequence: UInt32, _ result: UInt32, at now: Timestamp, into output: inout SCTPOutput
    ) {
        guard let request = resets.request, request.sequence == sequence else { return }
        errors = 0
        switch ReconfigurationResult(rawValue: result) {
        case .performed, .nothingToDo:
            for stream in request.streams { sending.streams.reset(stream) }
            output.events.append(.outgoingReset(request.streams))
        case .inProgress, .alreadyInProgress:
            // RFC 6525 section 5.2.7: the same request is sent again when the timer expires.
            timers.reset = now + timeout.current
            return
        case .denied, .wrongStream, .badSequenceNumber, nil:
            output.events.append(.outgoingResetFailed(request.streams))
        }
        resets.request = nil
        timers.reset = .never
    }

    // MARK: The peer's requests

    mutating func receiveReconfiguration(_ chunk: Chunk, at now: Timestamp, into output: inout SCTPOutput) {
        guard isUp else { return }
        var parameters = ParameterReader(ByteReader(chunk.value))
        while let parameter = parameters.next() {
            var reader = ByteReader(parameter.value)
            switch ReconfigurationParameter(rawValue: parameter.type) {
            case .outgoingReset:
                guard let request = OutgoingResetRequest(parameter), mayReply() else { return }
                answer(request, into: &output)
            case .response:
                guard let sequence = reader.readUInt32(), let result = reader.readUInt32() else { return }
                receiveResponse(sequence, result, at: now, into: &output)
            case .incomingReset, .tsnReset, .addOutgoingStreams, .addIncomingStreams:
                // Data channels need none of these (RFC 8831 section 6.7).
                guard let sequence = reader.readUInt32(), mayReply() else { return }
                if sequence == resets.peerSequence {
                    resets.peerSequence &+= 1
                    resets.lastResult = .denied
                }
                respond(to: sequence, into: &output)
            case nil:
                if UnknownTypeAction(parameterType: parameter.type).stops { return }
            }
        }
    }

    /// Does what a request for the reset of the peer's outgoing streams asks for, and answers it (RFC 6525 section 5.2.2).
    private mutating func answer(_ request: OutgoingResetRequest, into output: inout SCTPOutput) {
        if request.sequence == resets.peerSequence {
            resets.peerSequence &+= 1
            let streams = request.streams.streamNumbers
            if let deferred = resets.deferred, deferred.streams != streams {
                resets.lastResult = .alreadyInProgress
            } else {
                resets.lastResult = .inProgress
                resets.deferred = Resets.Request(
                    sequence: request.sequence, lastTSN: request.lastTSN, streams: streams)
                performDeferredReset(into: &output)
            }
        }
        respond(to: request.sequence, into: &output)
    }

    /// Writes the answer to the peer's last request, the same one when that comes again.
    private mutating func respond(to sequence: UInt32, into output: inout SCTPOutput) {
        let isLast = sequence == resets.peerSequence &- 1
        makeRoom(for: Chunk.headerSize + 12, in: &output)
        output.written.writeReconfigurationResponse(
            sequence: sequence, result: isLast ? resets.lastResult : .badSequenceNumber)
    }

    /// Resets the peer's streams if everything sent on them before has come.
    mutating func performDeferredReset(into output: inout SCTPOutput) {
        guard let request = resets.deferred, !receiving.cumulative.precedes(request.lastTSN) else { return }
        resets.deferred = nil
        resets.lastResult = .performed
        receiving.reset(request.streams)
        output.events.append(.streamsReset(request.streams))
    }
}
